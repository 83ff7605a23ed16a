/**
 * What a framework of the world launches out of an offer: a few tasks, each on its own, or a group of them under
 * the default executor. Some groups have an executor of their own, others share the framework's one on that agent.
 */

import type { Offer, Offer_Operation, Resource, TaskInfo } from '@dcos/wire';
import { isReserved } from './framework-operations.ts';
import type { World } from './world.ts';

const GROUP_PROBABILITY = 0.35;
const OWN_EXECUTOR_PROBABILITY = 0.5;
const TASKS_AT_ONCE_MAX = 3;
const EXECUTOR_CPUS = 0.1;

export interface Launch {
  readonly operation: Offer_Operation;
  readonly taskIds: readonly string[];
}

export interface FrameworkLaunches {
  /** Tasks for an offer that has room for one at least; `volume` goes to the first of them. */
  launchFor(offer: Offer, volume: Resource | undefined): Launch | undefined;
  /** By task id: all tasks of its group. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
}

export function createFrameworkLaunches(
  world: World,
  { name, groups: mayGroup }: { readonly name: string; readonly groups: boolean },
): FrameworkLaunches {
  const groups = new Map<string, readonly string[]>();
  let nextTask = 0;

  function taskFor(offer: Offer, volume: Resource | undefined): TaskInfo {
    const id = `${name}-${nextTask++}`;
    return {
      name: id,
      task_id: { value: id },
      agent_id: offer.agent_id,
      command: { value: 'sim' },
      resources: [scalar('cpus', 1), scalar('mem', 64), ...(volume === undefined ? [] : [volume])],
    };
  }

  function groupOf(offer: Offer, tasks: readonly TaskInfo[], first: string): Offer_Operation {
    const isOwn = world.chance(OWN_EXECUTOR_PROBABILITY);
    return {
      type: 'LAUNCH_GROUP',
      launch_group: {
        executor: {
          type: 'DEFAULT',
          executor_id: { value: isOwn ? `pod-${first}` : `pods-${name}` },
          ...(offer.framework_id !== undefined && { framework_id: offer.framework_id }),
          resources: [scalar('cpus', EXECUTOR_CPUS), scalar('mem', 32), scalar('disk', 10)],
        },
        task_group: { tasks },
      },
    };
  }

  return {
    groups,
    launchFor(offer, volume) {
      const cpus = plainCpusOf(offer);
      const isGroup = mayGroup && world.chance(GROUP_PROBABILITY);
      const room = Math.floor(isGroup ? cpus - EXECUTOR_CPUS : cpus);
      const count = Math.min(world.between(1, TASKS_AT_ONCE_MAX), room);
      const tasks = Array.from({ length: Math.max(0, count) }, (_, index) =>
        taskFor(offer, index === 0 ? volume : undefined),
      );
      const taskIds = tasks.map(({ task_id }) => task_id.value);
      const [first] = taskIds;
      if (first === undefined) return undefined;
      if (!isGroup)
        return { taskIds, operation: { type: 'LAUNCH', launch: { task_infos: tasks } } };
      for (const id of taskIds) groups.set(id, taskIds);
      return { taskIds, operation: groupOf(offer, tasks, first) };
    },
  };
}

function plainCpusOf(offer: Offer): number {
  const plain = offer.resources?.find(
    (resource) => resource.name === 'cpus' && !isReserved(resource),
  );
  return plain?.scalar?.value ?? 0;
}

function scalar(name: string, value: number): Resource {
  return { name, type: 'SCALAR', scalar: { value } };
}
