import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { silentLogger } from '@dcos/base';
import { temporaryDirectory } from '@dcos/testkit';
import { closeAfterTest } from '../testing/running-master.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { whitelistOf } from './whitelist.ts';

const PERIOD_MS = 5_000;

function fileOf(text: string): string {
  const directory = temporaryDirectory('whitelist');
  closeAfterTest({ close: () => directory.remove() });
  const path = join(directory.path, 'hosts');
  writeFileSync(path, text);
  return path;
}

function started(setting: string) {
  const clock = new ManualClock();
  const heard: (readonly string[])[] = [];
  const warnings: unknown[] = [];
  const whitelist = whitelistOf(setting, {
    clock,
    logger: { ...silentLogger, warn: (fields) => warnings.push(fields) },
    onChange: (hostnames) => heard.push([...hostnames]),
  });
  whitelist?.start();
  return { clock, heard, warnings, whitelist };
}

test.each([undefined, '*'])('%s means all agents', (setting) => {
  const options = { clock: new ManualClock(), logger: silentLogger, onChange: () => undefined };
  expect(whitelistOf(setting, options)).toBeUndefined();
});

test('the file is said at the start and again when it has changed, not otherwise', async () => {
  const path = fileOf('a\n\n  b \n');
  const { clock, heard } = started(`file://${path}`);
  expect(heard).toEqual([['a', 'b']]);
  clock.advance(PERIOD_MS);
  writeFileSync(path, 'c\n');
  await vi.waitFor(() => {
    clock.advance(PERIOD_MS);
    expect(heard).toEqual([['a', 'b'], ['c']]);
  });
  writeFileSync(path, '');
  await vi.waitFor(() => {
    clock.advance(PERIOD_MS);
    expect(heard.at(-1)).toEqual([]);
  });
  expect(heard).toHaveLength(3);
});

test('a file that is gone keeps what it said, and is looked for again', async () => {
  const path = fileOf('a');
  const { clock, heard, warnings, whitelist } = started(path);
  rmSync(path);
  await vi.waitFor(() => {
    clock.advance(PERIOD_MS);
    expect(warnings).toHaveLength(1);
  });
  expect(heard).toEqual([['a']]);
  writeFileSync(path, 'b');
  await vi.waitFor(() => {
    clock.advance(PERIOD_MS);
    expect(heard).toEqual([['a'], ['b']]);
  });
  whitelist?.stop();
});

test('a file that is not there keeps the master from starting', () => {
  expect(() => started('/nowhere/hosts')).toThrow('/nowhere/hosts cannot be read');
});
