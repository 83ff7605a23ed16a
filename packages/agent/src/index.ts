export * from './config.ts';
export { MESOS_VERSION, startAgent, type RunningAgent } from './shell/start-agent.ts';
