import { describe, expect, test } from 'vitest';
import { convergedFacts, statesOf, testCluster, wantedOf } from '../testing/clusters.ts';
import {
  AUTHORITIES_FILE,
  fingerprintText,
  leafReason,
  namesOf,
  NODE_FILE,
  signer,
  trustedText,
  type AuthorityCertificate,
  type AuthorityView,
  type LeafFacts,
} from './certificates.ts';
import { fileState } from './host-facts.ts';
import { planCluster } from './plan.ts';

const DAY_MS = 86_400_000;
const authorityNamed = (name: string): AuthorityCertificate => ({
  certificate: `${name}\n`,
  fingerprint: name,
  notAfterMs: 3_650 * DAY_MS,
  notAfterDay: '1979-12-30',
});
const current = authorityNamed('current');
const next = authorityNamed('next');

test.each<[AuthorityView['stage'], AuthorityView, string, string]>([
  ['steady', { generation: 1, stage: 'steady', current }, 'current', 'current\n'],
  [
    'introduced',
    { generation: 2, stage: 'introduced', current, next },
    'current',
    'current\nnext\n',
  ],
  ['adopted', { generation: 3, stage: 'adopted', current, next }, 'next', 'next\ncurrent\n'],
])('%s: who signs, and who is trusted', (_stage, view, signs, trusted) => {
  expect(signer(view).fingerprint).toBe(signs);
  expect(trustedText(view)).toBe(trusted);
});

test('fingerprints are written as other programs show them', () => {
  expect(fingerprintText('0a1bff')).toBe('0A:1B:FF');
});

test('masters are asked by the names of the leader, too, and all by their addresses', () => {
  const cluster = { ...testCluster({ masters: 1 }), routerNames: ['dcos.example.com'] };
  const names = cluster.hosts.map((host) => namesOf(cluster, host));
  expect(names).toEqual([
    [
      '10.0.0.10',
      'master-1',
      'localhost',
      '127.0.0.1',
      'leader.mesos',
      'master.mesos',
      'marathon.mesos',
      'master0.mesos',
      'dcos.example.com',
    ],
    ['10.0.0.20', 'private-1', 'localhost', '127.0.0.1'],
  ]);
});

describe('whether a host needs another certificate', () => {
  const good: LeafFacts = {
    fingerprint: 'leaf',
    notBeforeMs: 0,
    notAfterMs: 300 * DAY_MS,
    notBeforeDay: '1970-01-01',
    notAfterDay: '1970-10-28',
    signedBy: 'current',
    names: ['a', 'b'],
    hasItsKey: true,
  };
  const files = {
    [NODE_FILE]: fileState(0o600, 'x'),
    [AUTHORITIES_FILE]: fileState(0o644, 'trusted'),
  };
  const ask = (
    change: {
      readonly leaf?: Partial<LeafFacts> | null;
      readonly files?: Readonly<Record<string, string>>;
      readonly days?: number;
      readonly authority?: AuthorityView;
      readonly wantedNames?: readonly string[];
    } = {},
  ): string | undefined =>
    leafReason({
      wantedNames: change.wantedNames ?? ['a', 'b'],
      leaf: change.leaf === null ? undefined : { ...good, ...change.leaf },
      facts: { files: new Map(Object.entries(change.files ?? files)) },
      authority: change.authority ?? { generation: 1, stage: 'steady', current },
      trustedSha256: 'trusted',
      nowMs: (change.days ?? 100) * DAY_MS,
    });

  test.each<[string, Parameters<typeof ask>[0], string | undefined]>([
    ['all as it should be', {}, undefined],
    ['a day before a third of its life is left', { days: 199 }, undefined],
    ['a day after', { days: 201 }, 'it ends on 1970-10-28'],
    ['expired', { days: 300 }, 'it expired on 1970-10-28'],
    ['of tomorrow', { leaf: { notBeforeMs: 101 * DAY_MS } }, 'it is not valid before 1970-01-01'],
    ['nothing there', { files: {} }, 'it has none'],
    ['unreadable', { leaf: null }, `${NODE_FILE} has no certificate that can be read`],
    [
      'the key of another',
      { leaf: { hasItsKey: false } },
      `the key in ${NODE_FILE} is not that of its certificate, or cannot be read`,
    ],
    [
      'a key that others can read',
      { files: { ...files, [NODE_FILE]: fileState(0o644, 'x') } },
      `${NODE_FILE} has the permissions 644: others may have read its key`,
    ],
    ['a name more', { wantedNames: ['a', 'c', 'd'] }, 'it is not for c, d'],
    ['a name less', { wantedNames: ['a'] }, undefined],
    ['a stranger', { leaf: { signedBy: 'stranger' } }, 'it is signed by a stranger'],
    [
      'the former authority',
      { authority: { generation: 3, stage: 'adopted', current, next } },
      'it is signed by another authority than the one that signs now',
    ],
    [
      'other authorities trusted',
      { files: { ...files, [AUTHORITIES_FILE]: fileState(0o644, 'others') } },
      'other authorities are to be trusted',
    ],
  ])('%s', (_name, change, reason) => {
    expect(ask(change)).toBe(reason);
  });

  test('the next authority signs already while the former is trusted', () => {
    expect(
      ask({
        leaf: { signedBy: 'next' },
        authority: { generation: 3, stage: 'adopted', current, next },
      }),
    ).toBeUndefined();
  });
});

