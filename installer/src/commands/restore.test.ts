/** `backup` of a cluster in memory, and `restore` into it: what stops when, what is refused, and where kills lead. */

import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '@dcos/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeCluster } from '../testing/fake-cluster.ts';
import { stateOf } from '../testing/fake-state.ts';
import { backup } from './backup.ts';
import { deploy } from './deploy.ts';
import { restore, type RestoreOptions } from './restore.ts';

/** A command for each call of one: seconds, on a machine that has nothing else to do. */
const KILLS_TIMEOUT_MS = 300_000;
const EMPTY = stateOf('master/frameworks/marathon', 'marathon/framework');
const FULL = stateOf('master/frameworks/marathon', 'marathon/framework', 'marathon/apps/web');

let folder: ReturnType<typeof temporaryDirectory>;
let cluster: FakeCluster;

beforeEach(async () => {
  folder = temporaryDirectory('restore');
  cluster = new FakeCluster({ masters: 3, privateAgents: 1 });
  const { session, surroundings } = cluster.session(folder.path);
  await deploy(session, {}, surroundings);
  cluster.state = FULL;
  cluster.calls.length = 0;
});
afterEach(() => folder.remove());

async function backingUp(argument = 'file'): Promise<void> {
  const { session, surroundings } = cluster.session(folder.path);
  await backup(session, { argument }, surroundings);
}

async function restoring(options: RestoreOptions = { yes: true }): Promise<void> {
  const { session, surroundings } = cluster.session(folder.path);
  await restore(session, { argument: 'file', ...options }, surroundings);
}

/** Files on hosts that came and should have gone. */
const leftovers = (): readonly string[] =>
  [...cluster.hosts.values()].flatMap(({ uploads }) => [...uploads.keys()]);

/** What was stopped, started and put in. */
const steps = (): readonly string[] =>
  cluster.calls.flatMap((call) => {
    if (call.includes('dcos-ops restore')) return [call.replace(/: .*/, ': restore')];
    return /: (stop|start) dcos/.test(call) ? [call] : [];
  });

test('what a cluster knows comes in a file for its owner alone, and back', async () => {
  await backingUp();
  const file = join(folder.path, 'file');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, 'utf8')).toContain(FULL);
  cluster.state = EMPTY;
  cluster.calls.length = 0;
  await restoring();
  expect(cluster.state).toBe(FULL);
  const masters = ['master-1', 'master-2', 'master-3'];
  expect(steps()).toEqual([
    ...masters.map((name) => `${name}: stop dcos-marathon`),
    ...masters.map((name) => `${name}: stop dcos-mesos-master`),
    'master-1: restore',
    ...masters.map((name) => `${name}: start dcos-mesos-master`),
    ...masters.map((name) => `${name}: start dcos-marathon`),
  ]);
  expect(leftovers()).toEqual([]);
});

test('another master is asked where one cannot be', async () => {
  cluster.host('master-1').isReachable = false;
  await backingUp();
  expect(readFileSync(join(folder.path, 'file'), 'utf8')).toContain(FULL);
});

test('where no master gives one no file is left', async () => {
  for (const host of cluster.hosts.values()) host.isReachable = false;
  await expect(backingUp()).rejects.toMatchObject({
    code: 'BACKUP_FAILED',
    message: expect.stringMatching(/master-1: 10.0.0.10 does not answer\nmaster-2: /),
  });
  expect(readdirSync(folder.path)).toEqual(['clusters']);
});

test('a file that is there is not written over', async () => {
  writeFileSync(join(folder.path, 'file'), 'mine');
  await expect(backingUp()).rejects.toMatchObject({ code: 'INSTALLER_USAGE' });
  expect(readFileSync(join(folder.path, 'file'), 'utf8')).toBe('mine');
  expect(cluster.calls).toEqual([]);
});

test('what people made is replaced only when told to, and is kept on the master', async () => {
  await backingUp();
  const made = stateOf('marathon/framework', 'marathon/apps/other');
  cluster.state = made;
  cluster.calls.length = 0;
  await expect(restoring()).rejects.toMatchObject({
    code: 'RESTORE_NOT_EMPTY',
    message: expect.stringContaining('1 of marathon/apps'),
  });
  expect([steps(), leftovers()]).toEqual([[], []]);
  await restoring({ yes: true, replace: true });
  expect(cluster.state).toBe(FULL);
  expect([...cluster.host('master-1').uploads.values()]).toEqual([made]);
});

test.each<[string, (file: string) => void, RestoreOptions, string]>([
  ['a file that is damaged', (file) => writeFileSync(file, 'x'), { yes: true }, 'BACKUP_DAMAGED'],
  ['a master that cannot be reached', unreachable, { yes: true }, 'INSTALLER_HOSTS_MISSING'],
  ['nobody to ask', () => undefined, {}, 'INSTALLER_USAGE'],
])('with %s nothing stops', async (_what, breaks, options, code) => {
  await backingUp();
  cluster.state = EMPTY;
  breaks(join(folder.path, 'file'));
  await expect(restoring(options)).rejects.toMatchObject({ code });
  expect(steps()).toEqual([]);
  expect(cluster.state).toBe(EMPTY);
});

function unreachable(): void {
  cluster.host('master-2').isReachable = false;
}

test('a master that does not serve with it is told of', async () => {
  await backingUp();
  cluster.state = EMPTY;
  cluster.fault = (unit) =>
    unit === 'dcos-mesos-master' && cluster.state === FULL ? 'no answer' : undefined;
  await expect(restoring()).rejects.toMatchObject({
    code: 'UNIT_NOT_READY',
    message: expect.stringContaining('dcos-mesos-master does not serve: no answer'),
  });
});

test(
  'killed at any call, the same words end with the state and all units up',
  async () => {
    await backingUp();
    cluster.state = EMPTY;
    cluster.calls.length = 0;
    const whole = cluster.copy();
    await restoring();
    const calls = cluster.calls.length;
    for (let kill = 0; kill < calls; kill++) {
      cluster = whole.copy();
      cluster.state = EMPTY;
      cluster.killedAfter = kill;
      await expect(restoring(), `killed after ${kill} calls`).rejects.toThrow();
      cluster.killedAfter = Number.POSITIVE_INFINITY;
      await restoring({ yes: true, replace: true });
      expect(cluster.state).toBe(FULL);
      const states = [...cluster.hosts.values()].flatMap(({ units }) => [...units.values()]);
      expect(states.filter(({ active }) => active !== 'active')).toEqual([]);
    }
  },
  KILLS_TIMEOUT_MS,
);
