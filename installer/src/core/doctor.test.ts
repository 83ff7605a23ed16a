import { expect, test } from 'vitest';
import { bareFacts, convergedFacts, statesOf, testCluster, wantedOf } from '../testing/clusters.ts';
import { NODE_FILE } from './certificates.ts';
import { diagnose, type Finding } from './doctor.ts';
import type { HostFacts } from './host-facts.ts';

const wanted = wantedOf(testCluster());
const MEBIBYTE = 2 ** 20;

const disk = (sizeMib: number, freeMib: number, mount = '/var/log'): Partial<HostFacts> => ({
  disks: new Map([
    [
      '/var/log',
      { mount, sizeBytes: sizeMib * MEBIBYTE, freeBytes: freeMib * MEBIBYTE, isNoexec: false },
    ],
  ]),
});
const unit = (active: string, restarts = 0) => {
  return (facts: HostFacts): Partial<HostFacts> => {
    const found = facts.units.get('dcos-mesos-slave');
    if (found === undefined) return {};
    return {
      units: new Map([...facts.units, ['dcos-mesos-slave', { ...found, active, restarts }]]),
    };
  };
};

const cases: readonly (readonly [
  string,
  (facts: HostFacts) => Partial<HostFacts>,
  readonly string[],
])[] = [
  ['a healthy cluster', () => ({}), []],
  ['a stopped unit', unit('inactive'), ['unit: dcos-mesos-slave is inactive']],
  ['a failed unit', unit('failed'), ['unit: dcos-mesos-slave is failed']],
  ['a few restarts', unit('active', 5), []],
  [
    'many restarts',
    unit('active', 6),
    ['unit: dcos-mesos-slave ended and was started again 6 times'],
  ],
  [
    'a full disk',
    () => disk(10_000, 0),
    ['disk: /var/log is 100 % full: 0 MiB are free at /var/log'],
  ],
  [
    'a nearly full disk',
    () => disk(10_000, 490),
    ['disk: /var/log is 95 % full: 490 MiB are free at /var/log'],
  ],
  ['a disk with room', () => disk(10_000, 510), []],
  ['a small disk with room', () => disk(64, 40), []],
  [
    'a clock that is wrong',
    () => ({ clockSkewSeconds: -3600 }),
    ['clock: 3600 s behind this machine'],
  ],
  [
    'a host that lets nobody be root: the rest cannot be seen',
    () => ({ isRoot: false, units: new Map(), files: new Map() }),
    ['root: programs do not run as root'],
  ],
  [
    'a file that somebody changed',
    ({ files }) => ({ files: new Map([...files, ['/etc/dcos/role', '644 x']]) }),
    ['configuration: it differs from the configuration in 1 thing'],
  ],
];

test.each(cases)('%s', (_what, change, expected) => {
  const states = statesOf(wanted, (host) => {
    const facts = convergedFacts(host);
    return host.host.role === 'master' ? facts : { ...facts, ...change(facts) };
  });
  const findings = diagnose(states);
  expect(findings.map(({ check, reason }) => `${check}: ${reason}`)).toEqual(expected);
  for (const { host, remedy } of findings) {
    expect(host).toBe('private-1');
    expect(remedy).not.toBe('');
  }
});

test('a disk that several paths share is told once', () => {
  const { disks } = bareFacts(disk(100, 0, '/'));
  const shared = new Map([
    ...disks,
    ['/opt', { mount: '/', sizeBytes: 100, freeBytes: 0, isNoexec: false }],
  ]);
  const states = statesOf(wanted, (host) => ({ ...convergedFacts(host), disks: shared }));
  expect(diagnose(states)).toHaveLength(2);
});

/** A cluster of which every host gets another certificate, as facts of hosts with the former one. */
const rotating = wantedOf(testCluster({ masters: 2 }), undefined, {
  files: [{ path: NODE_FILE, text: '', mode: 0o600, sha256: 'next' }],
  isRefused: false,
});
const former = wantedOf(testCluster({ masters: 2 }), undefined, {
  files: [{ path: NODE_FILE, text: undefined, mode: 0o600, sha256: 'former' }],
  isRefused: false,
});
const expired = (host: string): Finding => {
  return { host, severity: 'error', check: 'certificate', reason: 'it expired', remedy: 'deploy' };
};

test.each<[string, Partial<HostFacts>, readonly string[]]>([
  ['for its reason alone', {}, ['certificate']],
  [
    'beside what else differs',
    { programs: bareFacts().programs },
    ['certificate', 'configuration'],
  ],
])('a certificate that is due is told %s', (_what, change, checks) => {
  const states = rotating.map((wanted, index) => {
    const facts = convergedFacts(wanted);
    const before = convergedFacts(former[index] ?? wanted);
    const isFirst = wanted.host.name === 'master-1';
    return {
      wanted,
      facts: {
        ...facts,
        files: before.files,
        units: before.units,
        ...(isFirst ? change : {}),
      },
    };
  });
  const due = rotating.map(({ host }) => expired(host.name));
  const findings = diagnose(states, due).filter(({ host }) => host === 'master-1');
  expect(findings.map(({ check }) => check)).toEqual(checks);
  const told = diagnose(states).filter(({ check }) => check === 'configuration');
  expect(told.map(({ host }) => host)).toEqual(['master-1', 'master-2', 'private-1']);
});
