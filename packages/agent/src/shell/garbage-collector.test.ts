import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { containerId, silentLogger } from '@dcos/base';
import type { AgentSnapshot } from '../core/index.ts';
import { ageMax, diskUsageOf, startGarbageCollector } from './garbage-collector.ts';

const NOW = 1_000_000_000_000;
const DAY = 24 * 3_600_000;

let workDir = '';
beforeEach(() => {
  workDir = mkdtempSync(join(tmpdir(), 'dcos-gc-'));
});
afterEach(() => rmSync(workDir, { recursive: true }));

/** The directory of a run that was last changed so long ago; its path. */
function run(framework: string, executor: string, id: string, ageMs: number): string {
  const runs = join(workDir, 'slaves/S0/frameworks', framework, 'executors', executor, 'runs');
  return made(join(runs, id), ageMs, join(runs, 'latest'));
}

function made(path: string, ageMs: number, link?: string): string {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'stdout'), 'x');
  if (link !== undefined && !existsSync(link)) symlinkSync(path, link);
  const seconds = (NOW - ageMs) / 1000;
  utimesSync(path, seconds, seconds);
  return path;
}

const nothing = { live: [], completed: [], executors: [], completedExecutors: [], launched: [] };

async function collect(snapshot: object, usage = 0): Promise<readonly string[]> {
  const collected: string[] = [];
  const collector = startGarbageCollector({
    workDir,
    delayMs: 10 * DAY,
    diskHeadroom: 0.1,
    diskUsage: async () => await Promise.resolve(usage),
    logger: silentLogger,
    now: () => NOW,
    snapshot: () => ({ phase: 'registered', ...nothing, ...snapshot }) as unknown as AgentSnapshot,
    onCollected: (id) => collected.push(id),
  });
  await collector.collect();
  await collector.close();
  return collected.toSorted();
}

test.each([
  ['an empty disk', 0, 9],
  ['a half full one', 0.5, 4],
  ['one with nothing but the headroom', 0.9, 0],
  ['a full one', 1, 0],
])('on %s a sandbox may get so old', (_disk, usage, days) => {
  const age = ageMax({ delayMs: 10 * DAY, diskHeadroom: 0.1 }, usage);
  expect(age / DAY).toBeCloseTo(days);
});

test('the fuller the disk, the sooner a sandbox goes', async () => {
  const old = run('f', 'a', 'old', 6 * DAY);
  const young = run('f', 'b', 'young', 3 * DAY);
  expect(await collect({})).toEqual([]);
  expect(await collect({}, 0.5)).toEqual(['old']);
  expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
  expect(await collect({}, 0.95)).toEqual(['young']);
});

test('what is in use stays: tasks, the runs of groups, executors, containers of clients', async () => {
  const ofTask = run('f', 'task', 'task', 20 * DAY);
  const ofGroup = run('f', 'pod', 'pod-run', 20 * DAY);
  const ofExecutor = run('f', 'own', 'own-run', 20 * DAY);
  const solo = made(join(workDir, 'containers', 'solo'), 20 * DAY);
  run('f', 'nobody', 'nobody', 20 * DAY);
  made(join(workDir, 'containers', 'gone'), 20 * DAY);
  const snapshot = {
    live: [
      { containerId: containerId('task') },
      { containerId: containerId('in-pod'), group: { containerId: containerId('pod-run') } },
    ],
    executors: [{ containerId: containerId('own-run') }],
    launched: [{ path: ['solo'] }],
  };
  expect(await collect(snapshot, 1)).toEqual(['gone', 'nobody']);
  for (const path of [ofTask, ofGroup, ofExecutor, solo]) expect(existsSync(path)).toBe(true);
});

test('a group that has ended counts from the end of its last task', async () => {
  run('f', 'pod', 'pod-run', 20 * DAY);
  const group = { containerId: containerId('pod-run') };
  const member = (id: string, days: number): object => ({
    containerId: containerId(id),
    group,
    endedAt: NOW - days * DAY,
  });
  expect(await collect({ completed: [member('a', 15), member('b', 2)] })).toEqual([]);
  expect(await collect({ completed: [member('a', 15), member('b', 12)] })).toEqual(['pod-run']);
});

test('the run of an executor counts from its end, and is in use as long as one of its tasks is', async () => {
  run('f', 'own', 'own-run', 20 * DAY);
  const executor = { containerId: containerId('own-run') };
  const ended = (days: number): object => ({ ...executor, process: { endedAt: NOW - days * DAY } });
  const task = { containerId: containerId('task'), executor, endedAt: NOW - 15 * DAY };
  expect(await collect({ live: [task] }, 1)).toEqual([]);
  expect(await collect({ completed: [task], completedExecutors: [ended(2)] })).toEqual([]);
  expect(await collect({ completed: [task], completedExecutors: [ended(12)] })).toEqual([
    'own-run',
  ]);
});

test('nothing is left of a framework without runs, and all of one that has another', async () => {
  run('over', 'a', 'a1', 20 * DAY);
  run('on', 'a', 'a2', 20 * DAY);
  run('on', 'b', 'b1', 1 * DAY);
  expect(await collect({})).toEqual(['a1', 'a2']);
  const frameworks = join(workDir, 'slaves/S0/frameworks');
  expect(existsSync(join(frameworks, 'over'))).toBe(false);
  expect(existsSync(join(frameworks, 'on/executors/a'))).toBe(false);
  expect(existsSync(join(frameworks, 'on/executors/b/runs/b1'))).toBe(true);
});

test('the use of a disk is a part of it', async () => {
  const usage = await diskUsageOf(workDir);
  expect(usage).toBeGreaterThan(0);
  expect(usage).toBeLessThanOrEqual(1);
});
