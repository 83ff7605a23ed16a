/**
 * Codes of the errors that runtimes throw.
 *
 * | code | meaning | retry |
 * |---|---|---|
 * | CONTAINER_INVALID | the description asks for something that cannot be, or is not supported | never |
 * | CONTAINER_UNKNOWN | no container of that id in this runtime | never |
 * | CONTAINER_LAUNCH_FAILED | the image, the program or the host refused | never |
 * | RUNTIME_UNAVAILABLE | the engine does not answer | later |
 */

import { OperationError, type Retry } from '@dcos/base';

export type ContainerErrorCode =
  | 'CONTAINER_INVALID'
  | 'CONTAINER_UNKNOWN'
  | 'CONTAINER_LAUNCH_FAILED'
  | 'RUNTIME_UNAVAILABLE';

const RETRY: { readonly [code in ContainerErrorCode]: Retry } = {
  CONTAINER_INVALID: 'never',
  CONTAINER_UNKNOWN: 'never',
  CONTAINER_LAUNCH_FAILED: 'never',
  RUNTIME_UNAVAILABLE: 'later',
};

/** Makes an error of this package. */
export function containerError(
  code: ContainerErrorCode,
  message: string,
  cause?: unknown,
): OperationError {
  return new OperationError(code, message, { retry: RETRY[code], cause });
}
