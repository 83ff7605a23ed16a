export * from './errors.ts';
export * from './follow-file.ts';
export * from './rotate-output.ts';
export * from './runtime.ts';
export * from './session.ts';
export { createProcessRuntime, type ProcessRuntimeOptions } from './process/process-runtime.ts';
export { createDockerRuntime, type DockerRuntimeOptions } from './docker/docker-runtime.ts';
export { createOciRuntime, type OciRuntimeOptions } from './oci/oci-runtime.ts';
export { accountOf, type Account } from './process/accounts.ts';
