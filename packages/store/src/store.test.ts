import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openMemoryStore } from './memory-store.ts';
import { openSqliteStore } from './sqlite-store.ts';
import type { Write } from './store.ts';
import { bytes, describeStore } from './testing/store-contract.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function temporaryFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'store-'));
  folders.push(folder);
  return join(folder, 'state.db');
}

describeStore('memory', openMemoryStore);
describeStore('sqlite', () => openSqliteStore(temporaryFile()));

test('sqlite keeps entries and epochs when opened again', async () => {
  const file = temporaryFile();
  const store = openSqliteStore(file);
  await store.commit([{ kind: 'put', key: 'a', value: bytes('1') }]);
  const { epoch } = await store.elect('leader', 'one');
  await store.close();
  const again = openSqliteStore(file);
  expect(await again.get('a')).toMatchObject({ value: bytes('1'), version: 1 });
  expect((await again.elect('leader', 'two')).epoch).toBe(epoch + 1);
  await again.close();
});

test('sqlite forgets ephemeral keys when it is closed, and those of a process that died', async () => {
  const file = temporaryFile();
  const put = (key: string, ephemeral: boolean): Write => ({
    kind: 'put',
    key,
    value: bytes('1'),
    ephemeral,
  });
  const store = openSqliteStore(file);
  await store.commit([put('lasting', false), put('ephemeral', true)]);
  // As after a crash: the file is as it was while the store was open.
  const left = join(folders.at(-1) ?? '', 'left.db');
  for (const part of ['', '-wal']) copyFileSync(file + part, left + part);
  await store.close();
  for (const path of [file, left]) {
    const again = openSqliteStore(path);
    expect((await again.list('')).map(({ key }) => key)).toEqual(['lasting']);
    await again.close();
  }
});

test('a file that is no store is named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'store-'));
  folders.push(folder);
  expect(() => openSqliteStore(folder)).toThrow(`${folder} cannot be opened as a store`);
});
