/**
 * Health checks of tasks. The shell makes one check and reports it; when to check and what a result means
 * is decided here.
 *
 * First check `delay_seconds` after RUNNING, the next ones `interval_seconds` after the previous one ended.
 * Failures within the grace period do not count before the first success. A counted failure is an update
 * with `healthy: false`, `consecutive_failures` of them end the task; a success is told when it is the first
 * or follows a failure. Source: mesos-kernel §6.9.
 */

import type { ContainerId } from '@dcos/base';
import type { HealthCheck } from '@dcos/wire';
import { saveTask, taskOf, volatileOf, type Context } from './context.ts';
import { killTask } from './killing.ts';
import { isTerminal, type TaskRecord } from './model.ts';
import { updateTask } from './status-updates.ts';
import { elapsedSinceStart, taskTimer } from './timers.ts';

/** Schema defaults of HealthCheck, in seconds. */
const DELAY = 15;
const INTERVAL = 10;
const TIMEOUT = 20;
const GRACE = 10;
const FAILURES = 3;
/** Two checks of a task are at least that far apart, whatever the interval says. */
const INTERVAL_MS_MIN = 100;

/** Sets the timer of the first check; after a restart the delay counts from the task's start. */
export function armHealthCheck(context: Context, task: TaskRecord, when: 'first' | 'again'): void {
  const check = task.info.health_check;
  if (check === undefined || task.kill !== undefined) return;
  const delayMs = (check.delay_seconds ?? DELAY) * 1000;
  const elapsedMs = elapsedSinceStart(context, task, when);
  volatileOf(context, task.containerId).startedMs = context.monotonicMs - elapsedMs;
  context.effects.push({
    kind: 'timer',
    id: taskTimer('health', task.containerId),
    afterMs: Math.max(0, delayMs - elapsedMs),
  });
}

/** Time for a check. */
export function healthTimerFired(context: Context, id: ContainerId): void {
  const task = taskOf(context, id);
  const check = task?.info.health_check;
  if (task === undefined || check === undefined || !isCheckable(task)) return;
  const timeoutMs = (check.timeout_seconds ?? TIMEOUT) * 1000;
  context.effects.push({ kind: 'check', task, check, timeoutMs });
}

/** The result of a check. */
export function healthChecked(
  context: Context,
  id: ContainerId,
  result: { readonly healthy: boolean; readonly message: string },
): void {
  const task = taskOf(context, id);
  const check = task?.info.health_check;
  if (task === undefined || check === undefined || !isCheckable(task)) return;
  const volatile = volatileOf(context, id);
  if (result.healthy) {
    volatile.failures = 0;
    if (task.healthy !== true) report(context, task, true, result.message);
  } else if (counts(context, task, check)) {
    volatile.failures += 1;
    const reported = report(context, task, false, result.message);
    if (volatile.failures >= (check.consecutive_failures ?? FAILURES)) {
      killTask(context, reported, 'unhealthy');
      return;
    }
  }
  const intervalMs = Math.max((check.interval_seconds ?? INTERVAL) * 1000, INTERVAL_MS_MIN);
  context.effects.push({ kind: 'timer', id: taskTimer('health', id), afterMs: intervalMs });
}

function isCheckable(task: TaskRecord): boolean {
  return !isTerminal(task.state) && task.kill === undefined && task.startedAt !== undefined;
}

function counts(context: Context, task: TaskRecord, check: HealthCheck): boolean {
  if (task.healthy !== undefined) return true;
  const graceMs = (check.grace_period_seconds ?? GRACE) * 1000;
  const { startedMs = context.monotonicMs } = volatileOf(context, task.containerId);
  return context.monotonicMs - startedMs > graceMs;
}

function report(context: Context, task: TaskRecord, healthy: boolean, message: string): TaskRecord {
  const next: TaskRecord = { ...task, healthy };
  if (task.state !== 'TASK_RUNNING') {
    saveTask(context, next);
    return next;
  }
  return updateTask(context, next, {
    state: 'TASK_RUNNING',
    reason: 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED',
    healthy,
    checkStatus: volatileOf(context, task.containerId).checkStatus,
    ...(healthy ? {} : { message }),
  });
}
