/** What is in the place of a file that is followed: the task's sandbox is the task's. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { errorText } from '@dcos/base';
import { temporaryDirectory } from '@dcos/testkit';
import { followFile } from './follow-file.ts';

let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  directory = temporaryDirectory('follow');
});
afterEach(() => directory.remove());

test.each<[what: string, put: (path: string, secret: string) => void]>([
  ['a link', (path, secret) => symlinkSync(secret, path)],
  ['a pipe', (path) => void execFileSync('mkfifo', [path])],
  ['a directory', (path) => mkdirSync(path)],
])('%s is not read', async (_what, put) => {
  const path = join(directory.path, 'stdout');
  const secret = join(directory.path, 'secret');
  writeFileSync(secret, 'secret');
  put(path, secret);
  const read: Uint8Array[] = [];
  const failed = new Promise<string>((resolve) => {
    followFile({
      path,
      offset: 0,
      onData: (bytes) => void read.push(bytes),
      isOver: () => true,
      onEnd: () => resolve('ended'),
      onError: (error) => resolve(errorText(error)),
    });
  });
  expect(await failed).toBe(`${path} is not a file`);
  expect(read).toEqual([]);
});
