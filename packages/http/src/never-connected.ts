/**
 * Whether a request that failed can have been taken by nobody: no connection came about.
 *
 * A connection that is there may fail with the same codes, such as EHOSTUNREACH when its way is lost, after the request
 * has gone: the call that failed decides.
 */

/** What of connecting fails: the connection itself, and the name before it. */
const CALLS: ReadonlySet<unknown> = new Set(['connect', 'getaddrinfo']);

/** For errors of node's sockets and of undici. */
export function neverConnected(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // One for each address of a name.
  if (error instanceof AggregateError) return error.errors.every(neverConnected);
  const { code, syscall } = error as NodeJS.ErrnoException;
  return code === 'UND_ERR_CONNECT_TIMEOUT' || CALLS.has(syscall);
}
