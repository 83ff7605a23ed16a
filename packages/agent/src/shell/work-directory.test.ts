import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openWorkDirectory } from './work-directory.ts';

const root = mkdtempSync(join(tmpdir(), 'dcos-work-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('one agent at a time uses a work directory, by whatever name', async () => {
  const first = await openWorkDirectory(join(root, 'new', 'work'));
  await expect(openWorkDirectory(join(root, 'new', '..', 'new', 'work'))).rejects.toMatchObject({
    code: 'WORK_DIRECTORY_IN_USE',
  });
  first.unlock();
  first.unlock();
  (await openWorkDirectory(first.path)).unlock();
});

test('a directory that cannot be made is named', async () => {
  writeFileSync(join(root, 'file'), '');
  await expect(openWorkDirectory(join(root, 'file', 'work'))).rejects.toMatchObject({
    code: 'WORK_DIRECTORY_UNUSABLE',
    message: expect.stringContaining(join(root, 'file', 'work')) as string,
  });
});
