/**
 * The start of an agent: what the checkpoint says, what the runtimes find, and what became of each task in
 * between. Source: mesos-kernel §6.4.
 */

import { agentId, type ContainerId, type FrameworkId, type JsonObject } from '@dcos/base';
import { containerExited } from './exits.ts';
import { endTask } from './ending.ts';
import {
  executorExited,
  executorFound,
  executorGone,
  isCustom,
  shutdownExecutors,
} from './custom-executors.ts';
import { adoptExecutor, executorOfContainer } from './executors.ts';
import { adoptTask, log, taskOf, type Context } from './context.ts';
import type { FoundContainer } from './events.ts';
import { completeTask } from './completion.ts';
import { resumeDraining } from './draining.ts';
import { killTask, sendKillSignal } from './killing.ts';
import { armTimers, taskStarted } from './launching.ts';
import { adoptLaunched, launchedFound, recoverLaunched } from './launched-containers.ts';
import { isTerminal, type StartedTask, type TaskRecord } from './model.ts';
import { recoverTotal, resumeOperations } from './operations.ts';
import {
  AGENT_KEY,
  DRAIN_KEY,
  EXECUTOR_PREFIX,
  FRAMEWORK_PREFIX,
  OPERATION_PREFIX,
  RESOURCES_KEY,
  TASK_PREFIX,
  LAUNCHED_PREFIX,
  agentFromJson,
  drainFromJson,
  executorFromJson,
  frameworkFromJson,
  launchedFromJson,
  operationFromJson,
  resourcesFromJson,
  taskFromJson,
} from './records.ts';
import { reconfigurationProblem } from './reconfiguration.ts';
import { connectNow } from './registration.ts';
import { droppedState } from './status-updates.ts';

/** Takes the records in and asks what became of the containers. */
export function start(context: Context, records: ReadonlyMap<string, JsonObject>): void {
  const skip = (key: string, reason: string): void =>
    log(context, 'error', 'record.skipped', `checkpoint record ${key} cannot be read: ${reason}`);
  let changed: string | undefined;
  for (const [key, json] of records) {
    if (key === AGENT_KEY) {
      const read = agentFromJson(json);
      if (!read.ok) skip(key, read.error);
      else if (read.value.info.id !== undefined) {
        context.agentId = agentId(read.value.info.id.value);
        const { reconfigurationPolicy: policy = 'any', portIsFree, info } = context.options;
        const { port: _port, ...saved } = read.value.info;
        const { port: _now, ...described } = info;
        changed = reconfigurationProblem(
          policy,
          portIsFree === true ? saved : read.value.info,
          portIsFree === true ? described : info,
        );
      }
    } else if (key.startsWith(FRAMEWORK_PREFIX)) {
      const read = frameworkFromJson(json);
      if (!read.ok) skip(key, read.error);
      else context.frameworks.set(key.slice(FRAMEWORK_PREFIX.length) as FrameworkId, read.value);
    } else if (key.startsWith(TASK_PREFIX)) {
      const read = taskFromJson(json);
      if (read.ok) sortIn(context, read.value);
      else skip(key, read.error);
    } else if (key.startsWith(EXECUTOR_PREFIX)) {
      const read = executorFromJson(json);
      if (read.ok) adoptExecutor(context, read.value);
      else skip(key, read.error);
    } else if (key.startsWith(LAUNCHED_PREFIX)) {
      const read = launchedFromJson(json);
      if (read.ok) adoptLaunched(context, read.value);
      else skip(key, read.error);
    } else if (key.startsWith(OPERATION_PREFIX)) {
      const read = operationFromJson(json);
      if (read.ok) context.operations.set(read.value.uuid, read.value);
      else skip(key, read.error);
    } else if (key === DRAIN_KEY) {
      const read = drainFromJson(json);
      if (read.ok) context.drain = read.value;
      else skip(key, read.error);
    } else if (key !== RESOURCES_KEY) skip(key, 'unknown kind');
  }
  const misfit = changed ?? recoverTotal(context, savedResources(records.get(RESOURCES_KEY), skip));
  if (misfit !== undefined) {
    // Nothing is touched: described as before the next start finds everything as it was.
    context.stopped = true;
    log(context, 'error', 'agent.misfit', misfit);
    context.effects.push({ kind: 'stopped', reason: misfit });
    return;
  }
  const tasks = [...context.live.values()].filter(
    ({ state, executor }) => !isTerminal(state) && executor === undefined,
  );
  const executors = [...context.executors.values()].filter(isCustom);
  const launched = [...context.launched.values()].filter(
    ({ isSession, status }) => !isSession && status === undefined,
  );
  context.effects.push({ kind: 'findContainers', tasks, launched, executors });
}

