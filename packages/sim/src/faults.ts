/** The faults that a seed injects. */

import { unreachable } from '@dcos/base';
import type { Cluster } from './cluster.ts';
import type { Direction } from './connection.ts';
import type { Partition } from './partition.ts';
import type { World } from './world.ts';

/** Mean time between two faults. */
const FAULT_EVERY_MS = 4_000;
const PARTITION_MAX_MS = 12_000;
const SLOW_REGISTRY_MAX_MS = 3_000;
/** Clocks are set right by this much at most. */
const CLOCK_JUMP_MAX_MS = 3_600_000;

/** How often each fault is chosen, among all. */
const WEIGHTS = {
  masterDies: 2,
  masterFreezes: 1,
  registryIsSlow: 1,
  agentDies: 2,
  hostRestarts: 1,
  agentLinkBreaks: 1,
  agentIsCutOff: 2,
  streamBreaks: 1,
  frameworkIsCutOff: 1,
  frameworkFailsOver: 1,
  operatorIsCutOff: 1,
  clockJumps: 1,
} as const;
type FaultKind = keyof typeof WEIGHTS;
const KINDS = (Object.keys(WEIGHTS) as FaultKind[]).flatMap((kind) =>
  Array.from({ length: WEIGHTS[kind] }, () => kind),
);
/** To the master, from it, or both. */
const CUTS: readonly (readonly Direction[])[] = [['left'], ['right'], ['left', 'right']];

/** Injects a fault now and then for as long as `wanted` says so. */
export function injectFaults(world: World, cluster: Cluster, wanted: () => boolean): void {
  world.after(world.between(1, 2 * FAULT_EVERY_MS), 'fault', () => {
    if (!wanted()) return;
    const kind = world.pick(KINDS);
    if (kind !== undefined) inject(world, cluster, kind);
    injectFaults(world, cluster, wanted);
  });
}

function inject(world: World, cluster: Cluster, kind: FaultKind): void {
  const { master } = cluster;
  const operator = world.pick(cluster.operators);
  const agent = world.pick(cluster.agents);
  const framework = world.pick(cluster.frameworks);
  switch (kind) {
    case 'masterDies':
      return master.crash();
    case 'masterFreezes':
      return master.freeze();
    case 'registryIsSlow':
      return master.delayRegistry(world.between(1, SLOW_REGISTRY_MAX_MS));
    case 'agentDies':
      return agent?.crash();
    case 'hostRestarts':
      return agent?.reboot();
    case 'agentLinkBreaks':
      return agent?.link()?.break();
    case 'agentIsCutOff':
      return agent && cutOff(world, agent);
    case 'streamBreaks':
      return framework?.disconnect();
    case 'frameworkIsCutOff':
      return framework && cutOff(world, framework);
    case 'frameworkFailsOver':
      return framework?.failOver();
    case 'operatorIsCutOff':
      return operator && cutOff(world, operator);
    case 'clockJumps':
      return jump(world, world.pick([master, ...cluster.agents]));
    default:
      return unreachable(kind);
  }
}

interface Party {
  readonly name: string;
  readonly partition: Partition;
}

function cutOff(world: World, { name, partition }: Party): void {
  const cut = world.pick(CUTS) ?? [];
  world.trace(`${name} is cut off (${cut.join(', ')})`);
  for (const direction of cut) partition.cut(direction);
  world.after(world.between(100, PARTITION_MAX_MS), 'heal', () => partition.heal());
}

function jump(
  world: World,
  host: { readonly name: string; moveClock(byMs: number): void } | undefined,
): void {
  const byMs = world.between(-CLOCK_JUMP_MAX_MS, CLOCK_JUMP_MAX_MS);
  world.trace(`the clock of ${host?.name} jumps by ${byMs}`);
  host?.moveClock(byMs);
}
