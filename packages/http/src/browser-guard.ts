/**
 * Who may talk to a cluster that has no log-in: programs and pages of this machine, not a page of some
 * site that the operator's browser has open. A foreign name that resolves to this address is refused
 * (DNS rebinding), and so is a write or a WebSocket that a foreign page sends (cross-site forgery).
 */

import type { IncomingMessage } from 'node:http';

export interface GuardOptions {
  /** Host names without port that are served besides those of this machine. `*` serves any name. */
  readonly allowedHosts: readonly string[];
  /** Origins such as `http://localhost:5173` whose pages may write. */
  readonly allowedOrigins: readonly string[];
}

export interface GuardedRequest {
  readonly method: string;
  readonly isUpgrade: boolean;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** The header `Sec-Fetch-Site`, which browsers set and pages cannot. */
  readonly fetchSite: string | undefined;
  /**
   * The header `X-Forwarded-Host`. A page cannot send it to a foreign site, so its presence says that a proxy
   * of ours has looked at the origin already.
   */
  readonly forwardedHost?: string | undefined;
}

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Why a request is refused; undefined for one that is served. */
export function refusalOf(request: GuardedRequest, options: GuardOptions): string | undefined {
  const host = request.host?.toLowerCase() ?? '';
  const name = hostName(host);
  if (name === undefined || !isServed(name, options.allowedHosts)) {
    return `the host name '${host}' is not served here; see allowedHosts in the settings of the router`;
  }
  if (READS.has(request.method) && !request.isUpgrade) return undefined;
  const { origin, fetchSite, forwardedHost } = request;
  if (forwardedHost !== undefined) return undefined;
  if (origin !== undefined) {
    const sameSite = origin.toLowerCase().replace(/^https?:\/\//, '') === host;
    if (sameSite || options.allowedOrigins.includes(origin)) return undefined;
    return `pages of '${origin}' may not change anything here`;
  }
  return fetchSite === 'cross-site'
    ? 'pages of other sites may not change anything here'
    : undefined;
}

/** What the guard looks at in a request of Node's server. */
export function guardedRequest(request: IncomingMessage, isUpgrade: boolean): GuardedRequest {
  const one = (name: string): string | undefined => {
    const value = request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  return {
    method: request.method ?? '',
    isUpgrade,
    host: request.headers.host,
    origin: request.headers.origin,
    fetchSite: one('sec-fetch-site'),
    forwardedHost: one('x-forwarded-host'),
  };
}

/**
 * Why a server that listens on loopback refuses a request; undefined when it serves it, or listens elsewhere.
 * Servers that take upgrades ask before they do; requests are asked about by `createHttpServer`.
 */
export function loopbackRefusal(request: IncomingMessage, isUpgrade: boolean): string | undefined {
  if (!isLoopback(request.socket.localAddress ?? '')) return undefined;
  return refusalOf(guardedRequest(request, isUpgrade), { allowedHosts: [], allowedOrigins: [] });
}

/** True for an address that only this machine can reach. */
function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}

/** The name in a Host header, without the port. */
export function hostName(host: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]@/?#\s]+))(?::\d{1,5})?$/.exec(host);
  return match?.[1] ?? match?.[2]?.replace(/\.$/, '');
}

function isServed(name: string, allowedHosts: readonly string[]): boolean {
  if (name === 'localhost' || name.endsWith('.localhost') || name === '::1') return true;
  if (/^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name)) return true;
  return (
    allowedHosts.includes('*') || allowedHosts.some((allowed) => allowed.toLowerCase() === name)
  );
}
