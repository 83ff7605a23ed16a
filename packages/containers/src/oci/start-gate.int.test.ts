import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openGate } from './start-gate.ts';

const never = new Promise<never>(() => undefined);
let directory = '';
let path = '';
const children: ChildProcess[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dcos-gate-'));
  path = join(directory, 'exec.fifo');
  execFileSync('mkfifo', [path]);
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

/** Runs a script as the first process of a container, with the pipe as its `$1`. */
function first(script: string): ChildProcess {
  const child = spawn('/bin/sh', ['-c', script, '-', path], { stdio: 'ignore' });
  children.push(child);
  return child;
}

test('a process that waits goes on, and its pipe is gone', async () => {
  const child = first('printf 0 >"$1"; exit 7');
  const ended = once(child, 'exit');
  await openGate(path, never);
  expect(await ended).toEqual([7, null]);
  expect(existsSync(path)).toBe(false);
});

test('so does one that comes to the pipe later', async () => {
  const mark = join(directory, 'go');
  const child = first(`until [ -e '${mark}' ]; do sleep 0.01; done; printf 0 >"$1"`);
  const ended = once(child, 'exit');
  const opened = openGate(path, never);
  execFileSync('touch', [mark]);
  await opened;
  expect(await ended).toEqual([0, null]);
});

test('one that ends at the pipe was never started', async () => {
  first(': >"$1"');
  await expect(openGate(path, never)).rejects.toMatchObject({
    code: 'CONTAINER_LAUNCH_FAILED',
    message: 'the container ended before it was started',
  });
  expect(existsSync(path)).toBe(true);
});

test('nor was one that ends before it', async () => {
  await expect(openGate(path, Promise.resolve())).rejects.toThrow('ended before it was started');
  expect(existsSync(path)).toBe(true);
});

test('a container without a pipe cannot be started', async () => {
  await expect(openGate(join(directory, 'none'), never)).rejects.toMatchObject({ code: 'ENOENT' });
});
