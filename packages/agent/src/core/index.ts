export * from './agent.ts';
export * from './events.ts';
export type { ExecutorAnswer, ExecutorCallId } from './executor-calls.ts';
export {
  ENDED_SESSIONS_MAX,
  LAUNCHED_MAX,
  type CallId,
  type ContainerAnswer,
  type ContainerCall,
} from './launched-containers.ts';
export { gpusOf } from './gpus.ts';
export type { Limitation } from './limitations.ts';
export * from './estimators.ts';
export * from './model.ts';
export * from './options.ts';
export type { ReconfigurationPolicy } from './reconfiguration.ts';
export { taskMessage } from './task-view.ts';
export { containerStatusOf } from './status-updates.ts';
