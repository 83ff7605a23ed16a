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
  type FrameworkId,
} from '@dcos/base';
import type { agentProtocol, ExecutorInfo, KillPolicy, TaskInfo } from '@dcos/wire';
import { log, type Context } from './context.ts';
import { EXECUTOR_ENDED, runInExecutor } from './custom-executors.ts';
import { findExecutor, removeExecutor, saveExecutor } from './executors.ts';
import { gpuRefusal } from './gpus.ts';
import { killTask } from './killing.ts';
import { beginTasks, dropTask, refusalOf } from './launching.ts';
import { executorKey, isTerminal, taskKey, type ExecutorRecord, type TaskRecord } from './model.ts';
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
  if (executor.type !== 'DEFAULT') {
    const mayStart = launch_executor;
    runInExecutor(context, {
      framework: framework_info,
      executor,
      tasks,
      isGroup: true,
      mayStart,
    });
    return;
  }
  const known = findExecutor(context, frameworkId, executor.executor_id.value);
  const isMissing = launch_executor === false && known === undefined;
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
  const { runtimes } = context.options;
  const networks = executor.container?.network_infos ?? [];
  if (networks.length > 0 && !runtimes.has('oci'))
    return invalid("Networks of task groups need the runtime 'oci'");
  for (const task of tasks) {
    const own = task.executor?.executor_id.value;
    if (own !== undefined && own !== executor.executor_id.value)
      return invalid(`Task '${task.task_id.value}' names an executor that is not the group's`);
    if (task.container?.mesos?.image !== undefined && !runtimes.has('oci'))
      return invalid(`Task '${task.task_id.value}': images in task groups need the runtime 'oci'`);
    const refusal = refusalOf(context, task);
    if (refusal !== undefined) {
      const message = `Task '${task.task_id.value}' of the group: ${refusal.message ?? ''}`;
      return { ...refusal, message };
    }
  }
  return gpuRefusal(
    context,
    tasks.flatMap(({ resources = [] }) => resources),
  );
}

function ensureExecutor(
  context: Context,
  frameworkId: FrameworkId,
  info: ExecutorInfo,
): ExecutorRecord {
  const id = executorId(info.executor_id.value);
  const known = findExecutor(context, frameworkId, id);
  if (known !== undefined) return known;
  const record: ExecutorRecord = {
    frameworkId,
    executorId: id,
    containerId: containerId(randomUuid(context.random)),
    info,
  };
  saveExecutor(context, record);
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
  for (const [key, record] of context.executors)
    if (record.process === undefined && !busy.has(key)) removeExecutor(context, record, 0);
}
