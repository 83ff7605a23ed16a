import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { openSqliteReader, openSqliteStore, type Write } from '@dcos/store';
import {
  startZooKeeperEnsemble,
  temporaryDirectory,
  zooKeeper,
  type ZooKeeperEnsemble,
} from '@dcos/testkit';
import { backUp, restore } from './back-up.ts';

const facility = zooKeeper();
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const logger = silentLogger;
let folder: ReturnType<typeof temporaryDirectory>;
const at = (name: string): string => join(folder.path, name);

beforeEach(() => {
  folder = temporaryDirectory('backup');
});
afterEach(() => folder.remove());

const put = (key: string, value: string): Write => ({ kind: 'put', key, value: bytes(value) });

/** A state as a box has it, with a value that no text is. */
async function fill(file: string): Promise<void> {
  const store = openSqliteStore(file);
  await store.commit([put('master/agents/S0', '{"id":"S0"}'), put('marathon/apps/%2Fa', 'ä\n"')]);
  await store.commit([{ kind: 'put', key: 'marathon/raw', value: new Uint8Array([0, 255, 10]) }]);
  await store.commit([put('marathon/apps/%2Fa', 'again')]);
  await store.close();
}

async function contents(file: string): Promise<readonly (readonly [string, string])[]> {
  const reader = openSqliteReader(file);
  const entries = await reader.list('');
  await reader.close();
  return entries.map(({ key, value }) => [key, Buffer.from(value).toString('hex')] as const);
}

test('a backup is taken beside the writer, and readable by its owner alone', async () => {
  const store = openSqliteStore(at('state.db'));
  await store.commit([put('master/a', '1')]);
  const facts = await backUp(folder.path, at('backup'), { logger });
  expect(facts).toMatchObject({ file: at('backup'), entries: 1 });
  expect(statSync(at('backup')).mode & 0o777).toBe(0o600);
  await store.commit([put('master/a', '2')]);
  await store.close();
  await restore(at('backup'), at('new.db'), { logger });
  expect(await contents(at('new.db'))).toEqual([['master/a', '31']]);
});

test('what is not empty is replaced when that is asked for, also after an interruption', async () => {
  await fill(at('state.db'));
  await backUp(at('state.db'), at('backup'), { logger });
  const other = openSqliteStore(at('other.db'));
  await other.commit([put('master/b', '1'), put('ops/restore', 'of another backup')]);
  await other.close();
  await restore(at('backup'), at('other.db'), { logger, replaces: true });
  expect(await contents(at('other.db'))).toEqual(await contents(at('state.db')));
});

test('what is not empty stays as it is', async () => {
  await fill(at('state.db'));
  await backUp(at('state.db'), at('backup'), { logger });
  const other = openSqliteStore(at('other.db'));
  await other.commit([put('master/b', '1')]);
  await other.close();
  await expect(restore(at('backup'), at('other.db'), { logger })).rejects.toMatchObject({
    code: 'RESTORE_NOT_EMPTY',
  });
  expect(await contents(at('other.db'))).toEqual([['master/b', '31']]);
});

test('a restore that was interrupted goes on with the same file, and with no other', async () => {
  await fill(at('state.db'));
  const { sha256 } = await backUp(at('state.db'), at('backup'), { logger });
  const half = openSqliteStore(at('half.db'));
  await half.commit([put('ops/restore', sha256), put('marathon/raw', 'half')]);
  await half.close();
  await fill(at('second.db'));
  const second = openSqliteStore(at('second.db'));
  await second.commit([put('master/more', '1')]);
  await second.close();
  await backUp(at('second.db'), at('backup2'), { logger });
  await expect(restore(at('backup2'), at('half.db'), { logger })).rejects.toMatchObject({
    code: 'RESTORE_NOT_EMPTY',
  });
  await restore(at('backup'), at('half.db'), { logger });
  expect(await contents(at('half.db'))).toEqual(await contents(at('state.db')));
});

test.each([
  ['cut off', (text: string) => text.slice(0, -80)],
  ['changed', (text: string) => text.replace('marathon', 'marathan')],
  ['something else', () => 'hello\n'],
  ['empty', () => ''],
])('a file that is %s is refused before anything is touched', async (_, damage) => {
  await fill(at('state.db'));
  await backUp(at('state.db'), at('backup'), { logger });
  writeFileSync(at('backup'), damage(readFileSync(at('backup'), 'utf8')));
  await expect(restore(at('backup'), at('new.db'), { logger })).rejects.toMatchObject({
    code: 'BACKUP_DAMAGED',
  });
  expect(statSync(at('new.db'), { throwIfNoEntry: false })).toBeUndefined();
});

test('a file of a later format says so', async () => {
  writeFileSync(at('backup'), '{"format":"dcos-backup","version":9,"entries":0}\n{}\n');
  await expect(restore(at('backup'), at('new.db'), { logger })).rejects.toMatchObject({
    code: 'BACKUP_VERSION',
  });
});

describe.skipIf(!facility.available)(`with ZooKeeper${facility.note}`, () => {
  let ensemble: ZooKeeperEnsemble;
  beforeAll(async () => {
    ensemble = await startZooKeeperEnsemble(1);
  });
  afterAll(async () => await ensemble?.stop());

  test('state goes from a box into ZooKeeper and back, byte by byte', async () => {
    await fill(at('state.db'));
    await backUp(at('state.db'), at('backup'), { logger });
    const cluster = ensemble.address('');
    await restore(at('backup'), cluster, { logger });
    await expect(restore(at('backup'), cluster, { logger })).rejects.toMatchObject({
      code: 'RESTORE_NOT_EMPTY',
    });
    await backUp(cluster, at('backup2'), { logger });
    await restore(at('backup2'), at('back.db'), { logger });
    expect(await contents(at('back.db'))).toEqual(await contents(at('state.db')));
  });

  test('a place that is no ensemble, or no folder of a box, is named', async () => {
    await expect(backUp(at('none'), at('backup'), { logger })).rejects.toThrow('is not there');
    await expect(
      backUp(ensemble.address('/mesos'), at('backup'), { logger }),
    ).rejects.toMatchObject({
      code: 'PLACE_INVALID',
    });
  });
});
