import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { containerId, silentLogger } from '@dcos/base';
import type { Resource } from '@dcos/wire';
import { agentConfigSchema, type AgentConfigInput } from '../config.ts';
import { fakeXfsQuota, type FakeXfsQuota } from '../testing/fake-xfs-quota.ts';
import { openDiskQuotas, type DiskQuotas } from './disk-quotas.ts';
import type { WatchedDirectory, WatchedRun } from './disk-watch.ts';
import { projectsPath } from './sandbox-paths.ts';

const MEGABYTE = 1024 * 1024;
const OPEN = new AbortController().signal;
let root = '';
let fake: FakeXfsQuota;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'dcos-quotas-')));
  fake = fakeXfsQuota(root);
});
afterEach(async () => await rm(root, { recursive: true, force: true }));

async function opened(more: AgentConfigInput = {}): Promise<DiskQuotas> {
  const config = agentConfigSchema.parse({
    diskQuota: 'xfs',
    enforceContainerDiskQuota: true,
    xfsProjectRange: '[5000-5001]',
    ...more,
  });
  const quotas = await openDiskQuotas({
    config,
    workDir: root,
    places: fake.places,
    logger: silentLogger,
  });
  if (quotas === undefined) throw new Error('there are no quotas');
  return quotas;
}

const disk: Resource = { name: 'disk', type: 'SCALAR', scalar: { value: 1 } };
const directory = (name: string, limitBytes: number | undefined = MEGABYTE): WatchedDirectory => ({
  path: join(root, name),
  limitBytes,
  resource: disk,
});
const run = (...directories: readonly WatchedDirectory[]): WatchedRun => ({
  id: containerId('run'),
  directories,
});
const written = (): unknown => JSON.parse(readFileSync(projectsPath(root), 'utf8'));

test.each([
  [{ enforceContainerDiskQuota: false }, 'bsoft=0 bhard=0', false],
  [{}, `bsoft=${MEGABYTE} bhard=${MEGABYTE}`, false],
  [{ xfsKillContainers: true }, `bsoft=${MEGABYTE} bhard=${11 * MEGABYTE}`, true],
])('bounds a directory as the settings say: %j', async (settings, limit, ends) => {
  const quotas = await opened(settings);
  const one = directory('one');
  await quotas.hold(run(one));
  expect(fake.project(5000)).toEqual({ path: one.path, limit });
  expect(quotas.ends(one)).toBe(ends);
});

test('without a limit it is counted only, and a disk of another file system is left alone', async () => {
  const quotas = await opened();
  const other: WatchedDirectory = {
    ...directory('other'),
    resource: { ...disk, disk: { source: { type: 'PATH', path: { root: '/other' } } } },
  };
  const unbound = { ...directory('one'), limitBytes: undefined };
  await quotas.hold(run(unbound, other));
  expect(fake.project(5000)).toEqual({ path: unbound.path, limit: 'bsoft=0 bhard=0' });
  expect(fake.ids()).toEqual([5000]);
  expect(existsSync(other.path)).toBe(false);
  expect(quotas.ends(other)).toBe(true);
});

test('a project is written down before it is used, and found again', async () => {
  fake.fail({ command: 'limit', stderr: 'xfs_quota: cannot set limits: broken' });
  const before = await opened();
  await expect(before.hold(run(directory('one')))).rejects.toThrow('broken');
  expect(written()).toEqual({ version: 1, projects: [{ path: 'one', id: 5000 }] });
  fake.fail(undefined);
  const after = await opened();
  await after.hold(run(directory('two')));
  await after.hold(run(directory('one')));
  expect(fake.project(5000).path).toBe(join(root, 'one'));
  expect(fake.project(5001).path).toBe(join(root, 'two'));
});

test('what cannot be written down is not used', async () => {
  const quotas = await opened();
  mkdirSync(`${projectsPath(root)}.new`, { recursive: true });
  await expect(quotas.hold(run(directory('one')))).rejects.toThrow();
  expect(fake.calls()).toEqual([]);
});

