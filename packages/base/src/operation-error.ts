/**
 * The error of things that may go wrong in operation. A person or a caller can act on it; a bug is an
 * assertion instead. Checks across package borders compare `code`, never the class.
 */

import type { JsonValue } from './json.ts';

export type Retry = 'never' | 'now' | 'later';

export interface OperationErrorOptions {
  /** Whether the same call may succeed when repeated. */
  readonly retry?: Retry;
  readonly details?: Readonly<Record<string, JsonValue>>;
  readonly cause?: unknown;
}

/** An expected failure with a stable, documented code such as `STORE_CONFLICT`. */
export class OperationError extends Error {
  override readonly name = 'OperationError';
  readonly code: string;
  readonly retry: Retry;
  readonly details: Readonly<Record<string, JsonValue>>;

  constructor(code: string, message: string, options: OperationErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retry = options.retry ?? 'never';
    this.details = options.details ?? {};
  }
}

/** The code of an error of this kind, whichever copy of the class made it; undefined for others. */
export function operationErrorCode(error: unknown): string | undefined {
  if (error instanceof Error && error.name === 'OperationError' && 'code' in error) {
    return typeof error.code === 'string' ? error.code : undefined;
  }
  return undefined;
}

/** The text of anything thrown, with its causes, for a log line or a person. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${errorText(error.cause)}`;
}
