export * from './agent.ts';
export * from './events.ts';
export * from './model.ts';
export * from './options.ts';
export { taskMessage } from './task-view.ts';
export { containerStatusOf } from './status-updates.ts';
