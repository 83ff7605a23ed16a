/**
 * Life of a task in the master: it is added in TASK_STAGING or learned from its agent, follows the
 * updates of its agent, and is forgotten when the framework has acknowledged its last one.
 *
 * Invariants: a state that is final stays; resources are given back exactly once, when the *latest* state
 * that the agent knows is final; every update with a uuid goes to the framework until it is acknowledged.
 */

import { agentId, assert, frameworkId, present, taskId, type TaskId } from '@dcos/base';
import { Resources } from '@dcos/resources';
import {
  withoutSecrets,
  type agentProtocol,
  type scheduler,
  type Task,
  type TaskInfo,
  type TaskState,
  type TaskStatus,
} from '@dcos/wire';
import {
  count,
  countOf,
  note,
  sendToAgent,
  sendToFramework,
  tellOperators,
  type Context,
} from './context.ts';
import { addBounded, type Agent, type Framework, type TaskRecord } from './state.ts';
import { masterStatus, type MasterStatus } from './status.ts';
import { isTerminal, stateFor } from './task-state.ts';

/** Statuses that are kept of one task; repeated states collapse, so real tasks have a handful. */
const STATUSES_MAX = 32;

/** The record of a task that a framework launches. */
export function taskOfInfo(framework: Framework, info: TaskInfo): Task {
  const {
    name,
    task_id,
    agent_id,
    resources,
    labels,
    discovery,
    container,
    health_check,
    kill_policy,
    limits,
    executor,
  } = info;
  const user = info.command?.user ?? executor?.command?.user;
  return {
    name,
    task_id,
    framework_id: { value: framework.id },
    agent_id,
    state: 'TASK_STAGING',
    ...(resources !== undefined && { resources }),
    ...(labels !== undefined && { labels }),
    ...(discovery !== undefined && { discovery }),
    ...(container !== undefined && { container: withoutSecrets(container) }),
    ...(health_check !== undefined && { health_check: withoutSecrets(health_check) }),
    ...(kill_policy !== undefined && { kill_policy }),
    ...(limits !== undefined && { limits }),
    ...(executor !== undefined && { executor_id: executor.executor_id }),
    ...(user !== undefined && { user }),
  };
}

/** The task of that id on that agent. */
export function findTask(agent: Agent, framework: Framework, id: TaskId): TaskRecord | undefined {
  return agent.tasks.get(framework.id)?.get(id);
}

/**
 * Adds a task to framework and agent and accounts for what it uses. The allocator must know about the
 * resources already (they were offered) or be told by the caller (they were learned).
 */
export function addTask(
  context: Context,
  framework: Framework,
  agent: Agent,
  task: Task,
): TaskRecord {
  const id = taskId(task.task_id.value);
  assert(!framework.tasks.has(id), `task ${id} is known already`);
  const released = isTerminal(task.state);
  const record: TaskRecord = {
    frameworkId: framework.id,
    agentId: agent.id,
    taskId: id,
    resources: Resources.fromWire(task.resources),
    task,
    released,
    unacknowledged: undefined,
  };
  framework.tasks.set(id, record);
  const onAgent = agent.tasks.get(framework.id) ?? new Map<TaskId, TaskRecord>();
  onAgent.set(id, record);
  agent.tasks.set(framework.id, onAgent);
  if (!released) {
    framework.used.add(agent.id, record.resources);
    agent.used.add(framework.id, record.resources);
  }
  tellOperators(context, { type: 'TASK_ADDED', task_added: { task } });
  return record;
}

