import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeGroups } from './remove-group.ts';

// In a model of directories: what the kernel keeps for its processes is here kept by a file.
let root = '';
beforeEach(async () => void (root = await mkdtemp(join(tmpdir(), 'dcos-groups-'))));
afterEach(async () => await rm(root, { recursive: true, force: true }));

test('a group is removed from every hierarchy, with those below it', async () => {
  const groups = ['cpu', 'memory'].map((name) => join(root, name, 'mesos', 'c1'));
  for (const group of groups) await mkdir(join(group, 'below', 'it'), { recursive: true });
  expect(await removeGroups([...groups, join(root, 'pids', 'mesos', 'c1')])).toBe(true);
  for (const group of groups) expect(existsSync(group)).toBe(false);
  expect(existsSync(join(root, 'cpu', 'mesos'))).toBe(true);
});

test('one that is still in use is removed when it no longer is', async () => {
  const group = join(root, 'c1');
  await mkdir(join(group, 'below'), { recursive: true });
  const file = join(group, 'below', 'process');
  await writeFile(file, '');
  const removed = removeGroups([group]);
  await rm(file);
  expect(await removed).toBe(true);
});

test('what stays in use is told', async () => {
  await mkdir(join(root, 'c1', 'below'), { recursive: true });
  await writeFile(join(root, 'c1', 'below', 'process'), '');
  expect(await removeGroups([join(root, 'c1')], 3)).toBe(false);
});
