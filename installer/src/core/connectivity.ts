/**
 * Whether hosts reach each other where the components will. Before an installation nothing listens there, so each host
 * listens for a moment at the ports that are to be its own, and says a word by which it is known: a host that finds
 * another word has reached another machine with the same address.
 *
 * Before an installation only ways from and to hosts on which nothing of ours runs yet are looked at; the others are in
 * use, and are looked at when something is wrong. Nobody listens for that: what is installed does.
 */

import type { Role } from './cluster.ts';
import { PORTS } from './component-settings.ts';
import type { HostState } from './plan.ts';
import type { PreflightFault } from './preflight.ts';

/** A port of a host that another host has to reach. */
export interface Way {
  readonly from: string;
  readonly to: string;
  readonly address: string;
  readonly port: number;
  /** Whether the host listens there for the test; else what is installed does. */
  readonly isTest: boolean;
}

/** What was found at the end of a way: the right host, another one, nobody who listens, nobody at all. */
export type WayAnswer = 'right' | 'wrong' | 'refused' | 'silent';

/** Ports of a role that others connect to, by the role of those. */
const PORTS_BETWEEN: Readonly<Record<Role, (from: Role, masters: number) => readonly number[]>> = {
  master(from, masters) {
    const ensemble = masters > 1 ? [PORTS.zooKeeperPeers, PORTS.zooKeeperElection] : [];
    const amongMasters = from === 'master' ? [PORTS.marathon, ...ensemble] : [];
    return [PORTS.zooKeeper, PORTS.master, PORTS.dns, PORTS.router, ...amongMasters];
  },
  private: (from) => (from === 'master' ? [PORTS.agent] : []),
  public: (from) => (from === 'master' ? [PORTS.agent] : []),
};

/** Hosts that can be asked: what is wrong with the others is known. */
function isAble({ facts }: HostState): boolean {
  return (
    facts.isRoot && ['systemd-socket-activate', 'bash'].every((name) => facts.programs.has(name))
  );
}

function isInstalled({ facts, wanted }: HostState): boolean {
  return wanted.units.some(({ name }) => facts.units.get(name)?.fingerprint !== undefined);
}

/** All ways of hosts that are new, in the order of the hosts. */
export function waysOf(states: readonly HostState[]): readonly Way[] {
  return waysBetween(states, (isInUse) => !isInUse);
}

/** All ways between hosts on which something of ours serves, which should be open as long as it does. */
export function waysInUse(states: readonly HostState[]): readonly Way[] {
  return waysBetween(states, (isInUse) => isInUse);
}

function waysBetween(
  states: readonly HostState[],
  isLookedAt: (isInUse: boolean) => boolean,
): readonly Way[] {
  const masters = states.filter(({ wanted: { host } }) => host.role === 'master').length;
  const able = states.filter(isAble);
  return able.flatMap((source) =>
    able.flatMap((target) => {
      const [from, to] = [source.wanted.host, target.wanted.host];
      const isInUse = isInstalled(source) && isInstalled(target);
      if (!isLookedAt(isInUse) || from.name === to.name || from.address === to.address) return [];
      return PORTS_BETWEEN[to.role](from.role, masters)
        .filter((port) => isInstalled(target) === isServed(target, port))
        .map((port) => {
          const isTest = !isInstalled(target);
          return { from: from.name, to: to.name, address: to.address, port, isTest };
        });
    }),
  );
}

/** Somebody listens there: what is installed, or whoever is in its way, which is told elsewhere. */
function isServed({ facts }: HostState, port: number): boolean {
  return facts.ports.has(port) || (facts.loopbackPorts.has(port) && port !== PORTS.dns);
}

/** Where a host has to listen for these ways. */
export function testPortsOf(ways: readonly Way[], host: string): readonly number[] {
  const ports = ways.filter(({ to, isTest }) => isTest && to === host).map(({ port }) => port);
  return [...new Set(ports)];
}

/** What hosts found, a fault for each pair of hosts and kind of answer. */
export function wayFaults(
  found: readonly { readonly way: Way; readonly answer: WayAnswer }[],
): readonly PreflightFault[] {
  const groups = new Map<
    string,
    { readonly way: Way; readonly answer: WayAnswer; ports: number[] }
  >();
  for (const { way, answer } of found) {
    if (answer === 'right') continue;
    const key = JSON.stringify([way.from, way.to, answer]);
    const group = groups.get(key) ?? { way, answer, ports: [] };
    groups.set(key, { ...group, ports: [...group.ports, way.port] });
  }
  return [...groups.values()].map(({ way: { from, to, address }, answer, ports }) => {
    const where = `${to === address ? to : `${to} (${address})`} at port ${ports.join(', ')}`;
    const fault = { host: from, severity: 'error' } as const;
    if (answer === 'wrong') {
      return {
        ...fault,
        check: 'address',
        reason: `another machine answers for ${where}`,
        remedy: `find it (ip neigh show ${address}) and give it another address`,
      };
    }
    return {
      ...fault,
      check: 'connection',
      reason: `it does not reach ${where}: ${answer === 'refused' ? 'it is refused' : 'no answer'}`,
      remedy:
        'let hosts of the cluster through: packet filters of both, and of the network between',
    };
  });
}
