/** Disk of tasks that the file system bounds, with a stand-in for its tool: from the launch to the end of the sandbox. */

import { readFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Resource, TaskInfo } from '@dcos/wire';
import { agentScene } from './testing/agent-scene.ts';
import { fakeXfsQuota, mountLine, type FakeXfsQuota } from './testing/fake-xfs-quota.ts';
import { commandTask, until } from './testing/fake-master.ts';

const MEGABYTE = 1024 * 1024;
const scene = agentScene();
let root = '';
let fake: FakeXfsQuota;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'dcos-xfs-')));
  fake = fakeXfsQuota(root);
});
afterEach(async () => {
  await scene().stop();
  await rm(root, { recursive: true, force: true });
});

const disk = (value: number, more: Partial<Resource> = {}): Resource => ({
  name: 'disk',
  type: 'SCALAR',
  scalar: { value },
  allocation_info: { role: '*' },
  ...more,
});
const VOLUME = disk(4, {
  reservations: [{ type: 'DYNAMIC', role: 'web' }],
  disk: { persistence: { id: 'data' }, volume: { mode: 'RW', container_path: 'data' } },
});

function withDisk(id: string, command: string, ...disks: readonly Resource[]): TaskInfo {
  const task = commandTask(id, command);
  return { ...task, resources: [...(task.resources ?? []), ...disks] };
}

const settings = {
  diskQuota: 'xfs',
  enforceContainerDiskQuota: true,
  containerDiskWatchIntervalMs: 20,
} as const;

test('sandbox and volume are bounded before the task begins, and the file system says what they use', async () => {
  const { master, workDir } = scene();
  const agent = await scene().start(settings, { quotaPlaces: fake.places });
  master.run(withDisk('both', 'head -c 2m /dev/zero > data/big; sleep 1000', disk(1), VOLUME));
  await master.waitFor('both', 'TASK_RUNNING');
  const [task] = agent.snapshot().live;
  expect(fake.project(5000)).toMatchObject({
    path: expect.stringMatching(`/executors/both/runs/${task?.containerId}$`) as string,
    limit: `bsoft=${MEGABYTE} bhard=${MEGABYTE}`,
  });
  expect(fake.project(5001)).toEqual({
    path: join(await realpath(workDir), 'volumes/roles/web/data'),
    limit: `bsoft=${4 * MEGABYTE} bhard=${4 * MEGABYTE}`,
  });
  let shown: unknown;
  await until(() => {
    void statisticsAt(agent.url).then((found) => (shown = found));
    return (
      shown as { disk_statistics?: { used_bytes: number }[] } | undefined
    )?.disk_statistics?.some(({ used_bytes }) => used_bytes >= 2 * MEGABYTE);
  }, 'the usage of the volume is shown');
  expect(shown).toMatchObject({
    disk_limit_bytes: MEGABYTE,
    disk_statistics: [
      { limit_bytes: MEGABYTE },
      { limit_bytes: 4 * MEGABYTE, persistence: { id: 'data' } },
    ],
  });
});

test('with killing a task over its disk is ended; one without disk is counted, and left alone', async () => {
  const { master } = scene();
  const agent = await scene().start(
    { ...settings, xfsKillContainers: true },
    { quotaPlaces: fake.places },
  );
  master.run(withDisk('unbound', 'head -c 2m /dev/zero > big; sleep 1000'));
  await master.waitFor('unbound', 'TASK_RUNNING');
  master.run(withDisk('greedy', 'head -c 2m /dev/zero > big; sleep 1000', disk(1)));
  expect(await master.waitFor('greedy', 'TASK_FAILED')).toMatchObject({
    reason: 'REASON_CONTAINER_LIMITATION_DISK',
    limitation: { resources: [{ name: 'disk', scalar: { value: 1 } }] },
  });
  expect(fake.project(5001).limit).toBe(`bsoft=${MEGABYTE} bhard=${11 * MEGABYTE}`);
  expect(fake.project(5000).limit).toBe('bsoft=0 bhard=0');
  // Until its last state is acknowledged, it is there.
  await expect
    .poll(() => agent.snapshot().live.map(({ taskId }) => taskId), { timeout: 60_000 })
    .toEqual(['unbound']);
});

test('a restarted agent knows the projects, and a task that finds none left fails', async () => {
  const { master, workDir } = scene();
  const ranged = { ...settings, xfsProjectRange: '[5000-5000]' };
  const before = await scene().start(ranged, { quotaPlaces: fake.places });
  master.run(withDisk('first', 'sleep 1000', disk(1)));
  await master.waitFor('first', 'TASK_RUNNING');
  await before.close();
  await scene().start(ranged, { quotaPlaces: fake.places });
  master.run(withDisk('second', 'sleep 1000', disk(1)));
  expect(await master.waitFor('second', 'TASK_FAILED')).toMatchObject({
    message: expect.stringContaining('all 1 project ids for disk quotas are taken') as string,
  });
  const text = readFileSync(join(workDir, 'meta', 'disk-projects.json'), 'utf8');
  expect(JSON.parse(text)).toMatchObject({ projects: [{ id: 5000 }] });
  expect(master.statesOf('first').at(-1)).toBe('TASK_RUNNING');
});

test('an agent shows its quotas, and does not start where it cannot have them', async () => {
  const agent = await scene().start(settings, { quotaPlaces: fake.places });
  expect(await answerOf(`${agent.url}/metrics/snapshot`)).toMatchObject({
    'containerizer/mesos/disk/project_ids_total': 5001,
    'containerizer/mesos/disk/project_ids_free': 5001,
  });
  expect(await answerOf(`${agent.url}/flags`)).toMatchObject({
    flags: {
      isolation: 'posix/cpu,posix/mem,disk/xfs',
      xfs_project_range: '[5000-10000]',
      xfs_kill_containers: 'false',
    },
  });
  await agent.close();
  fake.setMount(mountLine('xfs', 'rw,noquota'));
  await expect(scene().start(settings, { quotaPlaces: fake.places })).rejects.toMatchObject({
    code: 'DISK_QUOTA_UNUSABLE',
  });
});

async function statisticsAt(url: string): Promise<unknown> {
  const [container] = (await answerOf(`${url}/monitor/statistics`)) as { statistics: unknown }[];
  return container?.statistics;
}

async function answerOf(url: string): Promise<unknown> {
  const answer = await fetch(url, { headers: { connection: 'close' } });
  return await answer.json();
}
