/**
 * Codes of the errors that this command reports. All of them end it with exit code 1.
 */

import { OperationError } from '@dcos/base';
import type { Result } from '@dcos/base';

export type CliErrorCode =
  /** The words on the command line make no sense. */
  | 'CLI_USAGE'
  /** No cluster is configured, or none of that name. */
  | 'CLI_NOT_CONFIGURED'
  /** A file or standard input holds something else than what is needed. */
  | 'CLI_INPUT'
  /** A question was answered with no. */
  | 'CLI_REFUSED'
  /** No connection, or it broke. */
  | 'CLI_UNREACHABLE'
  /** The certificate of the server is signed by an authority that is not trusted. */
  | 'CLI_UNTRUSTED'
  /** The time limit `core.timeout` passed. */
  | 'CLI_TIMEOUT'
  /** The server answered with a status that reports a failure. */
  | 'CLI_HTTP_STATUS'
  /** The server answered with something else than what the command needs. */
  | 'CLI_BAD_REPLY'
  /** A log stream broke more often than is worth trying. */
  | 'CLI_STREAM_LOST'
  /** Something that was asked for does not exist. */
  | 'CLI_NOT_FOUND'
  /** A known command of the original that this version does not have. */
  | 'CLI_NOT_THERE_YET';

/** An error with one of our codes. */
export function cliError(
  code: CliErrorCode,
  message: string,
  options: { readonly cause?: unknown; readonly status?: number } = {},
): OperationError {
  return new OperationError(code, message, {
    ...(options.cause === undefined ? {} : { cause: options.cause }),
    ...(options.status === undefined ? {} : { details: { status: options.status } }),
  });
}

/** The value, or the error thrown with this code. */
export function orThrow<T>(result: Result<T, string>, code: CliErrorCode): T {
  if (result.ok) return result.value;
  throw cliError(code, result.error);
}
