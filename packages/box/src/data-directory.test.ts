import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryDirectory, type TemporaryDirectory } from '@dcos/testkit';
import { openDataDirectory, type DataDirectory } from './data-directory.ts';

let scratch: TemporaryDirectory;
beforeEach(() => {
  scratch = temporaryDirectory('data-directory');
});
afterEach(() => scratch.remove());

function open(path: string, fresh = false, removed: string[] = []): Promise<DataDirectory> {
  return openDataDirectory(path, {
    fresh,
    newClusterId: fresh ? 'new' : 'first',
    beforeRemoval: async (folder) => void removed.push(folder),
  });
}

test('a folder keeps its cluster id, and one box at a time uses it', async () => {
  const path = join(scratch.path, 'data');
  const first = await open(path);
  expect(first.clusterId).toBe('first');
  await expect(open(path)).rejects.toMatchObject({ code: 'DATA_DIRECTORY_IN_USE' });
  first.unlock();
  const second = await open(path);
  expect(second.clusterId).toBe('first');
  second.unlock();
});

test('a folder of another version is left alone', async () => {
  const path = join(scratch.path, 'data');
  mkdirSync(path);
  writeFileSync(join(path, 'box.json'), '{"layoutVersion": 7, "clusterId": "x"}');
  await expect(open(path)).rejects.toMatchObject({ code: 'DATA_DIRECTORY_VERSION' });
  expect(readdirSync(path)).toEqual(['box.json']);
});

test.each(['notes.txt', 'box.json'])(
  'a folder with a foreign %s is left alone, even with --fresh',
  async (name) => {
    writeFileSync(join(scratch.path, name), 'mine');
    for (const fresh of [false, true]) {
      await expect(open(scratch.path, fresh)).rejects.toMatchObject({
        code: 'DATA_DIRECTORY_FOREIGN',
      });
    }
    expect(readdirSync(scratch.path)).toEqual([name]);
  },
);

test('fresh stops what is left, then empties the folder', async () => {
  const path = join(scratch.path, 'data');
  const first = await open(path);
  writeFileSync(first.stateFile, 'state');
  const removed: string[] = [];
  await expect(open(path, true, removed)).rejects.toMatchObject({ code: 'DATA_DIRECTORY_IN_USE' });
  expect(removed).toEqual([]);
  first.unlock();
  const second = await open(path, true, removed);
  expect(removed).toEqual([path]);
  expect(existsSync(second.stateFile)).toBe(false);
  expect(second.clusterId).toBe('new');
  second.unlock();
});
