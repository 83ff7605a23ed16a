/**
 * Executors that frameworks bring: a program in a container of its own, started with the first task that names
 * it, given all later ones, and ended with its framework, with the agent, on request, or by itself. What it says
 * and is told while it runs is in `executor-calls.ts`.
 *
 * Invariants: one run of an executor at a time; every task of a run has ended when the run has; a task that was
 * not delivered can be killed without the executor's help.
 * Source: mesos-kernel §2.4, §4.3, §6.2.
 */

import {
  containerId,
  durationText,
  executorId as toExecutorId,
  frameworkId as toFrameworkId,
  randomUuid,
  type ContainerId,
} from '@dcos/base';
import type {
  agentProtocol,
  ExecutorInfo,
  FrameworkInfo,
  KillPolicy,
  TaskInfo,
  TaskStatus_Reason,
} from '@dcos/wire';
import { stopWhenIdle } from './completion.ts';
import { log, saveFramework, saveTask, volatileOf, type Context } from './context.ts';
import { endTask } from './ending.ts';
import { deliverTasks, tellExecutor } from './executor-calls.ts';
import {
  executorOfContainer,
  findExecutor,
  removeExecutor,
  saveExecutor,
  tasksOfExecutor,
  tellExited,
} from './executors.ts';
import { gpuRefusal, gpusOf, takeGpus } from './gpus.ts';
import { surroundingsEnded } from './launched-containers.ts';
import { dropTask, logTaken, newRecord, refusalOf, runtimeFor } from './launching.ts';
import {
  isTerminal,
  type ExecutorProcess,
  type ExecutorRecord,
  type ExitStatus,
  type ForcedEnding,
  type KillCause,
  type TaskRecord,
} from './model.ts';
import { given } from './records.ts';
import { resumeWhenSettled } from './recovery.ts';
import { droppedState, type UpdateFields } from './status-updates.ts';
import { taskTimer } from './timers.ts';

/** An executor with its program. */
export type CustomExecutor = ExecutorRecord & { readonly process: ExecutorProcess };

export function isCustom(record: ExecutorRecord | undefined): record is CustomExecutor {
  return record?.process !== undefined;
}

/** What to tell of tasks whose executor has ended and is not to be started anew. */
export const EXECUTOR_ENDED: UpdateFields = {
  state: 'TASK_DROPPED',
  reason: 'REASON_EXECUTOR_TERMINATED',
  message: 'The executor of the task has ended',
};

/** Tasks for an executor; its ids have been checked. */
export interface ExecutorLaunch {
  readonly framework: FrameworkInfo;
  readonly executor: ExecutorInfo;
  readonly tasks: readonly TaskInfo[];
  /** They came as a group, and are delivered as one. */
  readonly isGroup: boolean;
  /** Whether the master accounted for a new executor; absent where it does not say. */
  readonly mayStart: boolean | undefined;
}

/** Gives tasks to their executor, all or none of them; the executor is started when it is not here. */
export function runInExecutor(context: Context, launch: ExecutorLaunch): void {
  const { framework, executor, tasks } = launch;
  const frameworkId = toFrameworkId(framework.id?.value ?? '');
  const known = findExecutor(context, frameworkId, executor.executor_id.value);
  const refusal = refusalFor(context, launch, known);
  if (refusal !== undefined) {
    for (const task of tasks) dropTask(context, framework, task, refusal);
    if (known === undefined && launch.mayStart === true)
      tellExited(context, frameworkId, toExecutorId(executor.executor_id.value), UNKNOWN_STATUS);
    return;
  }
  saveFramework(context, frameworkId, { info: framework, terminating: false });
  const record = isCustom(known) ? known : newExecutor(context, launch);
  const groupId = launch.isGroup ? randomUuid(context.random) : undefined;
  for (const info of tasks) {
    logTaken(context, framework, info);
    const task: TaskRecord = {
      ...newRecord(context, framework, info, 'executor'),
      executor: {
        executorId: record.executorId,
        containerId: record.containerId,
        ...(groupId !== undefined && { groupId }),
      },
    };
    saveTask(context, task);
    volatileOf(context, task.containerId).isQueued = true;
  }
  if (record === known) deliverTasks(context, record);
  else {
    context.effects.push({ kind: 'launchExecutor', executor: record, framework });
    awaitSubscription(context, record, context.options.times.executorRegistrationMs);
  }
}

