/** The faults that a seed injects where there are several masters and an ensemble. */

import { unreachable } from '@dcos/base';
import type { Direction } from '../connection.ts';
import type { SimulatedAgent } from '../simulated-agent.ts';
import type { World } from '../world.ts';
import type { MastersCluster } from './masters-cluster.ts';

/** Mean time between two faults. */
const FAULT_EVERY_MS = 2_000;
/** Beyond what a session lasts. */
const FREEZE_MAX_MS = 25_000;
const CUT_MAX_MS = 25_000;
const SERVER_DOWN_MAX_MS = 20_000;
/** Clocks are set right by this much at most. */
const CLOCK_JUMP_MAX_MS = 3_600_000;

/** Mostly both ways, at times one: then one side notices before the other. */
const CUTS: readonly (readonly Direction[])[] = [
  ['left', 'right'],
  ['left', 'right'],
  ['left'],
  ['right'],
];

/** How often each fault is chosen, among all. */
const WEIGHTS = {
  leaderDies: 2,
  masterDies: 1,
  leaderFreezes: 3,
  leaderIsCutFromEnsemble: 2,
  clientIsCutFromServer: 2,
  serverDies: 1,
  serverIsCutOff: 3,
  ensembleDies: 1,
  mastersAreCutOff: 1,
  clockJumps: 1,
  agentDies: 1,
  agentIsCutOff: 1,
  agentsAreCutOff: 1,
  agentLinkBreaks: 1,
  hostRestarts: 1,
} as const;
type FaultKind = keyof typeof WEIGHTS;
const KINDS = (Object.keys(WEIGHTS) as FaultKind[]).flatMap((kind) =>
  Array.from({ length: WEIGHTS[kind] }, () => kind),
);

/** Injects a fault now and then for as long as `wanted` says so. */
export function injectMasterFaults(
  world: World,
  cluster: MastersCluster,
  wanted: () => boolean,
): void {
  world.after(world.between(1, 2 * FAULT_EVERY_MS), 'fault', () => {
    if (!wanted()) return;
    const kind = world.pick(KINDS);
    if (kind !== undefined) inject(world, cluster, kind);
    injectMasterFaults(world, cluster, wanted);
  });
}

function inject(world: World, cluster: MastersCluster, kind: FaultKind): void {
  const { hosts, ensemble, agents } = cluster;
  const leader = world.pick(hosts.filter((host) => host.leading() !== undefined));
  const server = world.pick(ensemble.servers);
  const agent = world.pick(agents);
  switch (kind) {
    case 'leaderDies':
      return leader?.crash();
    case 'masterDies':
      return world.pick(hosts)?.crash();
    case 'leaderFreezes':
      return leader?.freeze(world.between(100, FREEZE_MAX_MS));
    case 'leaderIsCutFromEnsemble':
      for (const { name } of ensemble.servers) if (leader) cut(world, cluster, leader.name, name);
      return undefined;
    case 'clientIsCutFromServer':
      if (server) cut(world, cluster, world.pick(cluster.clients) ?? '', server.name);
      return undefined;
    case 'serverDies':
      return server && ensemble.crash(server.name, world.between(100, SERVER_DOWN_MAX_MS));
    case 'serverIsCutOff':
      for (const { name } of ensemble.servers)
        if (server && name !== server.name) cut(world, cluster, server.name, name);
      return undefined;
    case 'ensembleDies': {
      const forMs = world.between(1_000, SERVER_DOWN_MAX_MS);
      for (const { name } of ensemble.servers) ensemble.crash(name, forMs);
      return undefined;
    }
    case 'mastersAreCutOff':
      return cut(world, cluster, world.pick(hosts)?.name ?? '', world.pick(hosts)?.name ?? '');
    case 'clockJumps': {
      const byMs = world.between(-CLOCK_JUMP_MAX_MS, CLOCK_JUMP_MAX_MS);
      world.pick<{ moveClock(byMs: number): void }>([...hosts, ...agents])?.moveClock(byMs);
      return undefined;
    }
    case 'agentDies':
      return agent?.crash();
    case 'agentIsCutOff':
      return agent && cutAgents(world, [agent]);
    case 'agentsAreCutOff':
      return cutAgents(world, agents);
    case 'agentLinkBreaks':
      return agent?.link()?.break();
    case 'hostRestarts':
      return agent?.reboot();
    default:
      return unreachable(kind);
  }
}

/** Nothing gets through between the agents and the masters for a while; they still reach the ensemble. */
function cutAgents(world: World, agents: readonly SimulatedAgent[]): void {
  const forMs = world.between(100, CUT_MAX_MS);
  world.trace(`${agents.map(({ name }) => name).join(' and ')} cut off for ${forMs}`);
  for (const { partition } of agents) {
    partition.cut('left');
    partition.cut('right');
    world.after(forMs, 'heal', () => partition.heal());
  }
}

/** Nothing gets through between two for a while, at least one way. */
function cut(world: World, { ensemble }: MastersCluster, one: string, other: string): void {
  const network = ensemble.networkOf(one, other);
  const forMs = world.between(100, CUT_MAX_MS);
  const directions = world.pick(CUTS) ?? [];
  world.trace(`${one} and ${other} are cut off for ${forMs} (${directions.join(', ')})`);
  for (const direction of directions) network.cut(direction);
  world.after(forMs, `heal ${one} ${other}`, () => network.heal());
}
