/**
 * LAUNCH and LAUNCH_GROUP of an ACCEPT: tasks are authorised and checked one by one, and those of a group
 * all or none; what passes is recorded in TASK_STAGING and sent to the agent.
 * Source: the original's order of checks, its reasons and its recorded texts.
 */

import { executorId, taskId } from '@dcos/base';
import { Resources } from '@dcos/resources';
import type {
  ExecutorInfo,
  Offer_Operation,
  TaskInfo,
  TaskState,
  TaskStatus_Reason,
} from '@dcos/wire';
import { sendToAgent, sendToFramework, type Context } from './context.ts';
import { executorProblem } from './executor-validation.ts';
import { addExecutor, findExecutor } from './executors.ts';
import { allocatedTo, type Grant } from './grant.ts';
import type { Framework } from './state.ts';
import { masterStatus } from './status.ts';
import { stateFor } from './task-state.ts';
import { groupProblem } from './task-group-validation.ts';
import {
  resourcesProblem,
  sharesCgroups,
  taskProblem,
  togetherProblem,
  type LaunchPlace,
} from './task-validation.ts';
import { addTask, countTerminal, taskOfInfo } from './tasks.ts';

/** LAUNCH: each task on its own. */
export function launchTasks(
  context: Context,
  framework: Framework,
  grant: Grant,
  operation: Offer_Operation,
): void {
  for (const given of operation.launch?.task_infos ?? []) {
    const task = allocatedTask(framework, given, grant.role);
    const user = unauthorisedUser(context, framework, task, task.executor);
    if (user !== undefined) {
      failTask(context, framework, given, {
        state: 'TASK_ERROR',
        reason: 'REASON_TASK_UNAUTHORIZED',
        message: `Not authorized to launch as user '${user}'`,
      });
      continue;
    }
    const problem =
      operation.id === undefined
        ? launchProblem(framework, grant, task)
        : "'id' is not allowed in a LAUNCH operation";
    if (problem === undefined) {
      launchTask(context, framework, grant, task);
      continue;
    }
    failTask(context, framework, given, {
      state: 'TASK_ERROR',
      reason: 'REASON_TASK_INVALID',
      message: problem,
    });
  }
}

function launchProblem(framework: Framework, grant: Grant, task: TaskInfo): string | undefined {
  const place = { framework, agent: grant.agent };
  const { executor } = task;
  const problem =
    taskProblem(task, place) ??
    (executor === undefined ? undefined : ownExecutorProblem(task, executor, place));
  if (problem !== undefined) return problem;
  const needed = [...(task.resources ?? []), ...newExecutorResources(framework, grant, executor)];
  return (
    resourcesProblem(Resources.fromWire(needed), grant.remaining, 'task') ??
    (sharesCgroups(task.container)
      ? undefined
      : "'share_cgroups' may be false for tasks of a group only")
  );
}

/** The executor that a task of LAUNCH brings: the default one is for groups. */
function ownExecutorProblem(
  { resources = [] }: TaskInfo,
  executor: ExecutorInfo,
  place: LaunchPlace,
): string | undefined {
  const problem = executorProblem(executor, place);
  if (problem !== undefined) return problem;
  if (executor.type !== undefined && executor.type !== 'CUSTOM')
    return "'ExecutorInfo.type' must be 'CUSTOM' in a LAUNCH operation";
  const together = Resources.fromWire([...resources, ...(executor.resources ?? [])]);
  return togetherProblem('Task with its executor', together);
}

/** An executor that runs on the agent already is paid for. */
function newExecutorResources(
  framework: Framework,
  { agent }: Grant,
  executor: ExecutorInfo | undefined,
): NonNullable<ExecutorInfo['resources']> {
  if (executor === undefined) return [];
  const running = findExecutor(agent, framework.id, executorId(executor.executor_id.value));
  return running === undefined ? (executor.resources ?? []) : [];
}

function launchTask(context: Context, framework: Framework, grant: Grant, task: TaskInfo): void {
  // As for groups: one that is believed to run may not be started again.
  const launch_executor =
    task.executor === undefined ? undefined : ensureExecutor(framework, grant, task.executor);
  const record = addTask(context, framework, grant.agent, taskOfInfo(framework, task));
  grant.remaining = grant.remaining.subtract(record.resources);
  sendToAgent(context, grant.agent, {
    type: 'RUN_TASK',
    run_task: {
      framework_info: framework.info,
      task,
      ...(launch_executor !== undefined && { launch_executor }),
    },
  });
}