function refusalFor(
  context: Context,
  { executor, tasks, mayStart }: ExecutorLaunch,
  known: ExecutorRecord | undefined,
): UpdateFields | undefined {
  if (known === undefined ? mayStart === false : known.process?.state === 'terminating')
    return EXECUTOR_ENDED;
  if (known !== undefined && known.process === undefined)
    return {
      state: 'TASK_ERROR',
      reason: 'REASON_TASK_INVALID',
      message: `Executor '${known.executorId}' is one of task groups that the agent runs`,
    };
  if (known !== undefined && tasks.some(({ resources }) => gpusOf(resources) > 0))
    return {
      state: 'TASK_FAILED',
      reason: 'REASON_CONTAINER_UPDATE_FAILED',
      message: 'GPUs cannot be added to an executor that runs',
    };
  const noGpu =
    known === undefined
      ? gpuRefusal(
          context,
          [executor, ...tasks].flatMap(({ resources = [] }) => resources),
        )
      : undefined;
  if (noGpu !== undefined) return noGpu;
  for (const task of tasks) {
    const refusal = refusalOf(context, task, { info: executor, isNew: known === undefined });
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function newExecutor(
  context: Context,
  { framework, executor, tasks }: ExecutorLaunch,
): CustomExecutor {
  const resources = [executor, ...tasks].flatMap(({ resources: own = [] }) => own);
  const record: CustomExecutor = {
    frameworkId: toFrameworkId(framework.id?.value ?? ''),
    executorId: toExecutorId(executor.executor_id.value),
    containerId: containerId(randomUuid(context.random)),
    info: executor,
    process: {
      state: 'registering',
      runtime: runtimeFor(context, executor),
      resources,
      ...given('gpus', takeGpus(context, resources)),
      launchedAt: context.now,
      ipAddresses: [],
    },
  };
  saveExecutor(context, record);
  return record;
}

/** Its time to subscribe begins. */
export function awaitSubscription(
  context: Context,
  { containerId: id }: ExecutorRecord,
  afterMs: number,
): void {
  context.effects.push({ kind: 'timer', id: taskTimer('subscription', id), afterMs });
}

/** True when the container is an executor's. */
export function executorStarted(
  context: Context,
  id: ContainerId,
  found: { readonly pid: number; readonly ipAddresses: readonly string[] },
): boolean {
  const record = executorOfContainer(context, id);
  if (!isCustom(record)) return false;
  const { pid, ipAddresses } = found;
  saveExecutor(context, { ...record, process: { ...record.process, pid, ipAddresses } });
  return true;
}

/** Its container could not be made. */
export function executorLaunchFailed(context: Context, id: ContainerId, message: string): boolean {
  const record = executorOfContainer(context, id);
  if (!isCustom(record)) return false;
  executorEnded(context, record, { kind: 'unknown', message }, () => ({
    state: 'TASK_FAILED',
    reason: 'REASON_CONTAINER_LAUNCH_FAILED',
    message: `Failed to launch container: ${message}`,
  }));
  return true;
}

export function executorExited(context: Context, id: ContainerId, status: ExitStatus): boolean {
  const record = executorOfContainer(context, id);
  if (!isCustom(record)) return false;
  executorEnded(context, record, status);
  return true;
}

/** No trace of its container after a restart: what it was never given has not begun. */
export function executorGone(context: Context, record: CustomExecutor): void {
  const status: ExitStatus = { kind: 'unknown', message: 'its container is gone' };
  executorEnded(context, record, status, (task) =>
    task.state === 'TASK_STAGING'
      ? {
          state: droppedState(context, task),
          reason: 'REASON_AGENT_RESTARTED',
          message: 'The agent was restarted before the executor was started',
        }
      : endingOf(record, status),
  );
}

/** The run is over, and so is everything that it ran. */
function executorEnded(
  context: Context,
  record: CustomExecutor,
  status: ExitStatus,
  ending: (task: TaskRecord) => UpdateFields = () => endingOf(record, status),
): void {
  const { containerId: id } = record;
  for (const timer of ['subscription', 'shutdown'] as const)
    context.effects.push({ kind: 'cancelTimer', id: taskTimer(timer, id) });
  context.subscriptions.delete(id);
  for (const task of tasksOfExecutor(context, record)) {
    if (isTerminal(task.state)) continue;
    endTask(context, task, { ...ending(task), source: 'SOURCE_AGENT' });
  }
  const process: ExecutorProcess = { ...record.process, state: 'terminated', endedAt: context.now };
  removeExecutor(context, { ...record, process }, waitStatus(status));
  context.effects.push(
    { kind: 'closeExecutor', id },
    { kind: 'releaseExecutor', executor: record },
  );
  surroundingsEnded(context, id);
  stopWhenIdle(context);
  resumeWhenSettled(context, id);
}

/** What the unfinished tasks of an executor that has ended are told to have come to. */
function endingOf({ process }: CustomExecutor, status: ExitStatus): UpdateFields {
  if (process.ending !== undefined) return process.ending;
  if (status.kind !== 'unknown' && status.outOfMemory === true)
    return {
      state: 'TASK_FAILED',
      reason: 'REASON_CONTAINER_LIMITATION_MEMORY',
      message: 'Memory limit exceeded by the executor',
    };
  return {
    state: 'TASK_FAILED',
    reason: 'REASON_EXECUTOR_TERMINATED',
    message: 'Executor terminated',
  };
}

const UNKNOWN_STATUS = -1;

/** The status as wait(2) has it. */
function waitStatus(status: ExitStatus): number {
  if (status.kind === 'exited') return (status.code & 0xff) << 8;
  return status.kind === 'signaled' ? status.signal & 0x7f : UNKNOWN_STATUS;
}

/** KILL_TASK for a task of such an executor. One that was not delivered never will be. */
export function killInExecutor(
  context: Context,
  task: TaskRecord,
  cause: KillCause,
  policy: KillPolicy | undefined,
): void {
  const record = task.executor && executorOfContainer(context, task.executor.containerId);
  // What ends with its framework or the agent ends with its executor, which is told so.
  if (!isCustom(record) || cause === 'framework' || cause === 'agent') return;
  if (!volatileOf(context, task.containerId).isQueued) {
    const graceMs = policy?.grace_period && Math.max(0, policy.grace_period.nanoseconds / 1e6);
    const kill = { cause, deadline: context.now, ...(graceMs !== undefined && { graceMs }) };
    saveTask(context, { ...task, kill });
    tellExecutor(context, record, {
      type: 'KILL',
      kill: {
        task_id: { value: task.taskId },
        ...(policy !== undefined && { kill_policy: policy }),
      },
    });
    return;
  }
  const groupId = task.executor?.groupId;
  const reason: TaskStatus_Reason =
    cause === 'drain' ? 'REASON_AGENT_DRAINING' : 'REASON_TASK_KILLED_DURING_LAUNCH';
  const message =
    groupId === undefined
      ? 'Task killed before delivery to the executor'
      : 'A task within the task group was killed before delivery to the executor';
  for (const other of tasksOfExecutor(context, record)) {
    const isMeant =
      other === task || (groupId !== undefined && other.executor?.groupId === groupId);
    if (isMeant && !isTerminal(other.state))
      endTask(context, other, { state: 'TASK_KILLED', source: 'SOURCE_AGENT', reason, message });
  }
  const isIdle = tasksOfExecutor(context, record).every(({ state }) => isTerminal(state));
  if (record.process.state === 'registering' && isIdle) shutdownExecutor(context, record);
}

/** Tells an executor to end, and ends it when its grace is over. */
export function shutdownExecutor(context: Context, record: CustomExecutor): void {
  const { process, info } = record;
  if (process.state === 'terminating') return;
  if (process.pid === undefined && process.state === 'registering') {
    abortExecutor(context, record);
    return;
  }
  const terminating: CustomExecutor = { ...record, process: { ...process, state: 'terminating' } };
  saveExecutor(context, terminating);
  context.effects.push({ kind: 'cancelTimer', id: taskTimer('subscription', record.containerId) });
  tellExecutor(context, terminating, { type: 'SHUTDOWN' });
  const graceMs = shutdownGraceMs(context, info);
  armShutdownTimer(context, record.containerId, graceMs);
}

/** Time from SHUTDOWN to the forced end. */
function shutdownGraceMs(
  { options }: Context,
  { shutdown_grace_period: own }: ExecutorInfo,
): number {
  return own === undefined
    ? options.times.executorShutdownGraceMs
    : Math.max(0, own.nanoseconds / 1e6);
}

function armShutdownTimer(context: Context, id: ContainerId, afterMs: number): void {
  context.effects.push({ kind: 'timer', id: taskTimer('shutdown', id), afterMs });
}

/** Its container may not be there yet: the launch is given up, and nothing is waited for. */
function abortExecutor(context: Context, record: CustomExecutor): void {
  context.effects.push({ kind: 'abortLaunch', id: record.containerId });
  executorEnded(context, record, { kind: 'unknown', message: 'the launch was aborted' });
}

/** All executors of a framework, or all there are. */
export function shutdownExecutors(context: Context, frameworkId?: string): void {
  for (const record of context.executors.values()) {
    if (isCustom(record) && (frameworkId === undefined || record.frameworkId === frameworkId))
      shutdownExecutor(context, record);
  }
}

/** While the agent is drained, executors end with their last task. */
export function shutdownDrained(context: Context): void {
  if (context.drain === undefined) return;
  for (const record of context.executors.values()) {
    if (isCustom(record) && tasksOfExecutor(context, record).length === 0)
      shutdownExecutor(context, record);
  }
}

/** The grace is over: SIGKILL until the container is gone. */
export function shutdownTimerFired(context: Context, id: ContainerId): void {
  if (!isCustom(executorOfContainer(context, id))) return;
  context.effects.push({ kind: 'signal', id, signal: 'SIGKILL' });
  armShutdownTimer(context, id, context.options.times.killRepeatMs);
}

/** It did not subscribe in time, after its launch or after a restart of the agent. */
export function subscriptionTimerFired(context: Context, id: ContainerId): void {
  const record = executorOfContainer(context, id);
  if (!isCustom(record) || context.subscriptions.has(id)) return;
  const { executorReregistrationMs, executorRegistrationMs } = context.options.times;
  const isRecovered = context.unsettled.has(id);
  const isAware = droppedState(context, record) === 'TASK_DROPPED';
  const ending: ForcedEnding = isRecovered
    ? {
        state: isAware ? 'TASK_GONE' : 'TASK_LOST',
        reason: 'REASON_EXECUTOR_REREGISTRATION_TIMEOUT',
        message: `Executor did not reregister within ${durationText(executorReregistrationMs)}`,
      }
    : {
        state: 'TASK_FAILED',
        reason: 'REASON_EXECUTOR_REGISTRATION_TIMEOUT',
        message: `Executor did not register within ${durationText(executorRegistrationMs)}`,
      };
  log(context, 'warn', 'executor.silent', `executor ${record.executorId}: ${ending.message}`);
  destroyExecutor(context, record, ending);
}

/** Ends an executor at once; its unfinished tasks come to what `ending` says. */
export function destroyExecutor(
  context: Context,
  record: CustomExecutor,
  ending: ForcedEnding,
): void {
  const { process, containerId: id } = record;
  const destroyed: CustomExecutor = {
    ...record,
    process: { ...process, state: 'terminating', ending },
  };
  if (process.pid === undefined) {
    abortExecutor(context, destroyed);
    return;
  }
  saveExecutor(context, destroyed);
  context.effects.push({ kind: 'signal', id, signal: 'SIGKILL' });
  armShutdownTimer(context, id, context.options.times.killRepeatMs);
  resumeWhenSettled(context, id);
}

/** What became of an executor while the agent was away; one that runs has a short while to come back. */
export function executorFound(
  context: Context,
  record: CustomExecutor,
  found: { readonly pid: number; readonly ipAddresses: readonly string[] },
): void {
  const { pid, ipAddresses } = found;
  const resumed: CustomExecutor = { ...record, process: { ...record.process, pid, ipAddresses } };
  saveExecutor(context, resumed);
  if (record.process.state === 'terminating') {
    armShutdownTimer(context, record.containerId, shutdownGraceMs(context, record.info));
    return;
  }
  context.unsettled.add(record.containerId);
  awaitSubscription(context, resumed, context.options.times.executorReregistrationMs);
}

/** SHUTDOWN of a scheduler, or a message of it, for an executor; false when it is none of these. */
export function messageForExecutor(
  context: Context,
  { framework_id, executor_id, data, shutdown }: agentProtocol.FrameworkMessage,
): boolean {
  const record = findExecutor(context, framework_id.value, executor_id.value);
  if (!isCustom(record)) return false;
  if (shutdown === true) shutdownExecutor(context, record);
  else if (data !== undefined)
    tellExecutor(context, record, { type: 'MESSAGE', message: { data } });
  return true;
}
