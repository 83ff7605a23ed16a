/**
 * From RUN_TASK to a running container: refusal of what cannot be run, launch, start, failed launch.
 * Source: mesos-kernel §6.2, §6.8; messages as recorded.
 */

import {
  containerId,
  frameworkId as toFrameworkId,
  idProblem,
  randomUuid,
  taskId as toTaskId,
  type ContainerId,
} from '@dcos/base';
import type { agentProtocol, ExecutorInfo, FrameworkInfo, TaskInfo } from '@dcos/wire';
import { shortage } from './accounting.ts';
import { armCheck } from './checks.ts';
import { log, saveFramework, saveTask, taskOf, type Context } from './context.ts';
import { gpuRefusal, takeGpus } from './gpus.ts';
import { armHealthCheck } from './health.ts';
import { runInExecutor } from './custom-executors.ts';
import { endTask } from './ending.ts';
import { sendKillSignal } from './killing.ts';
import {
  isTerminal,
  taskKey,
  type RuntimeName,
  type StartedTask,
  type TaskGroup,
  type TaskRecord,
} from './model.ts';
import { given } from './records.ts';
import { droppedState, updateTask, type UpdateFields } from './status-updates.ts';
import { elapsedSinceStart, taskTimer } from './timers.ts';

/** Takes a task from the master. */
export function runTask(
  context: Context,
  { framework_info, task: info, launch_executor }: agentProtocol.RunTask,
): void {
  const frameworkText = framework_info.id?.value ?? '';
  const problem = idProblem(frameworkText) ?? idProblem(info.task_id.value);
  if (problem !== undefined) {
    // Such an id can name no directory, so nothing about it can be recorded; the master never sends one.
    log(context, 'error', 'task.refused', `task with an impossible id: ${problem}`);
    return;
  }
  const frameworkId = toFrameworkId(frameworkText);
  const taskId = toTaskId(info.task_id.value);
  if (context.live.has(taskKey(frameworkId, taskId))) {
    log(context, 'warn', 'task.ignored', `task ${taskId} is already here`);
    return;
  }
  const known = context.frameworks.get(frameworkId);
  if (known?.terminating === true) {
    log(context, 'warn', 'task.ignored', `framework ${frameworkId} is being shut down`);
    return;
  }
  const { executor } = info;
  if (executor !== undefined) {
    const executorIdProblem = idProblem(executor.executor_id.value);
    if (executorIdProblem !== undefined)
      log(context, 'error', 'task.refused', `executor with an impossible id: ${executorIdProblem}`);
    else
      runInExecutor(context, {
        framework: framework_info,
        executor,
        tasks: [info],
        isGroup: false,
        mayStart: launch_executor,
      });
    return;
  }
  const refusal = refusalOf(context, info);
  if (refusal === undefined) beginTasks(context, framework_info, [info]);
  else dropTask(context, framework_info, info, refusal);
}

/** Together with the master of the last registration, this says who had what started here. */
export function logTaken(context: Context, framework: FrameworkInfo, info: TaskInfo): void {
  const { value: task } = info.task_id;
  const owner = framework.id?.value ?? '';
  log(context, 'info', 'task.taken', `takes task ${task} of framework ${owner}`);
}

/** The record of a task that was just taken. */
export function newRecord(
  context: Context,
  framework: FrameworkInfo,
  info: TaskInfo,
  runtime: RuntimeName,
): TaskRecord {
  return {
    frameworkId: toFrameworkId(framework.id?.value ?? ''),
    taskId: toTaskId(info.task_id.value),
    info,
    containerId: containerId(randomUuid(context.random)),
    runtime,
    state: 'TASK_STAGING',
    statuses: [],
    updates: [],
    launchedAt: context.now,
    ipAddresses: [],
  };
}

/**
 * Launches tasks that may be launched. All are durable before the first one starts: an agent that dies in between
 * knows the whole group, and ends what is left of it.
 */
export function beginTasks(
  context: Context,
  framework: FrameworkInfo,
  infos: readonly TaskInfo[],
  group?: TaskGroup,
): void {
  for (const info of infos) logTaken(context, framework, info);
  const tasks = infos.map((info): TaskRecord => {
    const base = newRecord(context, framework, info, runtimeFor(context, info));
    const task: TaskRecord = {
      ...base,
      ...given('group', group),
      ...given('gpus', takeGpus(context, info.resources)),
    };
    saveFramework(context, base.frameworkId, { info: framework, terminating: false });
    saveTask(context, task);
    return task;
  });
  for (const task of tasks) context.effects.push({ kind: 'launch', task, framework });
}

/** Tells that a task is not launched. */
export function dropTask(
  context: Context,
  framework: FrameworkInfo,
  info: TaskInfo,
  refusal: UpdateFields,
): void {
  const base = newRecord(context, framework, info, 'none');
  saveFramework(context, base.frameworkId, { info: framework, terminating: false });
  const state = refusal.state === 'TASK_DROPPED' ? droppedState(context, base) : refusal.state;
  updateTask(context, base, { ...refusal, state, source: 'SOURCE_AGENT' });
}

