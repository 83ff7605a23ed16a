/**
 * Task groups (pods): the agent itself is their executor, so that a group costs no process beside its
 * tasks. Tasks of a group are started together; when one is killed or fails, the others are killed; one
 * that finishes leaves them alone. The executor is there while it has tasks, and its end is told.
 * Source: mesos-kernel §6.8.
 */

import {
  containerId,
  executorId,
  frameworkId as toFrameworkId,
  idProblem,
  randomUuid,
  type ExecutorId,
  type FrameworkId,
} from '@dcos/base';
import type { agentProtocol, ExecutorInfo, KillPolicy, TaskInfo } from '@dcos/wire';
import { log, type Context } from './context.ts';
import { killTask } from './killing.ts';
import { beginTasks, dropTask, refusalOf } from './launching.ts';
import { isTerminal, taskKey, type ExecutorRecord, type TaskRecord } from './model.ts';
import { EXECUTOR_PREFIX, executorToJson } from './records.ts';
import type { UpdateFields } from './status-updates.ts';

/** RUN_TASK_GROUP: all tasks, or none of them. */
export function runTaskGroup(
  context: Context,
  { framework_info, executor, task_group, launch_executor }: agentProtocol.RunTaskGroup,
): void {
  const frameworkText = framework_info.id?.value ?? '';
  const tasks = task_group.tasks ?? [];
  const ids = [
    frameworkText,
    executor.executor_id.value,
    ...tasks.map(({ task_id }) => task_id.value),
  ];
  const impossible = ids.map(idProblem).find((problem) => problem !== undefined);
  if (impossible !== undefined) {
    log(context, 'error', 'task.refused', `task group with an impossible id: ${impossible}`);
    return;
  }
  const frameworkId = toFrameworkId(frameworkText);
  const here = tasks.find(({ task_id }) => context.live.has(taskKey(frameworkId, task_id.value)));
  if (here !== undefined) {
    log(context, 'warn', 'task.ignored', `task ${here.task_id.value} is already here`);
    return;
  }
  const key = executorKey(frameworkId, executorId(executor.executor_id.value));
  const isMissing = launch_executor === false && !context.executors.has(key);
  const refusal = isMissing ? EXECUTOR_ENDED : groupRefusal(context, executor, tasks);
  if (refusal !== undefined) {
    for (const task of tasks) dropTask(context, framework_info, task, refusal);
    return;
  }
  const record = ensureExecutor(context, frameworkId, executor);
  const group = {
    executorId: record.executorId,
    containerId: record.containerId,
    groupId: randomUuid(context.random),
  };
  beginTasks(context, framework_info, tasks, group);
}

/** The master counts on an executor of whose end it has not heard yet: nothing is accounted for a new one. */
const EXECUTOR_ENDED: UpdateFields = {
  state: 'TASK_DROPPED',
  reason: 'REASON_EXECUTOR_TERMINATED',
  message: 'The executor of the task group has ended',
};

function groupRefusal(
  context: Context,
  executor: ExecutorInfo,
  tasks: readonly TaskInfo[],
): UpdateFields | undefined {
  const invalid = (message: string): UpdateFields => ({
    state: 'TASK_ERROR',
    reason: 'REASON_TASK_GROUP_INVALID',
    message,
  });
  if (executor.type !== 'DEFAULT')
    return invalid('Task groups of custom executors are not supported yet');
  const { runtimes } = context.options;
  const networks = executor.container?.network_infos ?? [];
  if (networks.length > 0 && !runtimes.has('oci'))
    return invalid("Networks of task groups need the runtime 'oci'");
  for (const task of tasks) {
    if (task.container?.mesos?.image !== undefined && !runtimes.has('oci'))
      return invalid(`Task '${task.task_id.value}': images in task groups need the runtime 'oci'`);
    const refusal = refusalOf(context, task);
    if (refusal !== undefined) {
      const message = `Task '${task.task_id.value}' of the group: ${refusal.message ?? ''}`;
      return { ...refusal, message };
    }
  }
  return undefined;
}

function executorKey(framework: FrameworkId, executor: ExecutorId): string {
  return `${framework}/${executor}`;
}

function ensureExecutor(
  context: Context,
  frameworkId: FrameworkId,
  info: ExecutorInfo,
): ExecutorRecord {
  const id = executorId(info.executor_id.value);
  const key = executorKey(frameworkId, id);
  const known = context.executors.get(key);
  if (known !== undefined) return known;
  const record: ExecutorRecord = {
    frameworkId,
    executorId: id,
    containerId: containerId(randomUuid(context.random)),
    info,
  };
  context.executors.set(key, record);
  context.effects.push({
    kind: 'persist',
    key: EXECUTOR_PREFIX + record.containerId,
    value: executorToJson(record),
  });
  return record;
}

/** Those that live and die with the task, itself included; of a task without group only itself. */
function membersOf(context: Context, task: TaskRecord): readonly TaskRecord[] {
  const { group } = task;
  if (group === undefined) return [task];
  return [...context.live.values()].filter((other) => other.group?.groupId === group.groupId);
}

/** KILL_TASK: a task of a group takes the group along. */
export function killWithGroup(
  context: Context,
  task: TaskRecord,
  policy: KillPolicy | undefined,
): void {
  for (const member of membersOf(context, task)) killTask(context, member, 'request', policy);
}

/** A task ended: unless it finished, the rest of its group ends too. */
export function groupEnded(context: Context, ended: TaskRecord): void {
  if (ended.group === undefined || ended.state === 'TASK_FINISHED') return;
  for (const member of membersOf(context, ended)) {
    if (!isTerminal(member.state)) killTask(context, member, 'request');
  }
}

/** The last task of an executor is over and acknowledged: so is the executor. */
export function endIdleExecutors(context: Context): void {
  if (context.executors.size === 0) return;
  const busy = new Set(
    Array.from(context.live.values(), ({ frameworkId, group }) =>
      group === undefined ? '' : executorKey(frameworkId, group.executorId),
    ),
  );
  for (const [key, { frameworkId, executorId: id, containerId: container }] of context.executors) {
    if (busy.has(key)) continue;
    context.executors.delete(key);
    context.effects.push({ kind: 'persist', key: EXECUTOR_PREFIX + container, value: undefined });
    if (context.phase !== 'registered') continue;
    context.effects.push({
      kind: 'send',
      message: {
        type: 'EXECUTOR_EXITED',
        executor_exited: {
          framework_id: { value: frameworkId },
          executor_id: { value: id },
          status: 0,
        },
      },
    });
  }
}
