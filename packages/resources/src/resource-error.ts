/** Resources from outside that cannot be. Those who answer a client validate first and never see it. */

import { OperationError } from '@dcos/base';

/** Code `RESOURCES_INVALID`; the message names the resource and what is wrong with it. */
export class ResourceError extends OperationError {
  constructor(problem: string) {
    super('RESOURCES_INVALID', problem);
  }
}