test('with TLS everything is reached by it, and shows and trusts the same files', () => {
  const plain = testCluster({ masters: 3, publicAgents: 1 });
  const cluster = { ...plain, settings: { ...plain.settings, tls: true } };
  for (const { units, files } of wantedOf(cluster)) {
    for (const { readiness } of units) {
      if (readiness.kind === 'http') expect(readiness.url).toMatch(/^https:/);
      else expect(readiness.scheme).toBe('https');
    }
    const settings = files.filter(({ path }) => /^\/etc\/dcos\/[^/]+\.json$/.test(path));
    expect(settings.length).toBe(units.length === 1 ? 1 : units.length - 1);
    for (const { text } of settings) {
      expect(JSON.parse(String(text))).toMatchObject({
        sslCertFile: NODE_FILE,
        sslKeyFile: NODE_FILE,
        sslCaFile: AUTHORITIES_FILE,
        zkTls: true,
      });
      expect(String(text)).not.toContain('http:');
    }
    const ensemble = files.find(({ path }) => path.endsWith('zookeeper.cfg'));
    if (ensemble !== undefined) expect(String(ensemble.text)).not.toMatch(/^clientPort=/m);
  }
});

test('ZooKeeper starts again with another certificate, all others go on', () => {
  const [before, after] = ['a', 'b'].map((sha256) =>
    wantedOf(testCluster(), undefined, {
      files: [{ path: NODE_FILE, text: undefined, mode: 0o600, sha256 }],
      isRefused: false,
    }).flatMap(({ units }) => units),
  );
  const changed = before?.filter(
    ({ fingerprint }, index) => fingerprint !== after?.[index]?.fingerprint,
  );
  expect(changed?.map(({ name }) => name)).toEqual(['dcos-zookeeper']);
});

test.each([
  [false, [[], ['master-1/whole 1'], ['master-1/whole 2']]],
  [true, [[], [], []]],
])(
  'servers of an ensemble wait for one another unless nobody hears them: %s',
  (isRefused, waits) => {
    const cluster = testCluster({ masters: 3 });
    const [before, after] = ['a', 'b'].map((sha256) =>
      wantedOf(cluster, undefined, {
        files: [{ path: NODE_FILE, text: undefined, mode: 0o600, sha256 }],
        isRefused,
      }),
    );
    const found = new Map(before?.map((wanted) => [wanted.host.name, convergedFacts(wanted)]));
    const steps = planCluster(
      statesOf(after ?? [], (wanted) => found.get(wanted.host.name) ?? convergedFacts(wanted)),
    );
    const servers = steps.filter(({ kind }) => kind === 'unit');
    expect(servers.map(({ id }) => id)).toEqual(
      [1, 2, 3].map((number) => `master-${number}/dcos-zookeeper`),
    );
    const gates = (ids: readonly string[]) => ids.filter((id) => id.includes('whole'));
    expect(servers.map(({ after: earlier }) => gates(earlier))).toEqual(waits);
  },
);
