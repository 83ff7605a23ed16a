import { expect, test } from 'vitest';
import { bareFacts, convergedFacts, statesOf, testCluster, wantedOf } from '../testing/clusters.ts';
import type { HostFacts } from './host-facts.ts';
import type { HostState } from './plan.ts';
import { preflightFaults } from './preflight.ts';

const wanted = wantedOf(testCluster());
const MEBIBYTE = 2 ** 20;
const disk = (mount: string, freeMib: number, isNoexec = false) => ({
  mount,
  sizeBytes: 2 ** 40,
  freeBytes: freeMib * MEBIBYTE,
  isNoexec,
});

test('a fit host has no faults, neither bare nor installed', () => {
  expect(preflightFaults(statesOf(wanted, () => bareFacts()))).toEqual([]);
  expect(preflightFaults(statesOf(wanted, convergedFacts))).toEqual([]);
});

const errors: readonly (readonly [string, Partial<HostFacts>, string])[] = [
  ['root', { isRoot: false }, 'programs do not run as root'],
  [
    'root',
    { isRoot: false, rootProblem: 'sudo refuses: sudo: a password is required' },
    'sudo refuses: sudo: a password is required',
  ],
  ['architecture', { architecture: 'riscv64' }, 'it is riscv64'],
  ['systemd', { systemd: 0 }, 'it is not the first process'],
  ['systemd', { systemd: 199 }, 'it is 199'],
  ['cgroups', { cgroups: 0 }, 'no control groups are mounted'],
  [
    'programs',
    { programs: new Set(['systemctl', 'journalctl', 'timeout']) },
    'tar, sha256sum not found',
  ],
  ['memory', { memoryBytes: 512 * MEBIBYTE }, '512 MiB'],
  ['disk', { diskFreeBytes: 100 * MEBIBYTE }, '100 MiB free at /opt'],
  [
    'disk',
    {
      disks: new Map([
        ['/opt', disk('/', 9_000)],
        ['/var/lib', disk('/var', 100)],
      ]),
    },
    '100 MiB free at /var/lib',
  ],
  [
    'noexec',
    { disks: new Map([['/opt', disk('/opt', 9_000, true)]]) },
    '/opt is mounted noexec, and the release is below it, at /opt/dcos',
  ],
  ['clock', { clockSkewSeconds: -31 }, '31 s behind this machine'],
  ['clock', { clockSkewSeconds: 3600 }, '3600 s ahead of this machine'],
  ['ports', { ports: new Set([22, 5050]) }, 'port 5050 of dcos-mesos-master is in use'],
  ['ports', { loopbackPorts: new Set([53, 80]) }, 'port 80 of dcos-adminrouter is in use'],
  [
    'address',
    { addresses: new Set(['10.9.9.9']) },
    '10.0.0.10 is none of its addresses (10.9.9.9)',
  ],
];

test.each(errors)('%s: %o', (check, facts, reason) => {
  const states = statesOf(wanted, ({ host }) => bareFacts(host.role === 'master' ? facts : {}));
  expect(preflightFaults(states)).toEqual([
    { host: 'master-1', severity: 'error', check, reason, remedy: expect.stringMatching(/.{10}/) },
  ]);
});

const warnings: readonly (readonly [string, Partial<HostFacts>, string])[] = [
  [
    'noexec',
    { disks: new Map([['/var/lib', disk('/var', 9_000, true)]]) },
    '/var is mounted noexec: programs that tasks bring cannot be started',
  ],
  ['clock', { isClockSynchronised: false }, 'it is right now, but nothing keeps it so'],
  ['names', { resolvesOwnName: false }, 'the host does not find an address for its own name'],
  ['selinux', { isSelinuxEnforcing: true }, 'it is enforcing, which is not tested'],
  ['firewall', { hasFirewalld: true }, 'firewalld is active'],
];

test.each(warnings)('%s: %o', (check, facts, reason) => {
  const states = statesOf(wanted, ({ host }) => bareFacts(host.role === 'private' ? facts : {}));
  expect(preflightFaults(states)).toEqual([
    expect.objectContaining({ host: 'private-1', severity: 'warning', check, reason }),
  ]);
});

const remedies: readonly (readonly [string, string])[] = [
  ['sudo: a password is required', 'name one in ssh.sudoPassword'],
  ['the password is wrong', 'the right one in ssh.sudoPassword'],
  ['alice is not in the sudoers file.', 'let the user use sudo for everything'],
  ['sh: 1: sudo: not found', 'install sudo'],
];

test.each(remedies)('what helps when sudo says: %s', (rootProblem, remedy) => {
  const states = statesOf(wanted, () => bareFacts({ isRoot: false, rootProblem }));
  expect(preflightFaults(states)[0]?.remedy).toContain(remedy);
});

test('all faults of all hosts are told at once', () => {
  const broken = bareFacts({ isRoot: false, memoryBytes: 0, clockSkewSeconds: 99 });
  const faults = preflightFaults(statesOf(wanted, () => broken));
  expect(faults.map(({ host, check }) => `${host} ${check}`)).toEqual([
    'master-1 root',
    'master-1 memory',
    'master-1 clock',
    'private-1 root',
    'private-1 memory',
    'private-1 clock',
  ]);
});

const twins: readonly (readonly [string, Partial<HostFacts>, Partial<HostFacts>, string])[] = [
  [
    'one machine under two addresses',
    { machineId: 'm', addresses: new Set(['10.0.0.10', '10.0.0.20']) },
    { machineId: 'm', addresses: new Set(['10.0.0.10', '10.0.0.20']) },
    'error address: it is the same machine as master-1: both addresses are of one host',
  ],
  [
    'two machines with one address',
    { machineId: 'm', addresses: new Set(['10.0.0.10']) },
    { machineId: 'n', addresses: new Set(['10.0.0.10', '10.0.0.20']) },
    'error address: it has the address 10.0.0.10 of master-1, too',
  ],
  [
    'a copy of a machine',
    { machineId: 'm', addresses: new Set(['10.0.0.10']) },
    { machineId: 'm', addresses: new Set(['10.0.0.20']) },
    'warning machine: its machine id is that of master-1: one is a copy of the other',
  ],
];

test.each(twins)('%s', (_what, first, second, expected) => {
  const states = statesOf(wanted, ({ host }) => bareFacts(host.role === 'master' ? first : second));
  const faults = preflightFaults(states);
  expect(faults.map((fault) => `${fault.severity} ${fault.check}: ${fault.reason}`)).toEqual([
    expected,
  ]);
  expect(faults[0]?.host).toBe('private-1');
});

test('an address that the configuration gives to two hosts is told with both', () => {
  const cluster = testCluster();
  const hosts = cluster.hosts.map((host) => ({ ...host, address: '10.0.0.10' }));
  const states: readonly HostState[] = statesOf(wantedOf({ ...cluster, hosts }), () => bareFacts());
  expect(preflightFaults(states)).toEqual([
    expect.objectContaining({ host: 'private-1', reason: '10.0.0.10 is that of master-1, too' }),
  ]);
});
