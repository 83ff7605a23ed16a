/** What can be wrong with a release. */

import { OperationError } from '@dcos/base';

/**
 * - `RELEASE_UNREADABLE`: the file is not there, or no archive of ours
 * - `RELEASE_UNTRUSTED`: not signed with one of the trusted keys
 * - `RELEASE_DAMAGED`: a file is not what the manifest says; the message names it
 * - `RELEASE_OF_ANOTHER_INSTALLER`: it brings another ZooKeeper than the units of this installer start
 * - `RELEASE_TARGET`: the folder to extract into is there already, or cannot be written
 */
export type ReleaseErrorCode =
  | 'RELEASE_UNREADABLE'
  | 'RELEASE_UNTRUSTED'
  | 'RELEASE_DAMAGED'
  | 'RELEASE_OF_ANOTHER_INSTALLER'
  | 'RELEASE_TARGET';

export function releaseError(
  code: ReleaseErrorCode,
  message: string,
  cause?: unknown,
): OperationError {
  return new OperationError(code, message, { retry: 'never', cause });
}
