import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { borrowShimLauncher, type ShimLauncher } from '../process/shim-launcher.ts';
import { until } from '../testing/runtime-contract.ts';
import { runToolIn } from './run-tool.ts';

let launcher: ShimLauncher;
let directory = '';
beforeEach(async () => {
  launcher = borrowShimLauncher(silentLogger);
  directory = await mkdtemp(join(tmpdir(), 'dcos-run-tool-'));
});
afterEach(async () => {
  launcher.close();
  await rm(directory, { recursive: true, force: true });
});

test('what a program says is its answer, and it has no environment but ours', async () => {
  const said = await runToolIn(launcher, '/bin/sh', ['-c', 'echo "$1" "$HOME$DCOS"', '-', 'a b']);
  expect(said).toBe('a b \n');
});

test.each([
  ['with its own words', '/bin/sh', ['-c', 'echo no >&2; exit 3'], 'no'],
  ['by name when it says nothing', '/bin/false', [], '/bin/false failed'],
  ['when it is not there', '/none/tool', [], 'spawn /none/tool ENOENT'],
])('a program fails %s', async (_how, file, vector, message) => {
  await expect(runToolIn(launcher, file, vector)).rejects.toMatchObject({
    code: 'CONTAINER_LAUNCH_FAILED',
    message,
  });
});

test('many at once get each their own answer', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, index) =>
      (await runToolIn(launcher, '/bin/echo', [String(index)])).trim(),
    ),
  );
  expect(answers).toEqual(Array.from({ length: 20 }, (_, index) => String(index)));
});

test('when the launcher dies, the program is run once more', async () => {
  const mark = join(directory, 'first');
  const script =
    'if [ -e "$1" ]; then echo again; else echo $$ >"$1.new"; mv "$1.new" "$1"; exec sleep 60; fi';
  const answer = runToolIn(launcher, '/bin/sh', ['-c', script, '-', mark]);
  await until(() => existsSync(mark), 'it runs');
  process.kill(launcher.pid ?? 0, 'SIGKILL');
  expect(await answer).toBe('again\n');
  process.kill(Number(readFileSync(mark, 'utf8')), 'SIGKILL');
});

test('a process that waits for nothing else lives until its answer comes', () => {
  const program = `
    import { borrowShimLauncher } from '${new URL('../process/shim-launcher.ts', import.meta.url).href}';
    const none = () => undefined;
    const launcher = borrowShimLauncher({ debug: none, info: none, warn: none, error: none });
    const vector = ['-c', 'sleep 0.2; echo awaited'];
    const call = { file: '/bin/sh', vector, environment: {}, timeoutMs: 20_000 };
    process.stdout.write((await launcher.run(call)).stdout);`;
  const flags = ['--conditions=@dcos/source', '--input-type=module', '-e', program];
  expect(execFileSync(process.execPath, flags, { encoding: 'utf8' })).toBe('awaited\n');
});

test('a launcher that was given back runs nothing', async () => {
  launcher.close();
  await expect(runToolIn(launcher, '/bin/echo', ['a'])).rejects.toThrow('the launcher of tasks');
  expect(launcher.pid).toBeUndefined();
});