/** Takes an update from an agent: bookkeeping first, then on to the framework. */
export function onStatusUpdate(
  context: Context,
  agent: Agent,
  update: agentProtocol.StatusUpdate,
): void {
  count(context, 'master/messages_status_update');
  const id = taskId(update.status.task_id.value);
  const framework = context.state.frameworks.get(frameworkId(update.framework_id.value));
  const record = framework === undefined ? undefined : findTask(agent, framework, id);
  if (framework === undefined || (record === undefined && framework.completedTasks.has(id))) {
    // Nobody is left to acknowledge it; without an answer the agent would repeat it for ever.
    count(context, 'master/invalid_status_updates');
    acknowledgeForNobody(context, agent, update);
    return;
  }
  count(context, 'master/valid_status_updates');
  const status: TaskStatus = {
    ...update.status,
    state: stateFor(framework.capabilities, update.status.state),
    agent_id: { value: agent.id },
  };
  if (record !== undefined) applyUpdate(context, framework, record, status, update.latest_state);
  sendToFramework(context, framework, { type: 'UPDATE', update: { status } });
}

function acknowledgeForNobody(
  context: Context,
  agent: Agent,
  update: agentProtocol.StatusUpdate,
): void {
  const { uuid, task_id } = update.status;
  if (uuid === undefined) return;
  sendToAgent(context, agent, {
    type: 'ACKNOWLEDGE',
    acknowledge: { framework_id: update.framework_id, task_id, uuid },
  });
}

/** Brings a task's record up to an update. Resources go back when the latest state is final. */
export function applyUpdate(
  context: Context,
  framework: Framework,
  record: TaskRecord,
  status: TaskStatus,
  latestState: TaskState,
): void {
  const before = record.task;
  const repeated = status.uuid !== undefined && sameBytes(status.uuid, before.status_update_uuid);
  if (status.uuid !== undefined) record.unacknowledged = status;
  if (repeated) return;
  const latest = isTerminal(status.state)
    ? status.state
    : stateFor(framework.capabilities, latestState);
  const state = isTerminal(before.state) ? before.state : latest;
  record.task = {
    ...before,
    state,
    statuses: withStatus(before.statuses ?? [], status),
    ...(status.uuid !== undefined && {
      status_update_state: status.state,
      status_update_uuid: status.uuid,
    }),
  };
  if (isTerminal(state) && !isTerminal(before.state))
    countTerminal(context, framework, status, state);
  if (isTerminal(state)) releaseTask(context, record);
  if (state !== before.state || isCheckUpdate(before, status)) {
    tellOperators(context, {
      type: 'TASK_UPDATED',
      task_updated: { framework_id: { value: framework.id }, status, state },
    });
  }
}

function withStatus(statuses: readonly TaskStatus[], status: TaskStatus): readonly TaskStatus[] {
  const { data: _data, ...kept } = status;
  const last = statuses.at(-1);
  const earlier =
    last !== undefined && last.state === status.state ? statuses.slice(0, -1) : statuses;
  return [...earlier.slice(-(STATUSES_MAX - 1)), kept];
}

function isCheckUpdate(before: Task, status: TaskStatus): boolean {
  const last = before.statuses?.at(-1);
  return (
    status.reason === 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED' ||
    status.reason === 'REASON_TASK_CHECK_STATUS_UPDATED' ||
    status.healthy !== last?.healthy ||
    last?.state !== status.state
  );
}

/** Metrics of an end: by state, and by state, source and reason. */
export function countTerminal(
  context: Context,
  framework: Framework,
  status: TaskStatus,
  state: TaskState,
): void {
  const name = state.toLowerCase();
  countOf(framework, `tasks/terminal/${name}`);
  count(context, `master/${name.replace('task_', 'tasks_')}`);
  if (status.source !== undefined && status.reason !== undefined) {
    const source = status.source.toLowerCase().replace('agent', 'slave');
    const reason = status.reason.toLowerCase().replace('agent', 'slave');
    count(context, `master/${name}/${source}/${reason}`);
  }
}

/** The last state that went to the framework with a uuid; the state that is known when none did. */
export function forwardedState({ task }: TaskRecord): TaskState {
  return task.status_update_state ?? task.state;
}

/** Gives a task's resources back, once. */
function releaseTask(context: Context, record: TaskRecord): void {
  if (record.released) return;
  record.released = true;
  const framework = present(
    context.state.frameworks.get(record.frameworkId),
    'the framework of a task',
  );
  const agent = present(context.state.agents.get(record.agentId), 'the agent of a task');
  framework.used.subtract(agent.id, record.resources);
  agent.used.subtract(framework.id, record.resources);
  context.allocator.recover(
    framework.id,
    agent.id,
    record.resources,
    undefined,
    context.monotonicMs,
  );
}

