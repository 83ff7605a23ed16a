import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { containerId, executorId, frameworkId, silentLogger, taskId } from '@dcos/base';
import { Resources } from '@dcos/resources';
import type { Resource } from '@dcos/wire';
import type { AgentSnapshot, ExecutorRecord, Limitation, TaskRecord } from '../core/index.ts';
import { startDiskWatch, watchedRunOf, watchedRuns, type WatchedDirectory } from './disk-watch.ts';

const MEGABYTE = 1024 * 1024;
const EMPTY: AgentSnapshot = {
  agentId: undefined,
  phase: 'registered',
  frameworks: new Map(),
  live: [],
  completed: [],
  executors: [],
  completedExecutors: [],
  launched: [],
  total: Resources.empty,
  revocable: Resources.empty,
  operations: [],
  drain: undefined,
};

const disk = (value: number, more: Partial<Resource> = {}): Resource => ({
  name: 'disk',
  type: 'SCALAR',
  scalar: { value },
  ...more,
});
const VOLUME = disk(4, {
  reservations: [{ type: 'DYNAMIC', role: 'web' }],
  disk: { persistence: { id: 'data' }, volume: { mode: 'RW', container_path: 'data' } },
});
const MOUNTED = disk(8, {
  ...VOLUME,
  disk: { ...VOLUME.disk, source: { type: 'MOUNT', mount: { root: '/mnt' } } },
});

const task = (id: string, resources: readonly Resource[], more = {}): TaskRecord => ({
  frameworkId: frameworkId('f'),
  taskId: taskId(id),
  info: { name: id, task_id: { value: id }, agent_id: { value: 'S0' }, resources },
  containerId: containerId(`c-${id}`),
  runtime: 'process',
  state: 'TASK_RUNNING',
  statuses: [],
  updates: [],
  launchedAt: 0,
  ipAddresses: [],
  ...more,
});

const limits = (snapshot: Partial<AgentSnapshot>): unknown =>
  watchedRuns('/work', { ...EMPTY, ...snapshot }).map(({ id, directories }) => [
    id,
    ...directories.map(({ path, limitBytes }) => [
      path.replace('/work/slaves/frameworks/f/executors/', ''),
      (limitBytes ?? 0) / MEGABYTE,
    ]),
  ]);

test('a sandbox has the disk of its task, a volume its own size, a mounted disk no watch', () => {
  const live = [task('a', [disk(1), disk(2, { role: 'web' }), VOLUME, MOUNTED]), task('b', [])];
  expect(limits({ live })).toEqual([
    ['c-a', ['a/runs/c-a', 3], ['/work/volumes/roles/web/data', 4]],
    ['c-b'],
  ]);
});

test('tasks of an executor share its sandbox and bring their disk', () => {
  const run = { executorId: executorId('e'), containerId: containerId('run') };
  const executor: ExecutorRecord = {
    frameworkId: frameworkId('f'),
    ...run,
    info: { executor_id: { value: 'e' }, resources: [disk(1)] },
  };
  const group = { ...run, groupId: 'g' };
  const live = [task('a', [disk(2)], { group }), task('b', [disk(3)], { executor: run })];
  expect(limits({ live, executors: [executor] })).toEqual([['run', ['e/runs/run', 6]]]);
});

test.each([
  ['c-alone', 'alone/runs/c-alone', undefined],
  ['run', 'e/runs/run', 6],
  ['none', undefined, undefined],
])('one run of many, with all that share it: %s', (id, path, megabytes) => {
  const run = { executorId: executorId('e'), containerId: containerId('run') };
  const executor: ExecutorRecord = {
    frameworkId: frameworkId('f'),
    ...run,
    info: { executor_id: { value: 'e' }, resources: [disk(1)] },
  };
  const live = [
    task('alone', []),
    task('a', [disk(2)], { group: { ...run, groupId: 'g' } }),
    task('b', [disk(3)], { executor: run }),
    task('other', [disk(9)]),
  ];
  const snapshot = { ...EMPTY, live, executors: [executor] };
  const found = watchedRunOf('/work', snapshot, containerId(id))?.directories;
  expect(
    found?.map((one) => [
      one.path.replace('/work/slaves/frameworks/f/executors/', ''),
      one.limitBytes,
    ]),
  ).toEqual(path && [[path, megabytes && megabytes * MEGABYTE]]);
});

test('what the file system knows is not walked through, and a meter that fails costs nothing', async () => {
  const used = new Map([[join(directory, 'metered'), 7]]);
  let isBroken = false;
  const watch = startDiskWatch({
    intervalMs: 1_000_000,
    enforces: () => false,
    meter: {
      measure: async () => (isBroken ? await Promise.reject(new Error('broken')) : used),
    },
    runs: () => [
      {
        id: containerId('run'),
        directories: ['metered', 'walked'].map((name) => ({
          path: join(directory, name),
          limitBytes: undefined,
          resource: disk(0),
        })),
      },
    ],
    onExceeded: () => undefined,
    logger: silentLogger,
  });
  try {
    await watch.look();
    expect(watch.statisticsOf(containerId('run'))).toEqual([{ used_bytes: 7 }, { used_bytes: 0 }]);
    isBroken = true;
    await watch.look();
    expect(watch.statisticsOf(containerId('run'))).toEqual([{ used_bytes: 0 }, { used_bytes: 0 }]);
  } finally {
    await watch.close();
  }
});

test('what has ended is not looked at', () => {
  expect(limits({ live: [task('a', [disk(1)], { state: 'TASK_FINISHED' })] })).toEqual([]);
});

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dcos-watch-'));
});
afterEach(async () => await rm(directory, { recursive: true, force: true }));

test.each([true, false])(
  'a look finds what is used and, if it enforces (%s), who uses too much',
  async (enforces) => {
    const small = join(directory, 'small');
    const big = join(directory, 'big');
    for (const path of [small, big]) await mkdir(path);
    await writeFile(join(big, 'file'), Buffer.alloc(256 * 1024, 1));
    const watched = (path: string): WatchedDirectory => ({
      path,
      limitBytes: 64 * 1024,
      resource: disk(0.0625),
    });
    const exceeded: [string, Limitation][] = [];
    const watch = startDiskWatch({
      intervalMs: 1_000_000,
      enforces: () => enforces,
      runs: () => [
        { id: containerId('fits'), directories: [watched(small)] },
        { id: containerId('exceeds'), directories: [watched(big)] },
      ],
      onExceeded: (id, limitation) => void exceeded.push([id, limitation]),
      logger: silentLogger,
    });
    try {
      expect(watch.statisticsOf(containerId('exceeds'))).toEqual([]);
      await watch.look();
      const [found] = watch.statisticsOf(containerId('exceeds'));
      expect(found).toMatchObject({ limit_bytes: 64 * 1024 });
      expect(found?.used_bytes).toBeGreaterThanOrEqual(256 * 1024);
      expect(exceeded).toEqual(
        enforces
          ? [
              [
                'exceeds',
                {
                  reason: 'REASON_CONTAINER_LIMITATION_DISK',
                  message: expect.stringMatching(/^Disk usage \(\d+KB\) exceeds quota \(64KB\)$/),
                  resources: [disk(0.0625)],
                },
              ],
            ]
          : [],
      );
    } finally {
      await watch.close();
    }
  },
);
