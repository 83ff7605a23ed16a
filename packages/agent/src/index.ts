export * from './config.ts';
export { MESOS_VERSION } from './shell/agent-parts.ts';
export { startAgent, type RunningAgent, type StartOptions } from './shell/start-agent.ts';
export type { SecretResolver } from './shell/secrets.ts';
