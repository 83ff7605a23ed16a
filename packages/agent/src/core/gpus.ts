/**
 * Whole GPUs for tasks: which of the agent's devices each has. The choice is a part of the task's record, so that a
 * restarted agent gives none twice. Source: mesos-kernel §6.6, isolator `gpu/nvidia`.
 *
 * Invariant: a device belongs to one container at most until that has ended.
 */

import { assert } from '@dcos/base';
import type { Resource } from '@dcos/wire';
import type { Context } from './context.ts';
import { isTerminal } from './model.ts';
import type { UpdateFields } from './status-updates.ts';

/** How many of them the resources are; the master refuses parts of one. */
export function gpusOf(resources: readonly Resource[] = []): number {
  return resources.reduce(
    (sum, { name, scalar }) => (name === 'gpus' ? sum + (scalar?.value ?? 0) : sum),
    0,
  );
}

/** Minor numbers of the devices that no container has, lowest first. */
function freeGpus(context: Context): readonly number[] {
  const taken = new Set<number>();
  for (const { state, gpus = [] } of context.live.values())
    if (!isTerminal(state)) for (const gpu of gpus) taken.add(gpu);
  for (const { process } of context.executors.values())
    for (const gpu of process?.gpus ?? []) taken.add(gpu);
  return (context.options.gpus ?? []).filter((gpu) => !taken.has(gpu));
}

/** Why containers with all these resources cannot be launched together, as the update that says so. */
export function gpuRefusal(
  context: Context,
  resources: readonly Resource[],
): UpdateFields | undefined {
  const wanted = gpusOf(resources);
  const free = freeGpus(context).length;
  if (wanted <= free) return undefined;
  return {
    state: 'TASK_DROPPED',
    reason: 'REASON_INVALID_OFFERS',
    message: `The agent does not have the task's resources: ${wanted} gpus wanted, ${free} free`,
  };
}

/** Devices for a container with these resources, of which there are enough; absent for one without. */
export function takeGpus(
  context: Context,
  resources: readonly Resource[] = [],
): readonly number[] | undefined {
  const count = gpusOf(resources);
  if (count === 0) return undefined;
  const free = freeGpus(context);
  assert(count <= free.length, 'who is launched was found to have its GPUs free');
  return free.slice(0, count);
}
