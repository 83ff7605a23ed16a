/**
 * Status updates: made, kept until acknowledged, sent one at a time per task and in order.
 *
 * Invariants: an update leaves only after it is durable; the next one leaves only after the one before is
 * acknowledged; a state is never followed by one that comes before it, and nothing follows a terminal one.
 * Source: mesos-kernel §4.5.
 */

import { assert, randomUuidBytes, uuidText } from '@dcos/base';
import type {
  FrameworkInfo,
  CheckStatusInfo,
  ContainerStatus,
  NetworkInfo,
  TaskState,
  TaskStatus,
  TaskStatus_Reason,
  TaskStatus_Source,
  TaskResourceLimitation,
} from '@dcos/wire';
import { noCheckStatus } from './checks.ts';
import { adoptTask, log, saveTask, volatileOf, type Context } from './context.ts';
import { completeTask } from './completion.ts';
import { executorOfContainer } from './executors.ts';
import { executorIdOf, isTerminal, mayFollow, taskKey, type TaskRecord } from './model.ts';
import { given } from './records.ts';
import { taskTimer } from './timers.ts';

export interface UpdateFields {
  readonly state: TaskState;
  readonly message?: string | undefined;
  readonly reason?: TaskStatus_Reason | undefined;
  readonly source?: TaskStatus_Source;
  readonly healthy?: boolean | undefined;
  /** Of a task with a check; empty when absent. */
  readonly checkStatus?: CheckStatusInfo | undefined;
  /** What was used of the resource whose limit ended the task. */
  readonly limitation?: TaskResourceLimitation | undefined;
}

/** Adds an update to a task, which must be allowed by its state, and sends it when it is the first. */
export function updateTask(context: Context, task: TaskRecord, fields: UpdateFields): TaskRecord {
  const next = recordStatus(context, task, makeStatus(context, task, fields));
  sendIfFirst(context, next);
  return next;
}

/** Adds a status to a task, durably. Executors of frameworks may go back from one live state to another. */
export function recordStatus(context: Context, task: TaskRecord, status: TaskStatus): TaskRecord {
  const { state } = status;
  const mayBe =
    task.executor === undefined ? mayFollow(task.state, state) : !isTerminal(task.state);
  assert(mayBe, `${task.state} cannot be followed by ${state}`);
  const muted = context.frameworks.get(task.frameworkId)?.terminating === true;
  const next: TaskRecord = {
    ...task,
    state,
    statuses: collapsed(task.statuses, status),
    updates: muted ? [] : [...task.updates, status],
    ...(isTerminal(state) ? { endedAt: context.now } : {}),
  };
  saveTask(context, next);
  return next;
}

/** Sends the update that was recorded last unless others wait before it. */
export function sendIfFirst(context: Context, task: TaskRecord): void {
  if (task.updates.length === 1) sendHead(context, task);
}

/** What an executor said of its task, with what the agent knows of it. */
export function statusOfExecutor(
  context: Context,
  task: TaskRecord,
  status: TaskStatus,
): TaskStatus {
  const isDrained =
    task.kill?.cause === 'drain' && ['TASK_KILLING', 'TASK_KILLED'].includes(status.state);
  const told = status.container_status;
  const known = executorStatusOf(context, task);
  return {
    ...status,
    agent_id: { value: context.agentId ?? '' },
    executor_id: { value: executorIdOf(task) },
    timestamp: status.timestamp ?? context.now / 1000,
    ...(isDrained && { reason: 'REASON_AGENT_DRAINING' }),
    container_status: {
      ...known,
      ...told,
      ...((told?.network_infos ?? []).length === 0 && { network_infos: known.network_infos }),
    },
  };
}

/** The container that an executor runs its tasks in. */
function executorStatusOf(context: Context, task: TaskRecord): ContainerStatus {
  const id = task.executor?.containerId ?? task.containerId;
  const process = executorOfContainer(context, id)?.process;
  const own = process?.ipAddresses ?? [];
  return {
    container_id: { value: id },
    network_infos: [networkInfo(own.length === 0 ? [context.options.ip] : own, undefined)],
    ...given('executor_pid', process?.pid),
  };
}

/** A status of the latest state replaces an earlier one of the same state. */
function collapsed(statuses: readonly TaskStatus[], status: TaskStatus): readonly TaskStatus[] {
  const last = statuses.at(-1);
  return last?.state === status.state ? [...statuses.slice(0, -1), status] : [...statuses, status];
}

