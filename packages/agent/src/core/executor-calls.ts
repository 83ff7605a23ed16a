/**
 * The executor API: what executors ask and tell, and what is told to them. The answer to a call, and ACKNOWLEDGED,
 * follow what they depend on being durable; an update goes to the master after that.
 *
 * Invariants: one stream for each executor, the latest; a task is delivered to a stream once; an update that is
 * told again is acknowledged again and nothing more.
 * Source: mesos-kernel §2, §4.5; texts as recorded.
 */

import { frameworkId, toBase64, type ContainerId } from '@dcos/base';
import type { executor, TaskInfo, TaskStatus } from '@dcos/wire';
import { log, volatileOf, type Context } from './context.ts';
import { isCustom, type CustomExecutor } from './custom-executors.ts';
import { endTask, finishTask } from './ending.ts';
import { executorOfContainer, findExecutor, saveExecutor, tasksOfExecutor } from './executors.ts';
import { isTerminal, taskKey, type ExecutorRecord, type TaskRecord } from './model.ts';
import { resumeWhenSettled } from './recovery.ts';
import { droppedState, recordStatus, sendIfFirst, statusOfExecutor } from './status-updates.ts';
import { taskTimer } from './timers.ts';

/** Updates of a task that may wait for their acknowledgement; its end is always taken. */
export const UPDATES_MAX = 100;
/** Ids of updates that are kept to know them again. */
const TOLD_MAX = 2 * UPDATES_MAX;

/** Names a call until its answer, and the stream that it opens. */
export type ExecutorCallId = number;

export type ExecutorAnswer =
  | { readonly kind: 'accepted' }
  /** The stream of events of the executor in that container begins. */
  | { readonly kind: 'subscribed'; readonly id: ContainerId }
  | { readonly kind: 'refused'; readonly code: 400 | 403 | 503; readonly message: string };

/** A call that is well formed. */
export function executorCalled(context: Context, call: ExecutorCallId, asked: executor.Call): void {
  const answer = (given: ExecutorAnswer): void =>
    void context.effects.push({ kind: 'answerExecutor', call, answer: given });
  const refuse = (code: 400 | 403 | 503, message: string): void =>
    answer({ kind: 'refused', code, message });
  // It begins to answer when it knows which executors are still there, and waits for them.
  const isOpen = context.phase !== 'recovering' || context.unsettled.size > 0;
  if (!isOpen && asked.type !== 'HEARTBEAT') return refuse(503, 'Agent has not finished recovery');
  if (!context.frameworks.has(frameworkId(asked.framework_id.value)))
    return refuse(400, 'Framework cannot be found');
  const record = findExecutor(context, asked.framework_id.value, asked.executor_id.value);
  if (!isCustom(record)) return refuse(400, 'Executor cannot be found');
  if (asked.type === 'SUBSCRIBE') return subscribe(context, call, record, asked.subscribe ?? {});
  if (record.process.state === 'registering') return refuse(403, 'Executor is not subscribed');
  if (asked.update !== undefined && !takeUpdate(context, record, asked.update.status))
    return refuse(503, `${UPDATES_MAX} updates of the task wait for their acknowledgement`);
  if (asked.message !== undefined) passMessage(context, record, asked.message.data);
  answer({ kind: 'accepted' });
}

function subscribe(
  context: Context,
  call: ExecutorCallId,
  record: CustomExecutor,
  { unacknowledged_tasks = [], unacknowledged_updates = [] }: executor.Call_Subscribe,
): void {
  const { containerId: id, process } = record;
  const isEnding = process.state === 'terminating';
  const running: CustomExecutor = isEnding
    ? record
    : { ...record, process: { ...process, state: 'running' } };
  saveExecutor(context, running);
  if (context.subscriptions.has(id)) {
    log(context, 'warn', 'executor.replaced', `executor ${record.executorId} subscribed anew`);
    context.effects.push({ kind: 'closeExecutor', id });
  }
  context.subscriptions.set(id, call);
  context.effects.push(
    { kind: 'cancelTimer', id: taskTimer('subscription', id) },
    { kind: 'answerExecutor', call, answer: { kind: 'subscribed', id } },
  );
  tellExecutor(context, running, {
    type: 'SUBSCRIBED',
    subscribed: {
      executor_info: record.info,
      framework_info: context.frameworks.get(record.frameworkId)?.info ?? NO_FRAMEWORK,
      agent_info: { ...context.options.info, id: { value: context.agentId ?? '' } },
      container_id: { value: id },
    },
  });
  for (const { status } of unacknowledged_updates) takeUpdate(context, running, status);
  const listed = new Set(unacknowledged_tasks.map(({ task_id }) => task_id.value));
  dropUndelivered(context, running, listed);
  if (isEnding) tellExecutor(context, running, { type: 'SHUTDOWN' });
  else {
    deliverTasks(context, running);
    repeatKills(context, running);
  }
  resumeWhenSettled(context, id);
}

const NO_FRAMEWORK = { name: '', user: '' };

