/**
 * The end of containers that took more than they may, or that give way to others: SIGKILL at once, and the reason as
 * the end of every task in them. The reason is durable before the signal leaves, so that an agent that dies in between
 * still tells it.
 * Source: mesos-kernel §5.10, §6.5; states and texts of the original's isolators and QoS corrections.
 */

import type { ContainerId } from '@dcos/base';
import type { Resource } from '@dcos/wire';
import { log, saveTask, volatileOf, type Context } from './context.ts';
import { destroyExecutor, isCustom } from './custom-executors.ts';
import { endTask } from './ending.ts';
import { executorOfContainer } from './executors.ts';
import { isTerminal, type ForcedEnding, type TaskRecord } from './model.ts';
import { droppedState } from './status-updates.ts';
import { taskTimer } from './timers.ts';

/** Why a container is ended. */
export interface Limitation {
  readonly reason: 'REASON_CONTAINER_LIMITATION_DISK' | 'REASON_CONTAINER_PREEMPTED';
  readonly message: string;
  /** What it was granted of that which it took too much of. */
  readonly resources?: readonly Resource[];
}

/** Ends everything in the run of a task, a task group or an executor. */
export function containerLimited(context: Context, id: ContainerId, limitation: Limitation): void {
  const executor = executorOfContainer(context, id);
  if (isCustom(executor)) {
    if (executor.process.ending !== undefined) return;
    log(context, 'warn', 'container.limited', `${executor.executorId}: ${limitation.message}`);
    destroyExecutor(context, executor, endingFor(context, executor, limitation));
    return;
  }
  for (const task of context.live.values()) {
    const run = task.group?.containerId ?? task.containerId;
    if (run === id && task.executor === undefined && !isTerminal(task.state))
      limitTask(context, task, limitation);
  }
}

function limitTask(context: Context, task: TaskRecord, limitation: Limitation): void {
  // It was told before and is not gone yet.
  if (task.kill?.cause === 'limitation') return;
  const { containerId: id } = task;
  const ending = endingFor(context, task, limitation);
  log(context, 'warn', 'container.limited', `${task.taskId}: ${limitation.message}`);
  if (task.state === 'TASK_STAGING') {
    context.effects.push({ kind: 'abortLaunch', id });
    endTask(context, task, { ...ending, source: 'SOURCE_AGENT' });
    return;
  }
  // Who is being killed already goes at once, and for the reason that was given first.
  const first = task.kill ?? { cause: 'limitation' as const, ending };
  volatileOf(context, id).killDueMs = context.monotonicMs;
  saveTask(context, { ...task, kill: { ...first, deadline: context.now, graceMs: 0 } });
  for (const timer of ['health', 'check'] as const)
    context.effects.push({ kind: 'cancelTimer', id: taskTimer(timer, id) });
  if (task.pid === undefined) return;
  context.effects.push(
    { kind: 'signal', id, signal: 'SIGKILL' },
    { kind: 'timer', id: taskTimer('kill', id), afterMs: context.options.times.killRepeatMs },
  );
}

function endingFor(
  context: Context,
  owner: Pick<TaskRecord, 'frameworkId'>,
  { reason, message, resources }: Limitation,
): ForcedEnding {
  const isAware = droppedState(context, owner) === 'TASK_DROPPED';
  const preempted = isAware ? 'TASK_GONE' : 'TASK_LOST';
  return {
    state: reason === 'REASON_CONTAINER_PREEMPTED' ? preempted : 'TASK_FAILED',
    reason,
    message,
    ...(resources !== undefined && { limitation: { resources } }),
  };
}
