/**
 * The executors that are here: those of task groups, whose part the agent plays, and those that frameworks
 * brought, which are programs in containers of their own. This is their bookkeeping; what they do is in
 * `task-groups.ts`, `custom-executors.ts` and `executor-calls.ts`.
 *
 * Invariant: the master is told of an executor's end once, at once or by the next registration.
 */

import type { ContainerId, ExecutorId, FrameworkId } from '@dcos/base';
import { withoutSecrets } from '@dcos/wire';
import type { Context } from './context.ts';
import { executorKey, type ExecutorRecord, type TaskRecord } from './model.ts';
import { EXECUTOR_PREFIX, executorToJson } from './records.ts';

/** Ended executors that are remembered of each framework. */
export const COMPLETED_EXECUTORS_MAX = 150;

/** The one of that id which the framework has here. */
export function findExecutor(
  context: Context,
  frameworkId: string,
  executorId: string,
): ExecutorRecord | undefined {
  return context.executors.get(executorKey(frameworkId, executorId));
}

/** The executor whose container that is. */
export function executorOfContainer(context: Context, id: ContainerId): ExecutorRecord | undefined {
  const key = context.executorByContainer.get(id);
  return key === undefined ? undefined : context.executors.get(key);
}

/** Records an executor, durably. */
export function saveExecutor(context: Context, record: ExecutorRecord): void {
  adoptExecutor(context, record);
  persistExecutor(context, record.containerId, record);
}

/** Takes one into memory only. */
export function adoptExecutor(context: Context, record: ExecutorRecord): void {
  if (record.process?.state === 'terminated') {
    context.completedExecutors.set(record.containerId, record);
    return;
  }
  const key = executorKey(record.frameworkId, record.executorId);
  context.executors.set(key, record);
  context.executorByContainer.set(record.containerId, key);
}

function persistExecutor(
  context: Context,
  id: ContainerId,
  record: ExecutorRecord | undefined,
): void {
  const value = record === undefined ? undefined : executorToJson(record);
  context.effects.push({ kind: 'persist', key: EXECUTOR_PREFIX + id, value });
}

/** It has ended: its master hears of it. `status` is that of wait(2), -1 when nobody knows. */
export function removeExecutor(context: Context, record: ExecutorRecord, status: number): void {
  const { frameworkId, executorId, containerId } = record;
  context.executors.delete(executorKey(frameworkId, executorId));
  context.executorByContainer.delete(containerId);
  if (record.process === undefined) persistExecutor(context, containerId, undefined);
  else keepCompleted(context, record);
  tellExited(context, frameworkId, executorId, status);
}

function keepCompleted(context: Context, record: ExecutorRecord): void {
  saveExecutor(context, { ...record, info: withoutSecrets(record.info) });
  const own = [...context.completedExecutors.values()].filter(
    ({ frameworkId }) => frameworkId === record.frameworkId,
  );
  for (const oldest of own.slice(0, Math.max(0, own.length - COMPLETED_EXECUTORS_MAX)))
    forgetExecutor(context, oldest.containerId);
}

/** Drops an executor that has ended. */
export function forgetExecutor(context: Context, id: ContainerId): void {
  if (context.completedExecutors.delete(id)) persistExecutor(context, id, undefined);
}

/** Drops all that have ended of a framework that is forgotten. */
export function forgetExecutorsOf(context: Context, frameworkId: FrameworkId): void {
  for (const record of context.completedExecutors.values())
    if (record.frameworkId === frameworkId) forgetExecutor(context, record.containerId);
}

/** Tells that an executor is no more, or never was. */
export function tellExited(
  context: Context,
  frameworkId: FrameworkId,
  executorId: ExecutorId,
  status: number,
): void {
  // A registration lists the executors that are here: the master misses the others.
  if (context.phase !== 'registered') return;
  context.effects.push({
    kind: 'send',
    message: {
      type: 'EXECUTOR_EXITED',
      executor_exited: {
        framework_id: { value: frameworkId },
        executor_id: { value: executorId },
        status,
      },
    },
  });
}

/** Tasks that were given to an executor and have not ended and been acknowledged. */
export function tasksOfExecutor(
  context: Context,
  { containerId }: ExecutorRecord,
): readonly TaskRecord[] {
  return [...context.live.values()].filter(({ executor }) => executor?.containerId === containerId);
}
