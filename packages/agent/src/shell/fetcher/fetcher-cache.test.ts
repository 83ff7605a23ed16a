import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryDirectory } from '@dcos/testkit';
import { FetcherCache, type Fill } from './fetcher-cache.ts';

let directory: ReturnType<typeof temporaryDirectory>;
let cache: FetcherCache;
let fills: string[];

beforeEach(async () => {
  directory = temporaryDirectory('cache');
  cache = new FetcherCache({ directory: directory.path, bytesMax: 10 });
  fills = [];
  await cache.open();
});
afterEach(() => directory.remove());

const signal = new AbortController().signal;
const fillWith =
  (text: string, before: Promise<void> = Promise.resolve()): Fill =>
  async (path, { onSize, signal: shared }) => {
    fills.push(text);
    onSize(text.length);
    await Promise.race([
      before,
      new Promise((_resolve, reject) =>
        shared.addEventListener('abort', () => reject(shared.reason as Error)),
      ),
    ]);
    writeFileSync(path, text);
  };

/** What was read; undefined when there was no room. */
async function use(
  key: string,
  fill: Fill = fillWith(key),
  own: AbortSignal = signal,
): Promise<string | undefined> {
  let text: string | undefined;
  await cache.use(key, { fill, signal: own }, async (path) => {
    text = readFileSync(path, 'utf8');
    await Promise.resolve();
  });
  return text;
}

test('a file is fetched once, also for those who ask while it is', async () => {
  expect(await Promise.all([use('abc'), use('abc')])).toEqual(['abc', 'abc']);
  expect(await use('abc')).toBe('abc');
  expect(fills).toEqual(['abc']);
  expect(cache.bytesUsed).toBe(3);
});

test('what was asked for longest ago makes room', async () => {
  await use('aaaa');
  await use('bbbb');
  await use('aaaa');
  await use('cccc');
  expect(cache.bytesUsed).toBe(8);
  await use('aaaa');
  expect(fills).toEqual(['aaaa', 'bbbb', 'cccc']);
  await use('bbbb');
  expect(fills.length).toBe(4);
  expect(readdirSync(directory.path).length).toBe(2);
});

test('what is too large has no room, and takes none from others', async () => {
  await use('aaaa');
  expect(await use('x'.repeat(11))).toBeUndefined();
  expect(cache.bytesUsed).toBeLessThanOrEqual(10);
  expect(readdirSync(directory.path).length).toBeLessThanOrEqual(1);
  expect(await use('bbbb')).toBe('bbbb');
});

test('what somebody reads is not removed', async () => {
  let path = '';
  const reading = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const reader = cache.use('aaaaaa', { fill: fillWith('aaaaaa'), signal }, async (at) => {
    path = at;
    begun.resolve();
    await reading.promise;
  });
  await begun.promise;
  expect(await use('bbbbbb')).toBeUndefined();
  expect(existsSync(path)).toBe(true);
  reading.resolve();
  expect(await reader).toBe(true);
  expect(await use('bbbbbb')).toBe('bbbbbb');
  expect(existsSync(path)).toBe(false);
});

test('a failure leaves nothing, and the next one tries again', async () => {
  const failing: Fill = async (path, { onSize }) => {
    onSize(5);
    writeFileSync(path, 'half');
    await Promise.resolve();
    throw new Error('broke off');
  };
  await expect(use('a', failing)).rejects.toThrow('broke off');
  expect([cache.bytesUsed, readdirSync(directory.path)]).toEqual([0, []]);
  expect(await use('a')).toBe('a');
});

test('who gives up stops the fetch when nobody else waits, and only then', async () => {
  const first = new AbortController();
  const gate = Promise.withResolvers<void>();
  const given = use('a', fillWith('a', gate.promise), first.signal);
  const other = use('a');
  first.abort(new Error('killed'));
  await expect(given).rejects.toThrow('killed');
  gate.resolve();
  expect(await other).toBe('a');
  const second = new AbortController();
  const torn = Promise.withResolvers<void>();
  const slowToEnd: Fill = async (_path, { onSize }) => {
    onSize(1);
    await torn.promise;
  };
  const alone = use('b', slowToEnd, second.signal);
  second.abort(new Error('killed'));
  await expect(alone).rejects.toThrow('killed');
  // Beside the one that is still being put away.
  expect(await use('b')).toBe('b');
  torn.resolve();
  await expect.poll(() => readdirSync(directory.path).length).toBe(2);
  expect(await use('b')).toBe('b');
  expect(fills).toEqual(['a', 'b']);
  expect(cache.bytesUsed).toBe(2);
});
