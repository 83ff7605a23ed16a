import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rotateOutput } from './rotate-output.ts';

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dcos-rotate-'));
  path = join(folder, 'stdout');
});
afterEach(() => rmSync(folder, { recursive: true }));

const LIMITS = { bytesMax: 10, filesMax: 2 };
const textOf = (name: string): string => readFileSync(join(folder, name), 'utf8');

test('a file within its bound stays, and so does one that is not there', async () => {
  expect(await rotateOutput(path, LIMITS)).toBe(false);
  writeFileSync(path, '0123456789');
  expect(await rotateOutput(path, LIMITS)).toBe(false);
  expect(readdirSync(folder)).toEqual(['stdout']);
});

test('pieces move up by one, and the oldest goes', async () => {
  for (const piece of ['first piece', 'second piece', 'third piece']) {
    appendFileSync(path, piece);
    expect(await rotateOutput(path, LIMITS)).toBe(true);
  }
  appendFileSync(path, 'now');
  expect([textOf('stdout'), textOf('stdout.1'), textOf('stdout.2')]).toEqual([
    'now',
    'third piece',
    'second piece',
  ]);
  expect(readdirSync(folder)).toHaveLength(3);
});

test('without older pieces the file is cut', async () => {
  writeFileSync(path, 'more than ten bytes');
  expect(await rotateOutput(path, { bytesMax: 10, filesMax: 0 })).toBe(true);
  expect(textOf('stdout')).toBe('');
});

test('a link is not followed, wherever a task puts it', async () => {
  const victim = join(folder, 'victim');
  writeFileSync(victim, 'more than ten bytes');
  symlinkSync(victim, path);
  expect(await rotateOutput(path, LIMITS)).toBe(false);
  rmSync(path);
  writeFileSync(path, 'a piece that is too big');
  for (const name of ['stdout.next', 'stdout.1', 'stdout.2'])
    symlinkSync(victim, join(folder, name));
  expect(await rotateOutput(path, LIMITS)).toBe(true);
  expect(textOf('victim')).toBe('more than ten bytes');
  expect(textOf('stdout.1')).toBe('a piece that is too big');
  expect(statSync(path).size).toBe(0);
  expect(existsSync(join(folder, 'stdout.next'))).toBe(false);
});