test('many at once get projects of their own, and all are written down', async () => {
  const quotas = await opened({ xfsProjectRange: '[7-8,20-40]' });
  const names = Array.from({ length: 12 }, (_, index) => `d${index}`);
  await Promise.all(
    [...names, ...names].map(async (name) => await quotas.hold(run(directory(name)))),
  );
  expect(fake.ids()).toEqual([7, 8, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
  expect(fake.calls()).toHaveLength(2 * names.length);
  expect((written() as { projects: unknown[] }).projects).toHaveLength(names.length);
});

test('a look tells what is used, and gives a volume that has grown its new limit', async () => {
  const quotas = await opened();
  const one = directory('one');
  await quotas.hold(run(one));
  writeFileSync(join(one.path, 'file'), Buffer.alloc(64 * 1024, 1));
  const grown = { ...one, limitBytes: 2 * MEGABYTE };
  const used = await quotas.measure([run(grown, directory('missing'))], OPEN);
  expect([...used.keys()]).toEqual([one.path]);
  expect(used.get(one.path)).toBeGreaterThanOrEqual(64 * 1024);
  expect(fake.project(5000).limit).toBe(`bsoft=${2 * MEGABYTE} bhard=${2 * MEGABYTE}`);
  const calls = fake.calls().length;
  await quotas.measure([run(grown)], OPEN);
  expect(fake.calls()).toHaveLength(calls);
});

test('when all are taken the next one fails, until a directory is gone', async () => {
  const quotas = await opened();
  await quotas.hold(run(directory('one'), directory('two')));
  await expect(quotas.hold(run(directory('three')))).rejects.toThrow(
    /all 2 project ids for disk quotas are taken/,
  );
  rmSync(join(root, 'one'), { recursive: true });
  await quotas.measure([], OPEN);
  expect(written()).toEqual({ version: 1, projects: [{ path: 'two', id: 5001 }] });
  expect(fake.project(5000).limit).toBe('bsoft=0 bhard=0');
  await quotas.hold(run(directory('three')));
  expect(fake.project(5000).path).toBe(join(root, 'three'));
});

test('a project whose files somebody still holds is not free', async () => {
  const quotas = await opened();
  const one = directory('one');
  await quotas.hold(run(one));
  rmSync(one.path, { recursive: true });
  // The stand-in counts another directory in its place.
  writeFileSync(join(root, 'xfs', '5000.path'), root);
  await quotas.measure([], OPEN);
  expect(written()).toEqual({ version: 1, projects: [{ path: 'one', id: 5000 }] });
});

test('files are given to a project one by one in a volume only, and before its task begins', async () => {
  const data: WatchedDirectory = {
    ...directory('data'),
    resource: { ...disk, disk: { persistence: { id: 'data' } } },
  };
  const marks = (): readonly string[] =>
    fake
      .calls()
      .filter(({ command }) => command.startsWith('project'))
      .map(({ command }) => command);
  const first = await opened();
  await first.hold(run(directory('one'), data));
  const asLaunched = ['project -s -d 0 -p . 5000', 'project -s -d -1 -p . 5001'];
  expect(marks()).toEqual(asLaunched);
  const restarted = await opened();
  await restarted.measure([run(directory('one'), data)], OPEN);
  const asFound = ['project -s -d 0 -p . 5000', 'project -s -d 0 -p . 5001'];
  expect(marks()).toEqual([...asLaunched, ...asFound]);
  await restarted.hold(run(data));
  await restarted.hold(run(data));
  expect(marks()).toEqual([...asLaunched, ...asFound, 'project -s -d -1 -p . 5001']);
});

test('a directory that was made anew gets its project again', async () => {
  const quotas = await opened();
  const one = directory('one');
  await quotas.hold(run(one));
  rmSync(one.path, { recursive: true });
  await quotas.hold(run(one));
  expect(fake.calls().filter(({ command }) => command.startsWith('project'))).toHaveLength(2);
});

test('a damaged file of projects keeps the agent from starting', async () => {
  mkdirSync(join(root, 'meta'));
  writeFileSync(projectsPath(root), '{"version":1,"projects":[{"path":');
  await expect(opened()).rejects.toMatchObject({ code: 'DISK_QUOTA_UNUSABLE' });
});

test.each(['5000', '[10-5]', '[0-5]', '[1-200000]', '[5000-x]'])(
  'no range of projects: %s',
  (xfsProjectRange) => {
    expect(agentConfigSchema.safeParse({ xfsProjectRange }).success).toBe(false);
  },
);
