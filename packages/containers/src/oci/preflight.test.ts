import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hasSwapCount } from './preflight.ts';

// A directory stands for a group of the kernel: what it can do shows in the names of its files.
let group = '';
beforeEach(async () => void (group = await mkdtemp(join(tmpdir(), 'dcos-group-'))));
afterEach(async () => await rm(group, { recursive: true, force: true }));

test.each<[version: 1 | 2, files: readonly string[], hasSwap: boolean]>([
  [1, ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes'], true],
  [1, ['memory.limit_in_bytes'], false],
  [2, ['memory.max', 'memory.swap.max'], true],
  [2, ['memory.max'], false],
  [2, [], true],
])(
  'in version %d a group with %j tells whether swap is counted: %s',
  async (version, files, hasSwap) => {
    for (const name of files) await writeFile(join(group, name), '');
    expect(await hasSwapCount(version, group)).toBe(hasSwap);
  },
);
