/** Codes of the errors that this provider reports. */

import { OperationError, type JsonValue } from '@dcos/base';

export type AwsErrorCode =
  /** EC2 answered a request with an error that repeating does not change, or repeats were used up; `details.code` is EC2's. */
  | 'AWS_REFUSED'
  /** Nobody knows whether a request was carried out; what exists is looked at again, and this is thrown when that never ended. */
  | 'AWS_UNCLEAR'
  /** EC2 says that something exists which it does not show. */
  | 'AWS_VIEW_STALE'
  /** No zone has room for an instance. */
  | 'AWS_NO_CAPACITY'
  /** No image of this owner and name, zone or type of instance. */
  | 'AWS_NOT_OFFERED'
  /** What the settings ask for cannot be reached from what exists; `details.problems` has all. */
  | 'AWS_PLAN'
  /** The private key of the hosts is not here, or is of somebody else. */
  | 'AWS_KEY'
  /** A host ended or did not start in time. */
  | 'AWS_HOST_FAILED'
  /** Something stays although all was done; `details.left` names it. */
  | 'AWS_NOT_CONVERGED'
  /** The run was told to stop. */
  | 'AWS_STOPPED';

/** An error with one of our codes. */
export function awsError(
  code: AwsErrorCode,
  message: string,
  options: {
    readonly cause?: unknown;
    readonly details?: Readonly<Record<string, JsonValue>>;
  } = {},
): OperationError {
  return new OperationError(code, message, options);
}

/** EC2's own code of an error: `InvalidVpcID.NotFound`, `ECONNREFUSED`; empty for errors that have none. */
export function ec2Code(error: unknown): string {
  if (!(error instanceof Error)) return '';
  // Of the connection; several addresses that were tried in vain are one error of theirs.
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.name;
}
