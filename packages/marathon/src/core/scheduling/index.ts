/** What the shell and simulations use of the scheduling half. */

export * from './api-reads.ts';
export * from './bus-events.ts';
export * from './cluster-views.ts';
export type { Command, CommandOf, TaskSelection } from './command.ts';
export * from './deployment.ts';
export * from './effects.ts';
export * from './instance.ts';
export * from './machine.ts';
export * from './probe-answer.ts';
export * from './records.ts';
export * from './restore.ts';
export * from './settings.ts';
export * from './state.ts';
