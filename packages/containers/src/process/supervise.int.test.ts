/** Programs that the launcher starts and leaves: what they answer, where their output goes. */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { until } from '../testing/runtime-contract.ts';
import { borrowShimLauncher, type ShimLauncher, type SuperviseCall } from './shim-launcher.ts';

let launcher: ShimLauncher;
let sandboxPath = '';
beforeEach(async () => {
  launcher = borrowShimLauncher(silentLogger);
  sandboxPath = await mkdtemp(join(tmpdir(), 'dcos-supervise-'));
});
afterEach(async () => {
  launcher.close();
  await rm(sandboxPath, { recursive: true, force: true });
});

function call(script: string): SuperviseCall {
  return {
    file: '/bin/sh',
    vector: ['-c', script],
    environment: { WORD: 'a word' },
    directory: sandboxPath,
    sandboxPath,
    account: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    timeoutMs: 20_000,
  };
}

const textOf = (name: string): string => readFileSync(join(sandboxPath, name), 'utf8');

test('it answers in one line and stays; its output is appended to the files', async () => {
  await writeFile(join(sandboxPath, 'stdout'), 'before\n');
  const script =
    'echo out; echo bad >&2; echo "$WORD $PWD" >&3; until [ -e go ]; do sleep 0.01; done';
  expect(await launcher.supervise(call(`${script}; echo end`))).toMatchObject({
    succeeded: true,
    stdout: `a word ${sandboxPath}\n`,
  });
  expect(textOf('stderr')).toBe('bad\n');
  expect(textOf('stdout')).toBe('before\nout\n');
  await writeFile(join(sandboxPath, 'go'), '');
  await until(() => textOf('stdout').endsWith('end\n'), 'it goes on after its answer');
});

test('one that ends without an answer has given none', async () => {
  expect(await launcher.supervise(call('exit 3'))).toMatchObject({ succeeded: true, stdout: '' });
});

test('one that does not answer in time is told', async () => {
  const asked = { ...call('exec sleep 5'), timeoutMs: 50 };
  expect(await launcher.supervise(asked)).toMatchObject({
    succeeded: false,
    stderr: 'it did not answer in time',
  });
});

test.each([
  ['the program is not there', { file: '/none/conmon' }, 'ENOENT'],
  ['there is no sandbox', { sandboxPath: '/none' }, 'ENOENT'],
])('it fails when %s', async (_why, more, message) => {
  expect(await launcher.supervise({ ...call('exit 0'), ...more })).toMatchObject({
    succeeded: false,
    stderr: expect.stringContaining(message) as string,
  });
});

test('a link in the place of its output is not followed', async () => {
  const target = join(sandboxPath, 'target');
  await symlink(target, join(sandboxPath, 'stderr'));
  expect(await launcher.supervise(call('echo bad >&2'))).toMatchObject({
    succeeded: false,
    stderr: expect.stringContaining('ELOOP') as string,
  });
  expect(existsSync(target)).toBe(false);
});

test.runIf(process.getuid?.() === 0)('the files belong to the account', async () => {
  const account = { uid: 65_534, gid: 65_534 };
  await launcher.supervise({ ...call('echo ok >&3'), account });
  expect(statSync(join(sandboxPath, 'stdout'))).toMatchObject(account);
});

test('when the launcher dies nobody knows, and the program goes on', async () => {
  const script = 'echo on; until [ -e go ]; do sleep 0.01; done; echo end';
  const answer = launcher.supervise(call(script));
  await until(() => existsSync(join(sandboxPath, 'stdout')) && textOf('stdout') === 'on\n', 'runs');
  process.kill(launcher.pid ?? 0, 'SIGKILL');
  expect(await answer).toBeUndefined();
  await writeFile(join(sandboxPath, 'go'), '');
  await until(() => textOf('stdout') === 'on\nend\n', 'it goes on');
});
