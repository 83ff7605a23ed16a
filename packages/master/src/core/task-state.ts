/**
 * States of tasks: which are final, and what a framework that does not know partitions sees instead.
 * Source: the original's state machine; states only move forward, and a final one stays.
 */

import type { TaskState } from '@dcos/wire';

export { isTerminal } from '@dcos/wire';

const PARTITION_AWARE_ONLY: ReadonlySet<TaskState> = new Set<TaskState>([
  'TASK_UNREACHABLE',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
  'TASK_UNKNOWN',
]);

/** The state that a framework with these capabilities is told. */
export function stateFor(capabilities: ReadonlySet<string>, state: TaskState): TaskState {
  return PARTITION_AWARE_ONLY.has(state) && !capabilities.has('PARTITION_AWARE')
    ? 'TASK_LOST'
    : state;
}
