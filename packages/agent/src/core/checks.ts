/**
 * Checks of tasks (`TaskInfo.check`): the shell asks, and every change of the answer is told to the
 * framework, which alone knows what it means. A task with a check has a check status in each of its
 * statuses, empty where there is no answer to tell. Source: mesos-kernel §6.9.
 */

import type { ContainerId } from '@dcos/base';
import type { CheckInfo, CheckStatusInfo } from '@dcos/wire';
import { taskOf, volatileOf, type Context } from './context.ts';
import { isTerminal, type TaskRecord } from './model.ts';
import { updateTask } from './status-updates.ts';
import { elapsedSinceStart, taskTimer } from './timers.ts';

/** Schema defaults of CheckInfo, in seconds. */
const DELAY = 15;
const INTERVAL = 10;
const TIMEOUT = 20;
/** Two checks of a task are at least that far apart, whatever the interval says. */
const INTERVAL_MS_MIN = 100;

/** Sets the timer of the first check; after a restart the delay counts from the task's start. */
export function armCheck(context: Context, task: TaskRecord, when: 'first' | 'again'): void {
  const { check } = task.info;
  if (check === undefined || task.kill !== undefined) return;
  const elapsedMs = elapsedSinceStart(context, task, when);
  const afterMs = Math.max(0, (check.delay_seconds ?? DELAY) * 1000 - elapsedMs);
  context.effects.push({ kind: 'timer', id: taskTimer('check', task.containerId), afterMs });
}

/** Time for a check. */
export function checkTimerFired(context: Context, id: ContainerId): void {
  const task = taskOf(context, id);
  const check = task?.info.check;
  if (task === undefined || check === undefined || !isCheckable(task)) return;
  const timeoutMs = (check.timeout_seconds ?? TIMEOUT) * 1000;
  context.effects.push({ kind: 'probe', task, check, timeoutMs });
}

/** The answer to a check. */
export function checkProbed(context: Context, id: ContainerId, status: CheckStatusInfo): void {
  const task = taskOf(context, id);
  const check = task?.info.check;
  if (task === undefined || check === undefined || !isCheckable(task)) return;
  const volatile = volatileOf(context, id);
  if (!isSame(volatile.checkStatus, status) && task.state === 'TASK_RUNNING') {
    volatile.checkStatus = status;
    updateTask(context, task, {
      state: 'TASK_RUNNING',
      reason: 'REASON_TASK_CHECK_STATUS_UPDATED',
      healthy: task.healthy,
      checkStatus: status,
    });
  }
  const intervalMs = Math.max((check.interval_seconds ?? INTERVAL) * 1000, INTERVAL_MS_MIN);
  context.effects.push({ kind: 'timer', id: taskTimer('check', id), afterMs: intervalMs });
}

function isCheckable(task: TaskRecord): boolean {
  return !isTerminal(task.state) && task.kill === undefined && task.startedAt !== undefined;
}

function isSame(known: CheckStatusInfo | undefined, status: CheckStatusInfo): boolean {
  return (
    known?.command?.exit_code === status.command?.exit_code &&
    known?.http?.status_code === status.http?.status_code &&
    known?.tcp?.succeeded === status.tcp?.succeeded &&
    known !== undefined
  );
}

/** The check status of a task that has none to tell. */
export function noCheckStatus({ type }: CheckInfo): CheckStatusInfo {
  switch (type) {
    case 'COMMAND':
      return { type, command: {} };
    case 'HTTP':
      return { type, http: {} };
    case 'TCP':
      return { type, tcp: {} };
    default:
      return {};
  }
}
