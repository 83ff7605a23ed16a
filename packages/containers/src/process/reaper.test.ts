import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { silentLogger } from '@dcos/base';
import { createReaper, LOOK_INTERVAL_MS, LOOKS_PER_ROUND, type Reaper } from './reaper.ts';

const MANY = 1_000;

let directory = '';
let reaper: Reaper;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  directory = await mkdtemp(join(tmpdir(), 'dcos-reaper-'));
  reaper = createReaper(silentLogger);
});
afterEach(async () => {
  reaper.close();
  vi.useRealTimers();
  await rm(directory, { recursive: true, force: true });
});

/** What was asked for at once is answered after this. */
const settled = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));

test('many that live cost a bounded number of looks a round, and each has its turn', async () => {
  const looks: number[] = Array.from({ length: MANY }, () => 0);
  for (let index = 0; index < MANY; index++) {
    reaper.watch({
      directory,
      pid: () => process.pid,
      isOver: async () => {
        looks[index] = (looks[index] ?? 0) + 1;
        return await Promise.resolve(false);
      },
      onOver: () => expect.unreachable('none of them is over'),
    });
  }
  await settled();
  const total = (): number => looks.reduce((sum, count) => sum + count, 0);
  expect(total()).toBe(MANY);
  const rounds = MANY / LOOKS_PER_ROUND;
  for (let round = 1; round <= rounds; round++) {
    vi.advanceTimersByTime(LOOK_INTERVAL_MS);
    await settled();
    expect(total()).toBe(MANY + round * LOOKS_PER_ROUND);
  }
  expect(new Set(looks)).toEqual(new Set([2]));
});

test('one whose process is gone is looked at in the next round, whoever is before it', async () => {
  const gone = spawnSync('/bin/true').pid;
  for (let index = 0; index < MANY; index++) {
    reaper.watch({
      directory,
      pid: () => process.pid,
      isOver: async () => await Promise.resolve(false),
      onOver: () => expect.unreachable('none of them is over'),
    });
  }
  let pid = process.pid;
  let ends = 0;
  reaper.watch({
    directory,
    pid: () => pid,
    isOver: async () => await Promise.resolve(pid === gone),
    onOver: () => (ends += 1),
  });
  await settled();
  pid = gone;
  expect(ends).toBe(0);
  vi.advanceTimersByTime(LOOK_INTERVAL_MS);
  await settled();
  expect(ends).toBe(1);
});

test('a process that nobody can name has its turn too', async () => {
  let over = false;
  let ends = 0;
  reaper.watch({
    directory,
    pid: () => undefined,
    isOver: async () => await Promise.resolve(over),
    onOver: () => (ends += 1),
  });
  await settled();
  over = true;
  vi.advanceTimersByTime(LOOK_INTERVAL_MS);
  await settled();
  expect(ends).toBe(1);
});
