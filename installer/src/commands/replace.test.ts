/** Hosts of a cluster in memory that others come in the place of. */

import { temporaryDirectory } from '@dcos/testkit';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { FakeCluster, fakeRelease } from '../testing/fake-cluster.ts';
import { deploy } from './deploy.ts';
import { replace } from './replace.ts';
import type { CommonOptions } from './session.ts';

const folder = temporaryDirectory('replace');
afterAll(() => folder.remove());

/** A command for each call of one: seconds, on a machine that has nothing else to do. */
const KILLS_TIMEOUT_MS = 300_000;
let cluster: FakeCluster;

async function deployed(masters = 3): Promise<FakeCluster> {
  const made = new FakeCluster({ masters, privateAgents: 1 });
  const { session, surroundings } = made.session(folder.path);
  await deploy(session, {}, surroundings);
  made.calls.length = 0;
  return made;
}

beforeEach(async () => {
  cluster = await deployed();
});

async function replacing(argument: string, options: CommonOptions = { yes: true }): Promise<void> {
  const { session, surroundings } = cluster.session(folder.path);
  await replace(session, { ...options, argument }, surroundings);
}

/** What was done until the new host is there. */
function stepsBefore(made: string): readonly string[] {
  const steps = cluster.calls.filter(
    (call) => !/: (probe.sh|ready \w+|true|leaders.mjs)$/.test(call),
  );
  return steps.slice(0, steps.indexOf(made) + 1);
}

test('an agent is drained and gone before the next one comes', async () => {
  const before = cluster.host('private-1');
  await replacing('private-1');
  expect(stepsBefore('make private-1')).toEqual([
    'master-1: agents.mjs',
    'the leading master: drain 10.0.0.20',
    'private-1: stop dcos-mesos-slave',
    'master-1: agents.mjs',
    'the leading master: gone 10.0.0.20',
    'remove private-1',
    'make private-1',
  ]);
  expect(cluster.host('private-1')).not.toBe(before);
  expect(cluster.host('private-1').units.get('dcos-mesos-slave')?.active).toBe('active');
});

test('a master stops, last what others stand on, and keeps its address', async () => {
  const { place } = cluster.host('master-2');
  await replacing('10.0.0.11');
  expect(stepsBefore('make master-2')).toEqual([
    'master-2: stop dcos-adminrouter',
    'master-2: stop dcos-marathon',
    'master-2: stop dcos-mesos-dns',
    'master-2: stop dcos-mesos-master',
    'master-2: stop dcos-zookeeper',
    'remove master-2',
    'make master-2',
  ]);
  expect(cluster.host('master-2').place).toEqual(place);
  expect(cluster.host('master-2').units.get('dcos-zookeeper')?.active).toBe('active');
});

test('a master that cannot be reached is replaced without a word to it', async () => {
  cluster.host('master-3').isReachable = false;
  await replacing('master-3');
  expect(stepsBefore('make master-3')).toEqual(['remove master-3', 'make master-3']);
});

test('a host that is missing is made', async () => {
  cluster.hosts.delete('master-3');
  await replacing('master-3');
  expect(stepsBefore('make master-3')).toEqual(['make master-3']);
});

test.each<[string, (made: FakeCluster) => void, RegExp]>([
  [
    'one of the others does not serve',
    (made) => {
      made.fault = (unit, _state, { place }) =>
        unit === 'dcos-marathon' && place.name === 'master-1' ? 'no answer' : undefined;
    },
    /1 healthy master of 3, 2 are needed; mend the others first\nmaster-1: dcos-marathon: no answer/,
  ],
  [
    'one of the others cannot be reached',
    (made) => {
      made.host('master-3').isReachable = false;
    },
    /1 healthy master of 3, 2 are needed/,
  ],
  [
    'one of the others is missing',
    (made) => made.hosts.delete('master-1'),
    /1 healthy master of 3/,
  ],
])('where %s a master stays', async (_what, breaks, message) => {
  breaks(cluster);
  await expect(replacing('master-2')).rejects.toMatchObject({
    code: 'MASTERS_NOT_HEALTHY',
    message: expect.stringMatching(message),
  });
  expect(cluster.calls.filter((call) => /: stop |^remove/.test(call))).toEqual([]);
});

test('a master that is alone holds all that the cluster knows', async () => {
  cluster = await deployed(1);
  await expect(replacing('master-1')).rejects.toThrow(/installer backup, destroy, deploy, restore/);
});

test.each(['private-1', 'master-2'])(
  'with another release than that of the cluster %s stays',
  async (name) => {
    const before = cluster.host(name);
    const { session, surroundings } = cluster.session(folder.path, fakeRelease('b'));
    const words = { yes: true, argument: name };
    await expect(replace(session, words, surroundings)).rejects.toMatchObject({
      code: 'INSTALLER_OTHER_RELEASE',
    });
    expect(cluster.host(name)).toBe(before);
    expect([...before.units.values()].map(({ active }) => active)).not.toContain('inactive');
  },
);

test.each<[string, string, CommonOptions, string]>([
  ['a host that nobody asks for', 'private-2', { yes: true }, 'INSTALLER_USAGE'],
  ['one about which nobody can be asked', 'private-1', {}, 'INSTALLER_USAGE'],
])('%s is refused, and nothing is done', async (_what, name, options, code) => {
  await expect(replacing(name, options)).rejects.toMatchObject({ code });
  expect(cluster.calls).toEqual([]);
});

test.each(['private-1', 'master-2'])(
  '%s: killed at any call, the same words go on',
  async (name) => {
    const whole = cluster.copy();
    await replacing(name);
    const calls = cluster.calls.length;
    for (let kill = 0; kill < calls; kill += 1) {
      cluster = whole.copy();
      const before = cluster.host(name);
      cluster.killedAfter = kill;
      await expect(replacing(name), `killed after ${kill} calls`).rejects.toThrow();
      cluster.killedAfter = Number.POSITIVE_INFINITY;
      await replacing(name);
      expect(cluster.host(name)).not.toBe(before);
      expect([...cluster.host(name).units.values()].map(({ active }) => active)).not.toContain(
        'inactive',
      );
    }
  },
  KILLS_TIMEOUT_MS,
);
