/** Upgrades of a cluster in memory: who changes when, what happens when it does not serve, and where kills lead. */

import { OperationError } from '@dcos/base';
import { temporaryDirectory } from '@dcos/testkit';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { FakeCluster, fakeRelease, Killed } from '../testing/fake-cluster.ts';
import { deploy } from './deploy.ts';
import { upgrade, type UpgradeOptions } from './upgrade.ts';

const folder = temporaryDirectory('upgrade');
afterAll(() => folder.remove());

const [OLD, NEW] = [fakeRelease('a'), fakeRelease('b')];
/** A command for each call of one: seconds, on a machine that has nothing else to do. */
const KILLS_TIMEOUT_MS = 300_000;
let cluster: FakeCluster;

/** A cluster that serves, of which the first master leads. */
async function deployed(privateAgents = 3): Promise<FakeCluster> {
  const made = new FakeCluster({ masters: 3, privateAgents });
  const { session, surroundings } = made.session(folder.path, OLD);
  await deploy(session, {}, surroundings);
  made.elect('master-1');
  made.calls.length = 0;
  return made;
}

beforeEach(async () => {
  cluster = await deployed();
});

async function upgrading(options: UpgradeOptions = {}): Promise<void> {
  const { session, surroundings } = cluster.session(folder.path, NEW);
  await upgrade(session, { soak: '0', agentsAtATime: '2', ...options }, surroundings);
}

/** Hosts by the letter of the release that they have and that all their units run. */
function releases(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...cluster.hosts].map(([name, { active, units }]) => {
      const running = [...units].flatMap(([unit, { release }]) => {
        // Nothing of a release is in it.
        return ['dcos.target', 'dcos-zookeeper'].includes(unit) ? [] : [release];
      });
      return [name, [...new Set([active, ...running])].map((hash) => hash?.[0]).join('')];
    }),
  );
}

const all = (letter: string): Readonly<Record<string, string>> =>
  Object.fromEntries([...cluster.hosts.keys()].map((name) => [name, letter]));

/** Calls of these kinds, in order. */
function callsOf(...kinds: readonly string[]): readonly string[] {
  return cluster.calls
    .map((call) => call.replace(/^(\S+) (upload|unpack) .*/, '$1 $2'))
    .filter((call) => kinds.some((kind) => call.endsWith(` ${kind}`)));
}

test('masters change one by one, the leading one last, then agents in groups; the cluster is whole in between', async () => {
  await upgrading();
  expect(releases()).toEqual(all('b'));
  const changes = callsOf('unpack', 'apply.mjs', 'ready cluster');
  const first = changes.findIndex((call) => call.endsWith('apply.mjs'));
  expect(changes.slice(0, first).filter((call) => call.endsWith('unpack'))).toHaveLength(6);
  expect(changes.slice(first)).toEqual([
    'master-2: apply.mjs',
    'master-1: ready cluster',
    'master-3: apply.mjs',
    'master-1: ready cluster',
    'master-1: apply.mjs',
    'master-1: ready cluster',
    'private-1: apply.mjs',
    'private-2: apply.mjs',
    'master-1: ready cluster',
    'private-3: apply.mjs',
    'master-1: ready cluster',
    // At the end of all.
    'master-1: ready cluster',
  ]);
  expect([...cluster.hosts.values()].map(({ open }) => open)).toEqual([0, 0, 0, 0, 0, 0]);
});

/** Ways in which a release is broken, and the hosts that had it by then. */
const broken: readonly (readonly [string, (cluster: FakeCluster) => void, readonly string[]])[] = [
  [
    'a unit of a master does not serve',
    (made) => {
      made.fault = (unit, { release }) =>
        unit === 'dcos-marathon' && release === NEW.hash ? 'no answer' : undefined;
    },
    ['master-2'],
  ],
  [
    'the cluster is not whole once a second master has it',
    (made) => {
      made.fault = (unit) =>
        unit === 'dcos-mesos-slave' && made.host('master-3').active === NEW.hash
          ? 'lost its master'
          : undefined;
    },
    ['master-2', 'master-3'],
  ],
  [
    'an agent does not serve',
    (made) => {
      made.fault = (unit, { release }) =>
        unit === 'dcos-mesos-slave' && release === NEW.hash ? 'no answer' : undefined;
    },
    ['master-2', 'master-3', 'master-1', 'private-1', 'private-2'],
  ],
];