/** Returns whether the executor is new, and so accounted for now. */
function ensureExecutor(framework: Framework, grant: Grant, executor: ExecutorInfo): boolean {
  const id = executorId(executor.executor_id.value);
  if (findExecutor(grant.agent, framework.id, id) !== undefined) return false;
  const record = addExecutor(framework, grant.agent, executor);
  grant.remaining = grant.remaining.subtract(record.resources);
  return true;
}

/** LAUNCH_GROUP: all tasks or none. */
export function launchGroup(
  context: Context,
  framework: Framework,
  grant: Grant,
  operation: Offer_Operation,
): void {
  const group = operation.launch_group;
  if (group === undefined) return;
  const executor = allocatedExecutor(framework, group.executor, grant.role);
  const tasks = (group.task_group.tasks ?? []).map((task) =>
    allocatedTask(framework, task, grant.role),
  );
  const refusal = groupRefusal(context, framework, grant, operation, executor, tasks);
  if (refusal !== undefined) {
    for (const task of group.task_group.tasks ?? []) failTask(context, framework, task, refusal);
    return;
  }
  // One that is believed to run is not paid for: should it have ended, the agent may not start it again.
  const launch_executor = ensureExecutor(framework, grant, executor);
  for (const task of tasks) {
    const record = addTask(context, framework, grant.agent, {
      ...taskOfInfo(framework, task),
      executor_id: executor.executor_id,
    });
    grant.remaining = grant.remaining.subtract(record.resources);
  }
  sendToAgent(context, grant.agent, {
    type: 'RUN_TASK_GROUP',
    run_task_group: {
      framework_info: framework.info,
      executor,
      task_group: { tasks },
      launch_executor,
    },
  });
}

function groupRefusal(
  context: Context,
  framework: Framework,
  grant: Grant,
  operation: Offer_Operation,
  executor: ExecutorInfo,
  tasks: readonly TaskInfo[],
): Failure | undefined {
  for (const task of tasks) {
    const user = unauthorisedUser(context, framework, task, executor);
    if (user === undefined) continue;
    return {
      state: 'TASK_ERROR',
      reason: 'REASON_TASK_GROUP_UNAUTHORIZED',
      message: `A task of the group is not authorized to launch as user '${user}'`,
    };
  }
  const place = { framework, agent: grant.agent };
  const needed = [
    ...tasks.flatMap(({ resources = [] }) => resources),
    ...newExecutorResources(framework, grant, executor),
  ];
  const problem =
    (operation.id === undefined ? undefined : "'id' is not allowed in a LAUNCH_GROUP operation") ??
    groupProblem(tasks, executor, place) ??
    resourcesProblem(Resources.fromWire(needed), grant.remaining, 'task group');
  return problem === undefined
    ? undefined
    : { state: 'TASK_ERROR', reason: 'REASON_TASK_GROUP_INVALID', message: problem };
}

/** The user that the framework may not run as, undefined when it may. */
function unauthorisedUser(
  { authorizer }: Context,
  { info }: Framework,
  task: TaskInfo,
  executor: ExecutorInfo | undefined,
): string | undefined {
  const user = task.command?.user ?? executor?.command?.user ?? info.user;
  const { principal } = info;
  return authorizer.allows({ action: 'RUN_TASK', principal, object: user }) ? undefined : user;
}

function allocatedTask(framework: Framework, task: TaskInfo, role: string): TaskInfo {
  const { resources, executor } = task;
  return {
    ...task,
    ...(resources !== undefined && { resources: resources.map(allocatedTo(role)) }),
    ...(executor !== undefined && { executor: allocatedExecutor(framework, executor, role) }),
  };
}

/** The executor as agents hear of it: allocated, and with the id of its framework. */
function allocatedExecutor(
  framework: Framework,
  executor: ExecutorInfo,
  role: string,
): ExecutorInfo {
  const { resources } = executor;
  return {
    ...executor,
    framework_id: executor.framework_id ?? { value: framework.id },
    ...(resources !== undefined && { resources: resources.map(allocatedTo(role)) }),
  };
}

export interface Failure {
  readonly state: TaskState;
  readonly reason: TaskStatus_Reason;
  readonly message: string;
}

/** Tells the framework that a task was not even tried. */
export function failTask(
  context: Context,
  framework: Framework,
  task: TaskInfo,
  failure: Failure,
): void {
  const state = stateFor(framework.capabilities, failure.state);
  const agent = task.agent_id.value;
  const status = {
    ...masterStatus({ ...failure, state, taskId: taskId(task.task_id.value) }, context.now),
    agent_id: { value: agent },
  };
  countTerminal(context, framework, status, state);
  sendToFramework(context, framework, { type: 'UPDATE', update: { status } });
}
