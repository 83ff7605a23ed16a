/** Agents that leave a cluster in memory, by `deploy` of a smaller one: in which order, and what stops it. */

import { temporaryDirectory } from '@dcos/testkit';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { FakeCluster } from '../testing/fake-cluster.ts';
import { deploy } from './deploy.ts';
import type { CommonOptions } from './session.ts';

const folder = temporaryDirectory('take-out');
afterAll(() => folder.remove());

const LEAVING = ['private-2', 'private-3'];
/** A command for each call of one: seconds, on a machine that has nothing else to do. */
const KILLS_TIMEOUT_MS = 300_000;
let cluster: FakeCluster;

/** A cluster of four agents that serves, and is to have two. */
async function shrinking(): Promise<FakeCluster> {
  const made = new FakeCluster({ masters: 1, privateAgents: 3 });
  const { session, surroundings } = made.session(folder.path);
  await deploy(session, {}, surroundings);
  made.counts = { ...made.counts, privateAgents: 1 };
  made.calls.length = 0;
  return made;
}

beforeEach(async () => {
  cluster = await shrinking();
});

async function deploying(options: CommonOptions = { yes: true }): Promise<void> {
  const { session, surroundings } = cluster.session(folder.path);
  await deploy(session, options, surroundings);
}

/** What was done to hosts that leave, or told the master of them. */
function steps(): readonly string[] {
  return cluster.calls.filter((call) => {
    return (
      /^(the leading master|remove)/.test(call) ||
      LEAVING.some((name) => call.startsWith(`${name}:`))
    );
  });
}

const DRAINED = 'the leading master: drain 10.0.0.21 10.0.0.22';
const GONE = 'the leading master: gone 10.0.0.21 10.0.0.22';

test('agents are drained, then they stop, then the master forgets them, then their hosts go', async () => {
  cluster.looksToDrain = 3;
  await deploying();
  expect(steps()).toEqual([
    'private-2: true',
    'private-3: true',
    DRAINED,
    DRAINED,
    DRAINED,
    'private-2: stop dcos-mesos-slave',
    'private-3: stop dcos-mesos-slave',
    GONE,
    'remove private-2',
    'remove private-3',
  ]);
  expect([...cluster.hosts.keys()]).toEqual(['master-1', 'private-1']);
});

test('one that cannot be reached is not drained, and goes', async () => {
  const silent = cluster.host('private-2');
  silent.isReachable = false;
  await deploying();
  expect(steps()).toEqual([
    'private-3: true',
    'the leading master: drain 10.0.0.22',
    'private-3: stop dcos-mesos-slave',
    GONE,
    'remove private-2',
    'remove private-3',
  ]);
  expect(silent.open).toBe(0);
});

test.each<[string, CommonOptions, boolean | undefined, string]>([
  ['nobody can be asked', {}, undefined, 'INSTALLER_USAGE'],
  ['the answer is no', {}, false, 'INSTALLER_DECLINED'],
])('where %s nothing changes', async (_what, options, answer, code) => {
  const { session, surroundings } = cluster.session(folder.path);
  const confirm = answer === undefined ? undefined : async () => await Promise.resolve(answer);
  await expect(deploy(session, options, { ...surroundings, confirm })).rejects.toMatchObject({
    code,
  });
  expect(cluster.calls).toEqual([]);
});

test('Ctrl-C while it drains lets agents run on', async () => {
  cluster.looksToDrain = undefined;
  const { session, surroundings, interrupt } = cluster.session(folder.path);
  cluster.onCall = (call) => {
    if (call === 'master-1: agents.mjs') interrupt();
  };
  await expect(deploy(session, { yes: true }, surroundings)).rejects.toMatchObject({
    code: 'INSTALLER_INTERRUPTED',
  });
  expect(steps()).toEqual(['private-2: true', 'private-3: true', DRAINED]);
  expect(cluster.hosts.size).toBe(4);
});

test('where no master can be told, it ends at once', async () => {
  cluster.onCall = (call) => {
    if (call === 'private-3: true') cluster.host('master-1').isReachable = false;
  };
  await expect(deploying()).rejects.toMatchObject({ code: 'MASTERS_SILENT' });
  expect(steps()).toEqual(['private-2: true', 'private-3: true']);
});

test(
  'killed at any call, the next run takes out what was to go',
  async () => {
    const whole = cluster.copy();
    await deploying();
    const calls = cluster.calls.length;
    for (let kill = 0; kill < calls; kill++) {
      cluster = whole.copy();
      cluster.killedAfter = kill;
      await expect(deploying(), `killed after ${kill} calls`).rejects.toThrow();
      cluster.killedAfter = Number.POSITIVE_INFINITY;
      await deploying();
      expect([...cluster.hosts.keys()]).toEqual(['master-1', 'private-1']);
    }
  },
  KILLS_TIMEOUT_MS,
);