/** Takes a task out of framework and agent, its resources with it. */
export function detachTask(context: Context, framework: Framework, record: TaskRecord): void {
  releaseTask(context, record);
  framework.tasks.delete(record.taskId);
  const agent = context.state.agents.get(record.agentId);
  const onAgent = agent?.tasks.get(framework.id);
  onAgent?.delete(record.taskId);
  if (onAgent?.size === 0) agent?.tasks.delete(framework.id);
  const kills = agent?.kills.get(framework.id);
  kills?.delete(record.taskId);
  if (kills?.size === 0) agent?.kills.delete(framework.id);
}

/** Moves a task to the completed ones of its framework. */
export function completeTask(context: Context, framework: Framework, record: TaskRecord): void {
  detachTask(context, framework, record);
  addBounded(
    framework.completedTasks,
    record.taskId,
    record.task,
    context.options.completedTasksPerFrameworkMax,
  );
}

/** Ends a task by the master's own decision, unless it has ended, and tells framework and operators. */
export function endTaskByMaster(
  context: Context,
  framework: Framework,
  record: TaskRecord,
  end: Omit<MasterStatus, 'taskId' | 'agentId'>,
): void {
  const status = masterStatus(
    { ...end, taskId: record.taskId, agentId: record.agentId },
    context.now,
  );
  if (!isTerminal(record.task.state)) applyUpdate(context, framework, record, status, status.state);
  completeTask(context, framework, record);
  sendToFramework(context, framework, { type: 'UPDATE', update: { status } });
}

/** ACKNOWLEDGE: on to the agent; a task whose last update it was is complete. */
export function onAcknowledge(
  context: Context,
  framework: Framework,
  acknowledge: scheduler.Call_Acknowledge,
): void {
  count(context, 'master/messages_status_update_acknowledgement');
  const agent = context.state.agents.get(agentId(acknowledge.agent_id.value));
  const record =
    agent === undefined ? undefined : findTask(agent, framework, taskId(acknowledge.task_id.value));
  if (
    agent?.connection === undefined ||
    (record !== undefined && record.task.status_update_uuid === undefined)
  ) {
    // The agent repeats the update when it is back; the framework acknowledges it again then.
    count(context, 'master/invalid_status_update_acknowledgements');
    note(
      context,
      'info',
      'acknowledgement.dropped',
      'the agent is not connected, or no update was sent',
      {
        frameworkId: framework.id,
      },
    );
    return;
  }
  count(context, 'master/valid_status_update_acknowledgements');
  if (record !== undefined && sameBytes(acknowledge.uuid, record.task.status_update_uuid)) {
    record.unacknowledged = undefined;
    const forwarded = record.task.status_update_state;
    if (forwarded !== undefined && isTerminal(forwarded)) completeTask(context, framework, record);
  }
  sendToAgent(context, agent, {
    type: 'ACKNOWLEDGE',
    acknowledge: {
      framework_id: { value: framework.id },
      task_id: acknowledge.task_id,
      uuid: acknowledge.uuid,
    },
  });
}

/** Sends the heads of all update streams again, in place of the agents, which repeat them more and more seldom. */
export function resendUnacknowledged(context: Context, framework: Framework): void {
  for (const record of framework.tasks.values()) {
    if (record.unacknowledged === undefined) continue;
    // The new instance may know fewer states than the one that was told first.
    const state = stateFor(framework.capabilities, record.unacknowledged.state);
    const status = { ...record.unacknowledged, state };
    sendToFramework(context, framework, { type: 'UPDATE', update: { status } });
  }
}

function sameBytes(left: Uint8Array, right: Uint8Array | undefined): boolean {
  return (
    right !== undefined &&
    left.length === right.length &&
    left.every((byte, index) => byte === right[index])
  );
}
