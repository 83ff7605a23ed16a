import { expect, test } from 'vitest';
import { bareFacts, convergedFacts, statesOf, testCluster, wantedOf } from '../testing/clusters.ts';
import type { HostFacts } from './host-facts.ts';
import { preflightFaults } from './preflight.ts';

const NOW_SECONDS = 1_800_000_000;
const wanted = wantedOf(testCluster());

test('a fit host has no faults, neither bare nor installed', () => {
  expect(
    preflightFaults(
      statesOf(wanted, () => bareFacts()),
      NOW_SECONDS,
    ),
  ).toEqual([]);
  expect(preflightFaults(statesOf(wanted, convergedFacts), NOW_SECONDS)).toEqual([]);
});

const faults: readonly (readonly [string, Partial<HostFacts>, string])[] = [
  ['root', { isRoot: false }, 'programs do not run as root'],
  ['architecture', { architecture: 'riscv64' }, 'it is riscv64'],
  ['systemd', { systemd: 0 }, 'it is not the first process'],
  ['systemd', { systemd: 199 }, 'it is 199'],
  [
    'programs',
    { programs: new Set(['systemctl', 'journalctl', 'timeout']) },
    'tar, sha256sum not found',
  ],
  ['memory', { memoryBytes: 512 * 2 ** 20 }, '512 MiB'],
  ['disk', { diskFreeBytes: 100 * 2 ** 20 }, '100 MiB free at /opt'],
  ['clock', { clockSeconds: NOW_SECONDS - 31 }, '31 s behind this machine'],
  ['clock', { clockSeconds: NOW_SECONDS + 3600 }, '3600 s ahead of this machine'],
  ['ports', { ports: new Set([22, 5050]) }, 'port 5050 of dcos-mesos-master is in use'],
  [
    'address',
    { addresses: new Set(['10.9.9.9']) },
    '10.0.0.10 is none of its addresses (10.9.9.9)',
  ],
];

test.each(faults)('%s: %o', (check, facts, reason) => {
  const states = statesOf(wanted, ({ host }) => bareFacts(host.role === 'master' ? facts : {}));
  expect(preflightFaults(states, NOW_SECONDS)).toEqual([
    expect.objectContaining({ host: 'master-1', check, reason }),
  ]);
});

test('all faults of all hosts are told at once', () => {
  const broken = bareFacts({ isRoot: false, memoryBytes: 0, clockSeconds: 0 });
  expect(
    preflightFaults(
      statesOf(wanted, () => broken),
      NOW_SECONDS,
    ).map(({ host, check }) => `${host} ${check}`),
  ).toEqual([
    'master-1 root',
    'master-1 memory',
    'master-1 clock',
    'private-1 root',
    'private-1 memory',
    'private-1 clock',
  ]);
});

test('an address that two hosts have is told with both', () => {
  const cluster = testCluster();
  const twice = {
    ...cluster,
    hosts: cluster.hosts.map((host) => ({ ...host, address: '10.0.0.10' })),
  };
  expect(
    preflightFaults(
      statesOf(wantedOf(twice), () => bareFacts()),
      NOW_SECONDS,
    ),
  ).toEqual([
    expect.objectContaining({ host: 'private-1', reason: '10.0.0.10 is that of master-1, too' }),
  ]);
});
