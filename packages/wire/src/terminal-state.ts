/** States of tasks that are final. Source: the original's state machine; a task never leaves them. */

import type { TaskState } from './generated/mesos.ts';

const TERMINAL: ReadonlySet<TaskState> = new Set<TaskState>([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_LOST',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
]);

/** True when no other state can follow and the task holds no resources. */
export function isTerminal(state: TaskState): boolean {
  return TERMINAL.has(state);
}