function makeStatus(context: Context, task: TaskRecord, fields: UpdateFields): TaskStatus {
  return {
    task_id: { value: task.taskId },
    state: fields.state,
    ...given('message', fields.message),
    source: fields.source ?? 'SOURCE_EXECUTOR',
    ...given('reason', fields.reason),
    agent_id: { value: context.agentId ?? '' },
    ...(task.runtime === 'none' ? {} : { executor_id: { value: executorIdOf(task) } }),
    timestamp: context.now / 1000,
    uuid: randomUuidBytes(context.random),
    ...given('healthy', fields.healthy),
    ...given('limitation', fields.limitation),
    ...(task.info.check !== undefined && {
      check_status: fields.checkStatus ?? noCheckStatus(task.info.check),
    }),
    ...(hasContainerStatus(task, fields) && {
      container_status: containerStatusOf(context.options.ip, task),
    }),
  };
}

/** What the agent says of a task that has not started says nothing of a container. */
function hasContainerStatus(task: TaskRecord, { source }: UpdateFields): boolean {
  return task.pid !== undefined || (task.runtime !== 'none' && source !== 'SOURCE_AGENT');
}

/** Where the task's container is reached; the agent's own address when it shares the host's network. */
export function containerStatusOf(agentIp: string, task: TaskRecord): ContainerStatus {
  const addresses = task.ipAddresses.length === 0 ? [agentIp] : task.ipAddresses;
  const name = task.info.container?.network_infos?.[0]?.name;
  const networks: readonly NetworkInfo[] = task.networks?.map((network) =>
    networkInfo(network.ipAddresses, network.name),
  ) ?? [networkInfo(addresses, name)];
  return {
    container_id: {
      value: task.containerId,
      ...(task.group !== undefined && { parent: { value: task.group.containerId } }),
    },
    network_infos: networks,
    ...given('executor_pid', task.pid),
  };
}

function networkInfo(addresses: readonly string[], name: string | undefined): NetworkInfo {
  return {
    ip_addresses: addresses.map((address) => ({
      protocol: address.includes(':') ? 'IPv6' : 'IPv4',
      ip_address: address,
    })),
    ...given('name', name),
  };
}

/** Sends the oldest unacknowledged update, if there is one and the master listens, and sets its retry. */
export function sendHead(context: Context, task: TaskRecord): void {
  const [head] = task.updates;
  if (head === undefined || context.phase !== 'registered') return;
  context.effects.push({
    kind: 'send',
    message: {
      type: 'STATUS_UPDATE',
      status_update: {
        framework_id: { value: task.frameworkId },
        status: head,
        latest_state: task.state,
      },
    },
  });
  const { retryAfterMs } = volatileOf(context, task.containerId);
  context.effects.push({
    kind: 'timer',
    id: taskTimer('retry', task.containerId),
    afterMs: retryAfterMs,
  });
}

/** The retry timer fired: once more, and twice as patient. */
export function retryHead(context: Context, task: TaskRecord): void {
  const volatile = volatileOf(context, task.containerId);
  volatile.retryAfterMs = Math.min(
    volatile.retryAfterMs * 2,
    context.options.times.updateRetryMaxMs,
  );
  sendHead(context, task);
}

/** After a registration: every stream's head at once, with the patience of a first attempt. */
export function sendAllHeads(context: Context): void {
  for (const task of context.live.values()) {
    volatileOf(context, task.containerId).retryAfterMs = context.options.times.updateRetryMs;
    sendHead(context, task);
  }
}

/** An acknowledgement of anything but the update in flight changes nothing. */
export function acknowledge(
  context: Context,
  frameworkId: string,
  taskId: string,
  uuid: Uint8Array,
): void {
  const task = context.live.get(taskKey(frameworkId, taskId));
  const head = task?.updates[0]?.uuid;
  if (task === undefined || head === undefined || !sameBytes(head, uuid)) {
    const text = uuid.length === 16 ? uuidText(uuid) : 'of a wrong length';
    log(
      context,
      'warn',
      'acknowledgement.ignored',
      `no update of ${taskId} waits for uuid ${text}`,
    );
    return;
  }
  const next: TaskRecord = { ...task, updates: task.updates.slice(1) };
  context.effects.push({ kind: 'cancelTimer', id: taskTimer('retry', task.containerId) });
  volatileOf(context, task.containerId).retryAfterMs = context.options.times.updateRetryMs;
  if (next.updates.length === 0 && isTerminal(next.state)) {
    adoptTask(context, next);
    completeTask(context, next);
    return;
  }
  saveTask(context, next);
  sendHead(context, next);
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

/**
 * The state of a task that never started, in words that its framework understands; `given` says which those are when
 * the framework is not known here.
 */
export function droppedState(
  context: Context,
  task: Pick<TaskRecord, 'frameworkId'>,
  given?: FrameworkInfo,
): TaskState {
  const info = context.frameworks.get(task.frameworkId)?.info ?? given;
  const knows = (info?.capabilities ?? []).some(({ type }) => type === 'PARTITION_AWARE');
  return knows ? 'TASK_DROPPED' : 'TASK_LOST';
}
