import { link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { diskUsage } from './disk-usage.ts';

const FILE_BYTES = 64 * 1024;
let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dcos-du-'));
});
afterEach(async () => await rm(root, { recursive: true, force: true }));

const used = async (path = root, entriesMax = 1_000): Promise<number> =>
  (await diskUsage(path, { entriesMax })).bytes;

test('files below count with their blocks, and links do not lead anywhere', async () => {
  const empty = await used();
  await mkdir(join(root, 'a/b'), { recursive: true });
  await writeFile(join(root, 'a/b/file'), Buffer.alloc(FILE_BYTES, 1));
  const one = await used();
  expect(one - empty).toBeGreaterThanOrEqual(FILE_BYTES);
  expect(one - empty).toBeLessThan(2 * FILE_BYTES);
  await link(join(root, 'a/b/file'), join(root, 'again'));
  await symlink('/usr', join(root, 'usr'));
  expect((await used()) - one).toBeLessThan(FILE_BYTES);
});

test('what is not there takes nothing', async () => {
  expect(await used(join(root, 'missing'))).toBe(0);
  await writeFile(join(root, 'file'), 'x');
  expect(await used(join(root, 'file/below'))).toBe(0);
});

test('a bound on files makes it a lower bound', async () => {
  for (const name of ['a', 'b', 'c'])
    await writeFile(join(root, name), Buffer.alloc(FILE_BYTES, 1));
  expect((await diskUsage(root, { entriesMax: 2 })).isComplete).toBe(false);
  expect((await diskUsage(root, { entriesMax: 3 })).isComplete).toBe(true);
});

test('it stops when it is told to', async () => {
  await writeFile(join(root, 'file'), 'x');
  const signal = AbortSignal.abort(new Error('closed'));
  await expect(diskUsage(root, { entriesMax: 10, signal })).rejects.toThrow('closed');
});
