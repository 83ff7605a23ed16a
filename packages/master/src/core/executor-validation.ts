/**
 * What an executor must be like. The first problem is the message of the TASK_ERROR of its tasks.
 * Source: the original's validation; the texts have its meaning.
 */

import { executorId, idProblem } from '@dcos/base';
import { Resources, validateResources } from '@dcos/resources';
import { ExecutorInfoType, toJsonText, type ExecutorInfo } from '@dcos/wire';
import { findExecutor } from './executors.ts';
import { environmentProblem, secretVolumeProblem } from './secret-validation.ts';
import { mixProblem, persistenceProblem, type LaunchPlace } from './task-validation.ts';

/** Says what is wrong with an executor, or undefined. Resources carry their allocation already. */
export function executorProblem(executor: ExecutorInfo, place: LaunchPlace): string | undefined {
  return (
    identityProblem(executor, place) ??
    kindProblem(executor) ??
    environmentProblem(executor.command) ??
    secretVolumeProblem(executor.container) ??
    sharingProblem(executor) ??
    executorResourcesProblem(executor) ??
    sameExecutorProblem(executor, place)
  );
}

function identityProblem(executor: ExecutorInfo, { framework }: LaunchPlace): string | undefined {
  const problem = idProblem(executor.executor_id.value);
  if (problem !== undefined) return `ExecutorInfo has an invalid ExecutorID: ${problem}`;
  const id = executor.framework_id?.value;
  if (id !== undefined && id !== framework.id)
    return `ExecutorInfo has an invalid FrameworkID (Actual: ${id} vs Expected: ${framework.id})`;
  const grace = executor.shutdown_grace_period?.nanoseconds;
  return grace !== undefined && grace < 0
    ? "ExecutorInfo's 'shutdown_grace_period' must be non-negative"
    : undefined;
}

function kindProblem({ type, command, container }: ExecutorInfo): string | undefined {
  if (type === 'DEFAULT') {
    if (command !== undefined)
      return "'ExecutorInfo.command' must not be set for 'DEFAULT' executor";
    if (container === undefined) return undefined;
    if (container.type !== 'MESOS')
      return "'ExecutorInfo.container.type' must be 'MESOS' for 'DEFAULT' executor";
    return container.mesos?.image === undefined
      ? undefined
      : "'ExecutorInfo.container.mesos.image' must not be set for 'DEFAULT' executor";
  }
  // An executor without a type is from before there were types, and custom.
  return command === undefined
    ? "'ExecutorInfo.command' must be set for 'CUSTOM' executor"
    : undefined;
}

function sharingProblem({ container }: ExecutorInfo): string | undefined {
  return container?.linux_info?.share_cgroups === true
    ? "'share_cgroups' cannot be true for an executor"
    : undefined;
}

function executorResourcesProblem(executor: ExecutorInfo): string | undefined {
  const wire = executor.resources ?? [];
  const problem = validateResources(wire);
  if (problem !== undefined) return `Executor uses invalid resources: ${problem}`;
  const resources = Resources.fromWire(wire);
  if (resources.entries.some(({ nature }) => nature.shared))
    return 'Executor resources must not be shared';
  return mixProblem('Executor', resources) ?? persistenceProblem('Executor', resources);
}

function sameExecutorProblem(
  executor: ExecutorInfo,
  { framework, agent }: LaunchPlace,
): string | undefined {
  const running = findExecutor(agent, framework.id, executorId(executor.executor_id.value));
  if (running === undefined) return undefined;
  return sameExecutor(running.info, executor)
    ? undefined
    : 'ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID ' +
        `'${executor.executor_id.value}'`;
}

function sameExecutor(left: ExecutorInfo, right: ExecutorInfo): boolean {
  const rest = (info: ExecutorInfo): string => {
    const { resources: _resources, ...others } = info;
    return toJsonText(ExecutorInfoType, others);
  };
  const resources = (info: ExecutorInfo): Resources => Resources.fromWire(info.resources);
  return rest(left) === rest(right) && resources(left).equals(resources(right));
}
