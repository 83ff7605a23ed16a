/** The end of a task that was launched: its last update, its timers, its container. */

import { volatileOf, type Context } from './context.ts';
import { completeTask, stopWhenIdle } from './completion.ts';
import { groupEnded } from './task-groups.ts';
import { surroundingsEnded } from './launched-containers.ts';
import type { TaskRecord } from './model.ts';
import { updateTask, type UpdateFields } from './status-updates.ts';
import { taskTimer, type TaskTimer } from './timers.ts';

const TIMERS_OF_A_RUN: readonly TaskTimer[] = ['kill', 'health', 'check', 'completion'];

/** The last update of a task, and the end of everything that was set up for it. */
export function endTask(context: Context, task: TaskRecord, fields: UpdateFields): void {
  finishTask(context, updateTask(context, task, fields));
}

/** The end of everything that was set up for a task whose last update is recorded. */
export function finishTask(context: Context, ended: TaskRecord): void {
  for (const timer of TIMERS_OF_A_RUN) {
    context.effects.push({ kind: 'cancelTimer', id: taskTimer(timer, ended.containerId) });
  }
  const volatile = volatileOf(context, ended.containerId);
  // The container of an executor's task is its executor's.
  if (!volatile.released && ended.executor === undefined) {
    volatile.released = true;
    context.effects.push({ kind: 'release', task: ended });
  }
  if (ended.updates.length === 0) completeTask(context, ended);
  surroundingsEnded(context, ended.containerId);
  groupEnded(context, ended);
  stopWhenIdle(context);
}
