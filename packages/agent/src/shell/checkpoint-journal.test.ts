import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { openCheckpointJournal, type CheckpointJournal } from './checkpoint-journal.ts';

let directory = '';
let path = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dcos-journal-'));
  path = join(directory, 'meta', 'checkpoint.log');
});
afterEach(async () => await rm(directory, { recursive: true, force: true }));

const open = async (): Promise<CheckpointJournal> =>
  await openCheckpointJournal(path, silentLogger);

async function contents(): Promise<Readonly<Record<string, unknown>>> {
  const journal = await open();
  await journal.close();
  return Object.fromEntries(journal.records);
}

test('what was appended is there, the last write of a key counts, a deletion is one', async () => {
  const journal = await open();
  await journal.append([
    { key: 'a', value: { n: 1 } },
    { key: 'b', value: { text: 'line\nfeed "ü"' } },
  ]);
  await journal.append([
    { key: 'a', value: { n: 2 } },
    { key: 'c', value: {} },
  ]);
  await journal.append([{ key: 'c', value: undefined }]);
  await journal.close();
  expect(await contents()).toEqual({ a: { n: 2 }, b: { text: 'line\nfeed "ü"' } });
});

test('a file cut anywhere gives a beginning of what was written', async () => {
  const journal = await open();
  for (let n = 1; n <= 5; n++) await journal.append([{ key: 'n', value: { n } }]);
  await journal.close();
  const whole = await readFile(path);
  const first = whole.indexOf('\n') + 1;
  let last = 0;
  for (let length = first; length <= whole.length; length++) {
    await writeFile(path, whole.subarray(0, length));
    const { n = { n: 0 } } = (await contents()) as { n?: { n: number } };
    expect(n.n).toBeGreaterThanOrEqual(last);
    last = n.n;
  }
  expect(last).toBe(5);
});

test('a damaged line costs itself only', async () => {
  const journal = await open();
  await journal.append([{ key: 'a', value: { n: 1 } }]);
  await journal.close();
  await appendFile(path, '00000000 {"key":"x","value":{}}\n');
  const again = await open();
  await again.append([{ key: 'b', value: { n: 2 } }]);
  await again.close();
  expect(await contents()).toEqual({ a: { n: 1 }, b: { n: 2 } });
});

test('a file of something else is refused and left alone', async () => {
  await (await open()).close();
  await writeFile(path, 'something else\n');
  await expect(open()).rejects.toMatchObject({ code: 'CHECKPOINT_VERSION' });
  expect(await readFile(path, 'utf8')).toBe('something else\n');
});

test('the file does not grow without bound', async () => {
  const journal = await open();
  const text = 'x'.repeat(100_000);
  for (let n = 0; n < 120; n++) await journal.append([{ key: 'a', value: { n, text } }]);
  await journal.close();
  expect((await readFile(path)).length).toBeLessThan(6_000_000);
  expect(await contents()).toEqual({ a: { n: 119, text } });
});
