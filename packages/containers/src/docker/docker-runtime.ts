import type { Logger } from '@dcos/base';
import type { ContainerRuntime } from '../runtime.ts';
export interface DockerRuntimeOptions {
  readonly socketPath: string;
  readonly stateRoot: string;
  readonly owner: string;
  readonly hostIp: string;
  readonly logger: Logger;
}
export function createDockerRuntime(_options: DockerRuntimeOptions): ContainerRuntime {
  throw new Error('not yet');
}