function savedResources(
  json: JsonObject | undefined,
  skip: (key: string, reason: string) => void,
): Parameters<typeof recoverTotal>[1] {
  if (json === undefined) return undefined;
  const read = resourcesFromJson(json);
  if (read.ok) return read.value;
  skip(RESOURCES_KEY, read.error);
  return undefined;
}

function sortIn(context: Context, task: TaskRecord): void {
  if (isTerminal(task.state) && task.updates.length === 0) {
    context.completed.set(task.containerId, task);
  } else adoptTask(context, task);
}

/** What the runtimes found; afterwards the agent is as if it had never been away, and connects. */
export function containersFound(context: Context, containers: readonly FoundContainer[]): void {
  for (const found of containers) {
    if (context.launchedByContainer.has(found.id)) {
      launchedFound(context, found);
      continue;
    }
    const executor = executorOfContainer(context, found.id);
    if (isCustom(executor)) {
      if (found.kind === 'running') executorFound(context, executor, found);
      else if (found.kind === 'exited') executorExited(context, found.id, found.status);
      else executorGone(context, executor);
      continue;
    }
    const task = taskOf(context, found.id);
    if (task === undefined || isTerminal(task.state)) continue;
    if (found.kind === 'running') resume(context, task, found);
    else if (found.kind === 'exited') containerExited(context, found.id, found.status);
    else neverSeen(context, task);
  }
  for (const task of context.live.values()) {
    if (context.frameworks.get(task.frameworkId)?.terminating !== true) continue;
    if (isTerminal(task.state)) completeTask(context, task);
    else killTask(context, task, 'framework');
  }
  for (const [id, { terminating }] of context.frameworks)
    if (terminating) shutdownExecutors(context, id);
  recoverLaunched(context);
  resumeOperations(context);
  resumeDraining(context);
  if (context.unsettled.size === 0) connectNow(context);
}

/** An executor came back, or will not: the agent is there for its master when that is known of all. */
export function resumeWhenSettled(context: Context, id: ContainerId): void {
  if (!context.unsettled.delete(id) || context.unsettled.size > 0) return;
  if (context.phase === 'recovering') connectNow(context);
}

function resume(
  context: Context,
  task: TaskRecord,
  found: StartedTask & { readonly id: ContainerId },
): void {
  if (task.startedAt === undefined) {
    // It was started, but the agent died before it could write that down.
    taskStarted(context, found.id, found);
    return;
  }
  // The signal may or may not have left before the crash; a second SIGTERM is harmless.
  if (task.kill !== undefined) sendKillSignal(context, task);
  else armTimers(context, task, 'again');
}

/** No container: the agent died between a record of the task and its start, or the host was restarted. */
function neverSeen(context: Context, task: TaskRecord): void {
  if (task.startedAt === undefined && task.kill === undefined) {
    endTask(context, task, {
      state: droppedState(context, task),
      source: 'SOURCE_AGENT',
      reason: 'REASON_AGENT_RESTARTED',
      message: 'The agent was restarted before the task was started',
    });
    return;
  }
  containerExited(context, task.containerId, {
    kind: 'unknown',
    message: 'its container is gone since the agent was restarted',
  });
}
