/** The hosts' part of a plan. A host keeps its zone, image and size for life; what differs is said, not changed. */

import type { Action } from './action.ts';
import { isLive, type Found, type FoundInstance } from './found.ts';
import { displayName, GENERATION_MAX, groupName, KEY, subnetName } from './names.ts';
import type { PlanProblem } from './plan-problem.ts';
import type { Kept } from './select-kept.ts';
import type { Wanted, WantedInstance } from './wanted.ts';

interface InstancesPlan {
  readonly actions: readonly Action[];
  readonly problems: readonly PlanProblem[];
  readonly notes: readonly string[];
}

/** Which hosts to make, start and mend. */
export function planInstances(wanted: Wanted, found: Found, kept: Kept): InstancesPlan {
  const actions: Action[] = [];
  const notes: string[] = [];
  const zones =
    wanted.network.kind === 'own'
      ? wanted.network.zones
      : wanted.network.subnets.map((subnet) => subnet.zone);
  const keyName =
    wanted.key.kind === 'existing' ? wanted.key.keyName : displayName(wanted.cluster, KEY);
  const problems: PlanProblem[] = [...mastersProblems(wanted, found)];
  for (const instance of wanted.instances) {
    const there = kept.instances.get(instance.name);
    if (instance.isLeaving === true) continue;
    if (there !== undefined) {
      actions.push(...mend(there));
      notes.push(...differences(instance, there));
      continue;
    }
    const generation = nextGeneration(found, instance.name);
    if (generation > GENERATION_MAX) {
      problems.push({
        key: 'aws',
        message: `${instance.name} was replaced ${GENERATION_MAX} times`,
        remedy: 'find out what ends it',
      });
      continue;
    }
    actions.push({
      kind: 'createInstance',
      instance,
      generation,
      group: groupName(instance.role),
      subnets:
        instance.place === undefined
          ? subnetsInOrder(instance.name, zones)
          : [subnetName(instance.place.zone)],
      keyName,
    });
  }
  return { actions, problems, notes };
}

/** Hosts of a role go round over the zones; where one has no room, the next ones follow. */
function subnetsInOrder(name: string, zones: readonly string[]): readonly string[] {
  const ordinal = Number(/(\d+)$/.exec(name)?.[1] ?? '1');
  const start = (ordinal - 1) % Math.max(zones.length, 1);
  return [...zones.slice(start), ...zones.slice(0, start)].map(subnetName);
}

function nextGeneration(found: Found, name: string): number {
  const former = found.instances.filter((one) => one.name === name).map((one) => one.generation);
  return Math.max(0, ...former) + 1;
}

function mend({ name, id, state, needsMetadataTokens }: FoundInstance): readonly Action[] {
  const actions: Action[] = [];
  if (state === 'stopped' || state === 'stopping')
    actions.push({ kind: 'startInstance', name, id });
  if (state === 'pending') actions.push({ kind: 'awaitRunning', name, id });
  if (!needsMetadataTokens) actions.push({ kind: 'needMetadataTokens', name, id });
  return actions;
}

function differences(wanted: WantedInstance, there: FoundInstance): readonly string[] {
  if (wanted.instanceType === there.instanceType) return [];
  return [
    `${wanted.name} is ${there.instanceType}, asked for is ${wanted.instanceType}: replace the host to change it`,
  ];
}

/** The members of an ensemble are not removed by a number in a file. */
function mastersProblems(wanted: Wanted, found: Found): readonly PlanProblem[] {
  const wantedNames = new Set(wanted.instances.map((instance) => instance.name));
  const surplus = found.instances.filter(
    (one) => isLive(one) && one.role === 'master' && !wantedNames.has(one.name),
  );
  if (surplus.length === 0) return [];
  return [
    {
      key: 'aws.masters.count',
      message: `${surplus.map((one) => one.name).join(', ')} would be removed; masters hold the cluster's state`,
      remedy: 'set the number back; a master is replaced, not removed',
    },
  ];
}
