export interface DockerRuntimeOptions {
  readonly socketPath?: string;
}
export function createDockerRuntime(_options: DockerRuntimeOptions): never {
  throw new Error('x');
}