/** Tasks that the agent gave away and the executor never got: one of them died in between. */
function dropUndelivered(
  context: Context,
  record: CustomExecutor,
  listed: ReadonlySet<string>,
): void {
  for (const task of tasksOfExecutor(context, record)) {
    const isQueued = volatileOf(context, task.containerId).isQueued;
    if (task.state !== 'TASK_STAGING' || isQueued || listed.has(task.taskId)) continue;
    endTask(context, task, {
      state: droppedState(context, task),
      source: 'SOURCE_AGENT',
      reason: 'REASON_AGENT_RESTARTED',
      message: 'Task launched during agent restart',
    });
  }
}

/** Kills that were asked for while it was away, or that it may have missed. */
function repeatKills(context: Context, record: CustomExecutor): void {
  for (const { taskId, state, kill } of tasksOfExecutor(context, record)) {
    if (kill === undefined || isTerminal(state)) continue;
    const grace = kill.graceMs;
    tellExecutor(context, record, {
      type: 'KILL',
      kill: {
        task_id: { value: taskId },
        ...(grace !== undefined && { kill_policy: { grace_period: { nanoseconds: grace * 1e6 } } }),
      },
    });
  }
}

/** Hands over what waits for the executor, in the order in which it came; a group as a whole. */
export function deliverTasks(context: Context, record: CustomExecutor): void {
  if (!context.subscriptions.has(record.containerId)) return;
  const groups = new Map<string, TaskInfo[]>();
  const events: executor.Event[] = [];
  for (const task of tasksOfExecutor(context, record)) {
    const volatile = volatileOf(context, task.containerId);
    // One that was killed meanwhile is still here until that is acknowledged.
    if (!volatile.isQueued || isTerminal(task.state)) continue;
    volatile.isQueued = false;
    const groupId = task.executor?.groupId;
    if (groupId === undefined) events.push({ type: 'LAUNCH', launch: { task: task.info } });
    else {
      const known = groups.get(groupId);
      if (known !== undefined) known.push(task.info);
      else {
        const tasks = [task.info];
        groups.set(groupId, tasks);
        events.push({ type: 'LAUNCH_GROUP', launch_group: { task_group: { tasks } } });
      }
    }
  }
  for (const event of events) tellExecutor(context, record, event);
}

/** Sends an event; false when there is nobody to take it. */
export function tellExecutor(
  context: Context,
  { containerId: id, executorId }: ExecutorRecord,
  event: executor.Event,
): void {
  if (context.subscriptions.has(id)) context.effects.push({ kind: 'tellExecutor', id, event });
  else log(context, 'warn', 'executor.away', `executor ${executorId} does not get ${event.type}`);
}

/** Its stream was closed by the other side; it may subscribe again as long as it runs. */
export function executorLeft(context: Context, id: ContainerId, call: ExecutorCallId): void {
  if (context.subscriptions.get(id) !== call) return;
  context.subscriptions.delete(id);
  const record = executorOfContainer(context, id);
  if (record !== undefined)
    log(context, 'info', 'executor.left', `executor ${record.executorId} closed its connection`);
}

/** Takes an update; false when too many of the task wait already. */
function takeUpdate(context: Context, record: CustomExecutor, status: TaskStatus): boolean {
  const { uuid } = status;
  if (uuid === undefined) return true;
  const task = context.live.get(taskKey(record.frameworkId, status.task_id.value));
  const key = toBase64(uuid);
  const isOwn = task?.executor?.containerId === record.containerId;
  if (task === undefined || !isOwn || isTerminal(task.state) || wasTold(task, key)) {
    // Nothing is to become of it: the executor need not tell it again.
    const what = `${status.state} of ${status.task_id.value}`;
    log(context, 'info', 'update.ignored', `${what} by executor ${record.executorId}`);
    acknowledge(context, record, status, uuid);
    return true;
  }
  if (task.updates.length >= UPDATES_MAX && !isTerminal(status.state)) return false;
  const told = [...(task.executor?.told ?? []), key].slice(-TOLD_MAX);
  const next: TaskRecord = {
    ...task,
    ...(task.executor && { executor: { ...task.executor, told } }),
  };
  volatileOf(context, task.containerId).isQueued = false;
  const updated = recordStatus(context, next, statusOfExecutor(context, next, status));
  acknowledge(context, record, status, uuid);
  sendIfFirst(context, updated);
  if (isTerminal(updated.state)) finishTask(context, updated);
  return true;
}

function wasTold({ executor: own }: TaskRecord, key: string): boolean {
  return own?.told?.includes(key) === true;
}

function acknowledge(
  context: Context,
  record: CustomExecutor,
  { task_id }: TaskStatus,
  uuid: Uint8Array,
): void {
  tellExecutor(context, record, { type: 'ACKNOWLEDGED', acknowledged: { task_id, uuid } });
}

/** For the scheduler; lost when no master listens, as in the original. */
function passMessage(context: Context, record: CustomExecutor, data: Uint8Array): void {
  if (context.phase !== 'registered') return;
  context.effects.push({
    kind: 'send',
    message: {
      type: 'EXECUTOR_MESSAGE',
      executor_message: {
        framework_id: { value: record.frameworkId },
        executor_id: { value: record.executorId },
        data,
      },
    },
  });
}
