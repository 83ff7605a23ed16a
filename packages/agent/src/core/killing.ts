/**
 * Ending tasks: on request, for failing health checks, for running too long, with their framework, with
 * the agent. SIGTERM, a grace, then SIGKILL until the container is gone.
 */

import type { ContainerId } from '@dcos/base';
import type { KillPolicy } from '@dcos/wire';
import { hasCapability, saveTask, taskOf, volatileOf, type Context } from './context.ts';
import { killInExecutor } from './custom-executors.ts';
import { endTask } from './ending.ts';
import { isTerminal, type KillCause, type TaskRecord } from './model.ts';
import { updateTask } from './status-updates.ts';
import { taskTimer } from './timers.ts';

/** Grace of a kill: the request's policy, else the task's, else the default. */
export function graceOf(
  context: Context,
  task: TaskRecord,
  policy: KillPolicy | undefined,
): number {
  const grace = policy?.grace_period ?? task.info.kill_policy?.grace_period;
  return grace === undefined
    ? context.options.times.killGraceMs
    : Math.max(0, grace.nanoseconds / 1e6);
}

/** Begins to end a task. A second request may bring the end forward, never put it off. */
export function killTask(
  context: Context,
  { containerId: id }: TaskRecord,
  cause: KillCause,
  policy?: KillPolicy,
): void {
  // The end of one task may have ended others of its group: what the caller holds may be old.
  const task = taskOf(context, id);
  if (task === undefined || isTerminal(task.state)) return;
  if (task.executor !== undefined) {
    killInExecutor(context, task, cause, policy);
    return;
  }
  const graceMs = graceOf(context, task, policy);
  const deadline = context.now + graceMs;
  const dueMs = context.monotonicMs + graceMs;
  const volatile = volatileOf(context, id);
  if (task.kill !== undefined) {
    if (dueMs >= killDueMs(context, task)) return;
    volatile.killDueMs = dueMs;
    const sooner: TaskRecord = { ...task, kill: { ...task.kill, deadline, graceMs } };
    saveTask(context, sooner);
    if (sooner.pid !== undefined) armKillTimer(context, sooner);
    return;
  }
  if (task.state === 'TASK_STAGING') {
    context.effects.push({ kind: 'abortLaunch', id: task.containerId });
    endTask(context, task, {
      state: 'TASK_KILLED',
      source: 'SOURCE_AGENT',
      reason: 'REASON_TASK_KILLED_DURING_LAUNCH',
      message: 'Task was killed before its container was started',
    });
    return;
  }
  volatile.killDueMs = dueMs;
  let dying: TaskRecord = { ...task, kill: { cause, deadline, graceMs } };
  // As in the original, a task that ran too long fails without having been killing.
  const tells = hasCapability(context, task.frameworkId, 'TASK_KILLING_STATE');
  if (tells && cause !== 'maxCompletionTime') {
    dying = updateTask(context, dying, {
      state: 'TASK_KILLING',
      reason: cause === 'drain' ? 'REASON_AGENT_DRAINING' : undefined,
    });
  } else {
    saveTask(context, dying);
  }
  for (const timer of ['health', 'check'] as const)
    context.effects.push({ kind: 'cancelTimer', id: taskTimer(timer, task.containerId) });
  if (dying.pid !== undefined) sendKillSignal(context, dying);
}

/** SIGTERM, and the timer of what follows. */
export function sendKillSignal(context: Context, task: TaskRecord): void {
  context.effects.push({ kind: 'signal', id: task.containerId, signal: 'SIGTERM' });
  armKillTimer(context, task);
}

function armKillTimer(context: Context, task: TaskRecord): void {
  context.effects.push({
    kind: 'timer',
    id: taskTimer('kill', task.containerId),
    afterMs: Math.max(0, killDueMs(context, task) - context.monotonicMs),
  });
}

/**
 * When SIGKILL is due. After a restart the record says it by the wall clock, which may have been set since: the
 * grace that was given bounds the wait.
 */
function killDueMs(context: Context, { containerId: id, kill }: TaskRecord): number {
  const volatile = volatileOf(context, id);
  if (volatile.killDueMs === undefined) {
    const leftMs = Math.max(0, (kill?.deadline ?? context.now) - context.now);
    volatile.killDueMs = context.monotonicMs + Math.min(leftMs, kill?.graceMs ?? leftMs);
  }
  return volatile.killDueMs;
}

/** The grace is over. */
export function killTimerFired(context: Context, id: ContainerId): void {
  const task = taskOf(context, id);
  if (task === undefined || isTerminal(task.state)) return;
  context.effects.push(
    { kind: 'signal', id, signal: 'SIGKILL' },
    { kind: 'timer', id: taskTimer('kill', id), afterMs: context.options.times.killRepeatMs },
  );
}

/** The task ran as long as it may. */
export function completionTimerFired(context: Context, id: ContainerId): void {
  const task = taskOf(context, id);
  if (task !== undefined) killTask(context, task, 'maxCompletionTime');
}