describe.each(broken)('%s', (_what, breaks, reached) => {
  beforeEach(() => breaks(cluster));

  test('hosts that have the release go back, others are not touched', async () => {
    await expect(upgrading()).rejects.toMatchObject({ code: 'INSTALLER_WENT_BACK' });
    const hostsOf = (program: string): readonly string[] =>
      callsOf(program).map((call) => call.split(':')[0] ?? '');
    expect(hostsOf('apply.mjs')).toEqual(reached);
    expect(hostsOf('back.mjs').toSorted()).toEqual(reached.toSorted());
    expect(releases()).toEqual(all('a'));
    expect([...cluster.hosts.values()].map(({ open }) => open)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('with --no-rollback they stay as they are', async () => {
    const refusal = upgrading({ rollback: false });
    await expect(refusal).rejects.toMatchObject({ code: 'INSTALLER_STEPS_FAILED' });
    expect(callsOf('back.mjs')).toEqual([]);
    expect(Object.entries(releases()).flatMap(([name, at]) => (at === 'a' ? [] : [name]))).toEqual(
      reached.toSorted(),
    );
  });
});

test('a cluster that is not whole is left alone', async () => {
  cluster.fault = (unit, _state, { place }) =>
    unit === 'dcos-mesos-slave' && place.name === 'private-3' ? 'no answer' : undefined;
  await expect(upgrading()).rejects.toMatchObject({ code: 'INSTALLER_UNHEALTHY' });
  expect(callsOf('unpack', 'apply.mjs')).toEqual([]);
});

test('a host that cannot be reached keeps it from beginning', async () => {
  cluster.host('private-3').isReachable = false;
  await expect(upgrading()).rejects.toMatchObject({ code: 'INSTALLER_HOSTS_MISSING' });
  expect(callsOf('unpack', 'apply.mjs')).toEqual([]);
});

test('a release that does not arrive everywhere changes nobody, and is no reason to go back', async () => {
  cluster.onCall = (call) => {
    if (call.startsWith('private-3: unpack')) throw new Error('no space left on device');
  };
  await expect(upgrading()).rejects.toMatchObject({ code: 'INSTALLER_STEPS_FAILED' });
  expect(callsOf('apply.mjs', 'back.mjs')).toEqual([]);
});

test('Ctrl-C begins nothing more and takes nobody back; the next run goes on', async () => {
  const { session, surroundings, interrupt } = cluster.session(folder.path, NEW);
  cluster.onCall = (call) => {
    if (call === 'master-2: apply.mjs') interrupt();
  };
  const options = { soak: '3600', agentsAtATime: '2' };
  await expect(upgrade(session, options, surroundings)).rejects.toMatchObject({
    code: 'INSTALLER_INTERRUPTED',
  });
  expect(callsOf('apply.mjs', 'back.mjs')).toEqual(['master-2: apply.mjs']);
  await upgrading();
  expect(releases()).toEqual(all('b'));
});

test('back by hand, in rounds as forth; once', async () => {
  await upgrading();
  cluster.elect('master-2');
  cluster.calls.length = 0;
  await upgrading({ back: true });
  expect(releases()).toEqual(all('a'));
  expect(callsOf('back.mjs')).toEqual([
    'master-1: back.mjs',
    'master-3: back.mjs',
    'master-2: back.mjs',
    'private-1: back.mjs',
    'private-2: back.mjs',
    'private-3: back.mjs',
  ]);
  await expect(upgrading({ back: true })).rejects.toMatchObject({ code: 'INSTALLER_USAGE' });
});

test.each([
  ['agentsAtATime', '0'],
  ['agentsAtATime', 'x'],
  ['soak', '-1'],
])('%s: %s is refused', async (flag, text) => {
  await expect(upgrading({ [flag]: text })).rejects.toMatchObject({ code: 'INSTALLER_USAGE' });
  expect(cluster.calls).toEqual([]);
});

/** What an upgrade ends with: no code when it is done. */
async function endOf(
  options: UpgradeOptions = {},
): Promise<(Error & { readonly code?: string }) | undefined> {
  try {
    await upgrading(options);
    return undefined;
  } catch (error) {
    if (error instanceof Killed || error instanceof OperationError) return error;
    throw error;
  }
}

describe.each<readonly [string, (made: FakeCluster) => void, 'a' | 'b']>([
  ['a release that serves', () => undefined, 'b'],
  ...broken.map(([what, breaks]) => [what, breaks, 'a'] as const),
])('%s, and the installer is killed', (_what, prepare, expected) => {
  test(
    'at any call: the next run ends as one that was not, or says what does',
    async () => {
      const whole = await deployed(1);
      cluster = whole.copy();
      prepare(cluster);
      const end = await endOf();
      expect(releases()).toEqual(all(expected));
      const calls = cluster.calls.length;
      for (let kill = 0; kill < calls; kill++) {
        cluster = whole.copy();
        prepare(cluster);
        cluster.killedAfter = kill;
        expect(await endOf(), `killed after ${kill} calls`).toBeDefined();
        cluster.killedAfter = Number.POSITIVE_INFINITY;
        const again = await endOf();
        // What the former run began keeps the cluster from being whole.
        if (again?.code === 'INSTALLER_UNHEALTHY') {
          expect(again.message).toContain('"installer upgrade --back"');
          expect(await endOf({ back: true })).toBeUndefined();
        } else expect(again?.code, `after a kill after ${kill} calls`).toBe(end?.code);
        expect(releases(), `after a kill after ${kill} calls`).toEqual(all(expected));
      }
    },
    KILLS_TIMEOUT_MS,
  );
});
