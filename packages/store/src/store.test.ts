import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { openMemoryStore } from './memory-store.ts';
import { openSqliteStore } from './sqlite-store.ts';
import { VALUE_BYTES_MAX, type Change, type Store } from './store.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function temporaryFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'store-'));
  folders.push(folder);
  return join(folder, 'state.db');
}

/** The contract of the port; every adapter runs it. */
const adapters: readonly [string, () => Store][] = [
  ['memory', openMemoryStore],
  ['sqlite', () => openSqliteStore(temporaryFile())],
];

describe.each(adapters)('%s', (_name, open) => {
  test('versions count the writes of a key and start anew after a delete', async () => {
    const store = open();
    await store.commit([{ kind: 'put', key: 'a', value: bytes('1'), expect: 0 }]);
    await store.commit([{ kind: 'put', key: 'a', value: bytes('2'), expect: 1 }]);
    expect(await store.get('a')).toEqual({ key: 'a', value: bytes('2'), version: 2 });
    await store.commit([{ kind: 'delete', key: 'a', expect: 2 }]);
    expect(await store.get('a')).toBeUndefined();
    await store.commit([{ kind: 'put', key: 'a', value: bytes('3') }]);
    expect((await store.get('a'))?.version).toBe(1);
    await store.close();
  });

  test('a batch is all or nothing', async () => {
    const store = open();
    await store.commit([{ kind: 'put', key: 'a', value: bytes('1') }]);
    const failing = store.commit([
      { kind: 'put', key: 'b', value: bytes('1') },
      { kind: 'put', key: 'a', value: bytes('2'), expect: 7 },
    ]);
    await expect(failing).rejects.toMatchObject({
      code: 'STORE_CONFLICT',
      details: { key: 'a', actual: 1 },
    });
    expect(await store.get('b')).toBeUndefined();
    expect((await store.get('a'))?.version).toBe(1);
    await store.close();
  });

  test('batches committed at once do not disturb one another', async () => {
    const store = open();
    const outcomes = await Promise.allSettled([
      store.commit([{ kind: 'put', key: 'x', value: bytes('1'), expect: 0 }]),
      store.commit([{ kind: 'put', key: 'x', value: bytes('2'), expect: 0 }]),
      store.commit([{ kind: 'put', key: 'y', value: bytes('3'), expect: 0 }]),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(await store.get('x')).toMatchObject({ value: bytes('1'), version: 1 });
    await store.close();
  });

  test('list is ordered and keeps to its prefix', async () => {
    const store = open();
    await store.commit(
      ['p/b', 'p/a', 'p', 'q/a', 'p0'].map((key) => ({ kind: 'put', key, value: bytes(key) })),
    );
    expect((await store.list('p/')).map((entry) => entry.key)).toEqual(['p/a', 'p/b']);
    await store.close();
  });

  test('watchers see changes in commit order and only theirs', async () => {
    const store = open();
    const seen: Change[] = [];
    const unwatch = store.watch('p/', (changes) => seen.push(...changes));
    await store.commit([
      { kind: 'put', key: 'p/a', value: bytes('1') },
      { kind: 'put', key: 'q', value: bytes('1') },
    ]);
    await store.commit([{ kind: 'delete', key: 'p/a' }]);
    unwatch();
    await store.commit([{ kind: 'put', key: 'p/b', value: bytes('1') }]);
    expect(seen.map((change) => change.kind)).toEqual(['put', 'delete']);
    await store.close();
  });

  test('one leader at a time; a deposed leader cannot write', async () => {
    const store = open();
    const first = await store.elect('leader', 'one');
    const waiting = store.elect('leader', 'two');
    expect(await store.leader('leader')).toEqual({ candidate: 'one', epoch: first.epoch });
    await first.release();
    const second = await waiting;
    expect(second.epoch).toBeGreaterThan(first.epoch);
    const write = [{ kind: 'put' as const, key: 'a', value: bytes('1') }];
    await expect(store.commit(write, { lease: first })).rejects.toMatchObject({
      code: 'STORE_FENCED',
    });
    expect(await store.get('a')).toBeUndefined();
    await store.commit(write, { lease: second });
    await store.close();
    await second.lost;
  });

  test('limits and calls after close are refused', async () => {
    const store = open();
    const tooLarge = { kind: 'put' as const, key: 'a', value: new Uint8Array(VALUE_BYTES_MAX + 1) };
    await expect(store.commit([tooLarge])).rejects.toMatchObject({ code: 'STORE_LIMIT' });
    await store.commit([{ ...tooLarge, value: new Uint8Array(VALUE_BYTES_MAX) }]);
    await store.close();
    await expect(store.get('a')).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });
});

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

test('a file that is no store is named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'store-'));
  folders.push(folder);
  expect(() => openSqliteStore(folder)).toThrow(`${folder} cannot be opened as a store`);
});
