/**
 * What the tasks of a LAUNCH_GROUP and their executor must be like, beyond the rules for each of them.
 * Source: the original's validation; the texts have its meaning.
 */

import { executorId } from '@dcos/base';
import { Resources } from '@dcos/resources';
import type { ExecutorInfo, TaskInfo } from '@dcos/wire';
import { executorProblem } from './executor-validation.ts';
import { findExecutor } from './executors.ts';
import {
  sharesCgroups,
  taskProblem,
  togetherProblem,
  type LaunchPlace,
} from './task-validation.ts';

/** Least an executor of a group must have, in thousandths. */
const CPUS_MIN = 10;
const MEM_MIN = 32_000;

/** Says what is wrong with a group, or undefined. Resources carry their allocation already. */
export function groupProblem(
  tasks: readonly TaskInfo[],
  executor: ExecutorInfo,
  place: LaunchPlace,
): string | undefined {
  if (tasks.length === 0) return 'Task group cannot be empty';
  if (executor.type === undefined || executor.type === 'UNKNOWN')
    return "'LAUNCH_GROUP.executor.type' must be set";
  if (executor.container?.type === 'DOCKER')
    return 'Docker ContainerInfo is not supported on the executor';
  const seen = new Set<string>();
  for (const task of tasks) {
    const id = task.task_id.value;
    if (seen.has(id)) return `Task group has duplicate task ID: ${id}`;
    seen.add(id);
    const problem = memberProblem(task, executor, place);
    if (problem !== undefined) return `Task '${id}' is invalid: ${problem}`;
  }
  return (
    executorProblem(executor, place) ??
    sizeProblem(executor) ??
    togetherProblem('Task group with its executor', allResources(tasks, executor)) ??
    sharingProblem(tasks, executor, place)
  );
}

function memberProblem(
  task: TaskInfo,
  executor: ExecutorInfo,
  place: LaunchPlace,
): string | undefined {
  if (task.container?.type === 'DOCKER') return 'Docker ContainerInfo is not supported on the task';
  if (task.executor !== undefined && task.executor.executor_id.value !== executor.executor_id.value)
    return "The 'executor' of the task is not that of the LAUNCH_GROUP";
  if ((task.container?.network_infos ?? []).length > 0)
    return 'NetworkInfos must not be set on the task';
  // The executor of the group stands for the one of the task, which checks demand or forbid.
  const { executor: _executor, ...alone } = task;
  if (Object.keys(task.limits ?? {}).length > 0 && sharesCgroups(task.container)) {
    return "Resource limits may only be set for tasks within a task group when 'share_cgroups' is false";
  }
  return taskProblem(alone, place);
}

function sizeProblem(executor: ExecutorInfo): string | undefined {
  const resources = Resources.fromWire(executor.resources);
  const cpus = resources.scalarMilli('cpus');
  const mem = resources.scalarMilli('mem');
  if (cpus < CPUS_MIN)
    return `Executor '${executor.executor_id.value}' uses less CPUs than the minimum required (0.01)`;
  if (mem < MEM_MIN)
    return `Executor '${executor.executor_id.value}' uses less memory than the minimum required (32MB)`;
  return resources.scalarMilli('disk') === 0
    ? `Executor '${executor.executor_id.value}' needs disk`
    : undefined;
}

function allResources(tasks: readonly TaskInfo[], executor: ExecutorInfo): Resources {
  const all = [...tasks, executor].flatMap(({ resources = [] }) => resources);
  return Resources.fromWire(all);
}

/** All tasks of an executor share its control groups, or none does; also those that it runs already. */
function sharingProblem(
  tasks: readonly TaskInfo[],
  executor: ExecutorInfo,
  { framework, agent }: LaunchPlace,
): string | undefined {
  const id = executorId(executor.executor_id.value);
  const runs = findExecutor(agent, framework.id, id) !== undefined;
  const present = runs ? [...(agent.tasks.get(framework.id)?.values() ?? [])] : [];
  const containers = [
    ...tasks.map(({ container }) => container),
    ...present
      .filter(({ task }) => task.executor_id?.value === id)
      .map(({ task }) => task.container),
  ];
  return new Set(containers.map(sharesCgroups)).size > 1
    ? "'share_cgroups' must be the same for all tasks of a group and of their executor"
    : undefined;
}