/** Docker containers go to the engine where there is one; what is left goes to `oci` where that is on. */
export function runtimeFor(context: Context, info: Pick<TaskInfo, 'container'>): RuntimeName {
  const { runtimes } = context.options;
  const isDocker = info.container?.type === 'DOCKER';
  if (isDocker && runtimes.has('docker')) return 'docker';
  if (runtimes.has('oci')) return 'oci';
  return isDocker ? 'docker' : 'process';
}

/** Why a task cannot be run here, as the update that says so. */
export function refusalOf(
  context: Context,
  info: TaskInfo,
  executor?: { readonly info: ExecutorInfo; readonly isNew: boolean },
): UpdateFields | undefined {
  const invalid = (message: string): UpdateFields => ({
    state: 'TASK_ERROR',
    reason: 'REASON_TASK_INVALID',
    message,
  });
  const dropped = (reason: UpdateFields['reason'], message: string): UpdateFields => ({
    state: 'TASK_DROPPED',
    reason,
    message,
  });
  if (context.stopping !== undefined)
    return dropped('REASON_AGENT_DRAINING', 'The agent is stopping');
  if (context.drain !== undefined)
    return dropped('REASON_AGENT_DRAINING', 'The agent is being drained');
  if (info.command === undefined && executor === undefined)
    return invalid('The task has neither a command nor an executor');
  if (context.live.size >= context.options.tasksMax) {
    return dropped(
      'REASON_INVALID_OFFERS',
      `The agent holds ${context.options.tasksMax} tasks already`,
    );
  }
  const used = [...context.live.values()]
    .filter((task) => !isTerminal(task.state))
    .flatMap((task) => task.info.resources ?? []);
  // Of executors that the agent plays only their tasks take part, as it has always been.
  for (const { process, info: other } of context.executors.values())
    if (process !== undefined) used.push(...(other.resources ?? []));
  const wanted = [
    ...(info.resources ?? []),
    ...((executor?.isNew === true ? executor.info.resources : undefined) ?? []),
  ];
  const noGpu = gpuRefusal(context, wanted);
  if (noGpu !== undefined) return noGpu;
  const lack = shortage(context.options.info.resources ?? [], used, wanted);
  if (lack !== undefined) {
    return dropped(
      'REASON_INVALID_OFFERS',
      `The agent does not have the task's resources: ${lack}`,
    );
  }
  const unlaunched = (why: string): UpdateFields => ({
    state: 'TASK_FAILED',
    reason: 'REASON_CONTAINER_LAUNCH_FAILED',
    message: `Failed to launch container: ${why}`,
  });
  if (context.isStorageShort) return unlaunched("the disk of the agent's work directory is full");
  const runtime = runtimeFor(context, executor?.info ?? info);
  if (context.options.runtimes.has(runtime)) return undefined;
  return unlaunched(`the runtime '${runtime}' is not enabled on this agent`);
}

/** Files and image are there. */
export function taskPrepared(context: Context, id: ContainerId): void {
  const task = taskOf(context, id);
  if (task === undefined || task.state !== 'TASK_STAGING') return;
  updateTask(context, task, { state: 'TASK_STARTING' });
}

/** The container runs; when it was told to end meanwhile, it is told so now. */
export function taskStarted(context: Context, id: ContainerId, found: StartedTask): void {
  const task = taskOf(context, id);
  if (task === undefined || isTerminal(task.state)) {
    context.effects.push({ kind: 'signal', id, signal: 'SIGKILL' });
    return;
  }
  const started: TaskRecord = {
    ...task,
    pid: found.pid,
    ipAddresses: found.ipAddresses,
    ...given('networks', found.networks),
    startedAt: context.now,
  };
  if (started.kill !== undefined) {
    saveTask(context, started);
    sendKillSignal(context, started);
    return;
  }
  const running = updateTask(context, started, { state: 'TASK_RUNNING' });
  armTimers(context, running, 'first');
}

/** Health checks and the bound on run time, at the start or after a restart of the agent. */
export function armTimers(context: Context, task: TaskRecord, when: 'first' | 'again'): void {
  armHealthCheck(context, task, when);
  armCheck(context, task, when);
  const bound = task.info.max_completion_time;
  if (bound === undefined) return;
  const leftMs = bound.nanoseconds / 1e6 - elapsedSinceStart(context, task, when);
  context.effects.push({
    kind: 'timer',
    id: taskTimer('completion', task.containerId),
    afterMs: Math.max(0, leftMs),
  });
}

/** The container could not be made. */
export function launchFailed(context: Context, id: ContainerId, message: string): void {
  const task = taskOf(context, id);
  if (task === undefined || isTerminal(task.state)) return;
  endTask(context, task, {
    state: 'TASK_FAILED',
    source: 'SOURCE_AGENT',
    reason: 'REASON_CONTAINER_LAUNCH_FAILED',
    message: `Failed to launch container: ${message}`,
  });
}
