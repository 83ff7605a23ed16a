/** Errors of the engine's API, and what they are to a caller of the runtime. */

import { containerError } from '../errors.ts';

/** True for an answer of the engine with one of these statuses. */
export function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return false;
  return statuses.some((status) => status === error.statusCode);
}

/** The engine's own words, without the HTTP around them. */
export function engineError(what: string, error: unknown): ReturnType<typeof containerError> {
  const { json } = (error ?? {}) as { readonly json?: { readonly message?: string } };
  const words = json?.message;
  return words === undefined
    ? containerError('CONTAINER_LAUNCH_FAILED', what, error)
    : containerError('CONTAINER_LAUNCH_FAILED', `${what}: ${words}`);
}
