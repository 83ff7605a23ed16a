/** Disk that tasks use, against what they were granted: shown, and enforced where that is wanted. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { Resource, TaskInfo } from '@dcos/wire';
import { agentScene } from './testing/agent-scene.ts';
import { commandTask, until, type FakeMaster } from './testing/fake-master.ts';

const scene = agentScene();
let master: FakeMaster;
beforeEach(() => ({ master } = scene()));

const disk = (value: number, more: Partial<Resource> = {}): Resource => ({
  name: 'disk',
  type: 'SCALAR',
  scalar: { value },
  allocation_info: { role: '*' },
  ...more,
});

function withDisk(id: string, command: string, ...disks: readonly Resource[]): TaskInfo {
  const task = commandTask(id, command);
  return { ...task, resources: [...(task.resources ?? []), ...disks] };
}

const FILL = 'head -c 2m /dev/zero';

test('a task over its disk fails with the reason, and others stay', async () => {
  const agent = await scene().start({
    containerDiskWatchIntervalMs: 20,
    enforceContainerDiskQuota: true,
  });
  master.run(withDisk('modest', 'sleep 1000', disk(1)));
  await master.waitFor('modest', 'TASK_RUNNING');
  master.run(withDisk('greedy', `${FILL} > big; sleep 1000`, disk(1)));
  expect(await master.waitFor('greedy', 'TASK_FAILED')).toMatchObject({
    source: 'SOURCE_AGENT',
    reason: 'REASON_CONTAINER_LIMITATION_DISK',
    message: expect.stringMatching(/^Disk usage \(\d+(KB|MB)\) exceeds quota \(1MB\)$/) as string,
    limitation: { resources: [{ name: 'disk', type: 'SCALAR', scalar: { value: 1 } }] },
  });
  // A task whose end is told is put away a moment later.
  await until(() => agent.snapshot().live.length === 1, 'only one task is left');
  expect(agent.snapshot().live.map(({ taskId }) => taskId)).toEqual(['modest']);
  expect(master.statesOf('modest').at(-1)).toBe('TASK_RUNNING');
});

test('what a task has fetched counts as well', async () => {
  await scene().start({ containerDiskWatchIntervalMs: 20, enforceContainerDiskQuota: true });
  const file = join(scene().workDir, 'file');
  writeFileSync(file, Buffer.alloc(2 * 1024 * 1024));
  const task = withDisk('brings', '', disk(1));
  master.run({ ...task, command: { value: 'sleep 1000', uris: [{ value: file }] } });
  expect(await master.waitFor('brings', 'TASK_FAILED')).toMatchObject({
    reason: 'REASON_CONTAINER_LIMITATION_DISK',
  });
});

test('usage is shown, volumes against their own size and not the sandbox', async () => {
  const agent = await scene().start({ containerDiskWatchIntervalMs: 20 });
  const volume = disk(4, {
    reservations: [{ type: 'DYNAMIC', role: 'web' }],
    disk: { persistence: { id: 'data' }, volume: { mode: 'RW', container_path: 'data' } },
  });
  master.run(withDisk('both', `${FILL} > data/big; sleep 1000`, disk(1), volume));
  await master.waitFor('both', 'TASK_RUNNING');
  const MEGABYTE = 1024 * 1024;
  const statistics = async (): Promise<Record<string, unknown> | undefined> => {
    const answer = await fetch(`${agent.url}/monitor/statistics`, {
      headers: { connection: 'close' },
    });
    const [container] = (await answer.json()) as { statistics: Record<string, unknown> }[];
    return container?.statistics;
  };
  let shown: Record<string, unknown> | undefined;
  await until(() => {
    void statistics().then((found) => (shown = found));
    const of = shown?.['disk_statistics'] as { used_bytes?: number }[] | undefined;
    return of?.some(({ used_bytes = 0 }) => used_bytes >= 2 * MEGABYTE);
  }, 'the usage of the volume is shown');
  expect(shown).toMatchObject({
    disk_limit_bytes: MEGABYTE,
    disk_statistics: [
      { limit_bytes: MEGABYTE },
      { limit_bytes: 4 * MEGABYTE, persistence: { id: 'data' } },
    ],
  });
  expect(shown?.['disk_used_bytes']).toBeLessThan(MEGABYTE);
});
