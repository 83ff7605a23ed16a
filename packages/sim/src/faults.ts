/** The faults that a seed injects. */

import type { Cluster } from './cluster.ts';
import type { World } from './world.ts';

/** Mean time between two faults. */
const FAULT_EVERY_MS = 4_000;
const STALL_MAX_MS = 12_000;

/** Injects a fault now and then for as long as `wanted` says so. */
export function injectFaults(world: World, cluster: Cluster, wanted: () => boolean): void {
  world.after(world.between(1, 2 * FAULT_EVERY_MS), 'fault', () => {
    if (!wanted()) return;
    injectOne(world, cluster);
    injectFaults(world, cluster, wanted);
  });
}

function injectOne(world: World, { master, agents, frameworks }: Cluster): void {
  const agent = world.pick(agents);
  const framework = world.pick(frameworks);
  const kind = world.between(0, 11);
  if (kind <= 1) master.crash();
  else if (kind <= 3) agent?.crash();
  else if (kind === 4) agent?.reboot();
  else if (kind === 5) agent?.link()?.break();
  else if (kind === 6) framework?.disconnect();
  else if (kind === 10) framework?.failOver();
  else if (kind === 11) master.freeze();
  else {
    // A partition: nothing arrives for a while, then all of it, or the connection is given up first.
    const link = kind <= 8 ? agent?.link() : framework?.link();
    world.trace(`a partition of ${kind <= 8 ? agent?.name : framework?.name}`);
    link?.stall();
    world.after(world.between(100, STALL_MAX_MS), 'release', () => link?.release());
  }
}
