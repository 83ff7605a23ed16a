/** Clusters, hosts and facts for tests of the core. */

import { createHash } from 'node:crypto';
import type { Cluster, HostPlace, ReleasePlan, Role } from '../core/cluster.ts';
import { fileState, type HostFacts, type UnitFacts } from '../core/host-facts.ts';
import type { HostState } from '../core/plan.ts';
import { wantedHost, type HostCertificates, type WantedHost } from '../core/wanted-host.ts';
import { renderTemplate } from '../hosts/host-programs.ts';

const tools = {
  digest: (text: string): string => createHash('sha256').update(text).digest('hex'),
  render: renderTemplate,
  zooKeeper: '3.9.5',
};

export const testRelease: ReleasePlan = {
  hash: '0123456789abcdef',
  version: '0.1.0',
};

export function testCluster(
  counts: {
    readonly masters?: number;
    readonly agents?: number;
    readonly publicAgents?: number;
  } = {},
): Cluster {
  const { masters = 1, agents = 1, publicAgents = 0 } = counts;
  const places = (role: Role, count: number, first: number): readonly HostPlace[] =>
    Array.from({ length: count }, (_, index) => ({
      name: `${role}-${index + 1}`,
      role,
      address: `10.0.0.${first + index}`,
    }));
  return {
    settings: {
      name: 'test',
      resolvers: [],
      dnsTtlSeconds: 60,
      zooKeeperSessionTimeoutMs: 10_000,
      privateAgentResources: 'ports:[1025-2180]',
      publicAgentResources: 'ports:[1-21]',
      tls: false,
    },
    id: '8f3c0f62-0000-4000-8000-000000000000',
    hosts: [
      ...places('master', masters, 10),
      ...places('private', agents, 20),
      ...places('public', publicAgents, 30),
    ],
    routerNames: [],
  };
}

export function wantedOf(
  cluster: Cluster,
  release = testRelease,
  certificates?: HostCertificates,
): readonly WantedHost[] {
  return cluster.hosts.map((host) => wantedHost(cluster, host, release, tools, certificates));
}

/** A host on which nothing of ours is. */
export function bareFacts(facts: Partial<HostFacts> = {}): HostFacts {
  return {
    os: 'debian',
    osLike: '',
    osVersion: '12',
    architecture: 'x86_64',
    systemd: 252,
    isRoot: true,
    memoryBytes: 8 * 2 ** 30,
    diskFreeBytes: 40 * 2 ** 30,
    disks: new Map([
      ['/', { mount: '/', sizeBytes: 80 * 2 ** 30, freeBytes: 40 * 2 ** 30, isNoexec: false }],
    ]),
    clockSkewSeconds: 0,
    machineId: '',
    cgroups: 2,
    isSelinuxEnforcing: false,
    hasFirewalld: false,
    resolvesOwnName: true,
    programs: new Set([
      'systemctl',
      'journalctl',
      'tar',
      'sha256sum',
      'timeout',
      'systemd-socket-activate',
      'bash',
    ]),
    addresses: new Set(),
    ports: new Set(),
    loopbackPorts: new Set(),
    releases: new Set(),
    files: new Map(),
    units: new Map(),
    certificates: new Map(),
    ...facts,
  };
}

/** The same host when everything is as wanted. */
export function convergedFacts(wanted: WantedHost): HostFacts {
  return bareFacts({
    programs: new Set([...bareFacts().programs, 'java']),
    activeRelease: wanted.releaseHash,
    releases: new Set([wanted.releaseHash]),
    ports: new Set(wanted.units.flatMap(({ ports }) => ports)),
    files: new Map(wanted.files.map(({ path, mode, sha256 }) => [path, fileState(mode, sha256)])),
    units: new Map<string, UnitFacts>([
      ['dcos.target', { active: 'active', isEnabled: true, restarts: 0 }],
      ...wanted.units.map(
        ({ name, fingerprint }) =>
          [name, { active: 'active', isEnabled: true, restarts: 0, fingerprint }] as const,
      ),
    ]),
  });
}

export function statesOf(
  wanted: readonly WantedHost[],
  facts: (host: WantedHost) => HostFacts,
): readonly HostState[] {
  return wanted.map((host) => ({ wanted: host, facts: facts(host) }));
}
