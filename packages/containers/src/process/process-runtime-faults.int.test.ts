/** The `process` runtime among hostile tasks, dying launchers and impossible descriptions. */

import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import type { ContainerRuntime, ContainerSpec } from '../runtime.ts';
import { until } from '../testing/runtime-contract.ts';
import { createProcessRuntime } from './process-runtime.ts';
import { borrowShimLauncher, type ShimLauncher } from './shim-launcher.ts';

let root = '';
let launcher: ShimLauncher;
let runtime: ContainerRuntime;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'dcos-faults-'));
  launcher = borrowShimLauncher(silentLogger);
  runtime = createProcessRuntime({ stateRoot: join(root, 'run'), logger: silentLogger });
});
afterAll(async () => {
  await runtime.close();
  launcher.close();
  await rm(root, { recursive: true, force: true });
});

function spec(id: string, value: string, more: Partial<ContainerSpec> = {}): ContainerSpec {
  const sandboxPath = join(root, more.sandboxPath ?? id);
  mkdirSync(sandboxPath, { recursive: true });
  const environment = { PATH: '/usr/bin:/bin' };
  return { id, command: { value }, environment, cpus: 0.1, memoryBytes: 0, ...more, sandboxPath };
}

async function run(task: ContainerSpec): Promise<number> {
  await runtime.prepare(task);
  await runtime.create(task);
  return (await runtime.start(task.id)).pid;
}

const textOf = (task: ContainerSpec, file = 'stdout'): string =>
  readFileSync(join(task.sandboxPath, file), 'utf8');

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('the death of the launcher harms no task, and the next one is started by another', async () => {
  const task = spec('survivor', 'until [ -e go ]; do sleep 0.02; done; exit 6');
  const pid = await run(task);
  const first = launcher.pid ?? 0;
  process.kill(first, 'SIGKILL');
  await until(() => launcher.pid !== first, 'its death is seen');
  expect(isAlive(pid)).toBe(true);
  const next = spec('next', 'echo fine');
  await run(next);
  expect(await runtime.wait('next')).toEqual({ kind: 'exited', code: 0 });
  writeFileSync(join(task.sandboxPath, 'go'), '');
  expect(await runtime.wait('survivor')).toEqual({ kind: 'exited', code: 6 });
  await runtime.remove('survivor');
  await runtime.remove('next');
});

test('a launch that is under way when the launcher dies has started or never will', async () => {
  const tasks = Array.from({ length: 30 }, (_, index) => spec(`cut-${index}`, 'echo on; sleep 60'));
  const starts = tasks.map(async (task) => await run(task));
  await Promise.race(starts);
  process.kill(launcher.pid ?? 0, 'SIGKILL');
  const results = await Promise.allSettled(starts);
  const refused = results.filter((result) => result.status === 'rejected');
  for (const { reason } of refused)
    expect(reason).toMatchObject({
      code: 'CONTAINER_LAUNCH_FAILED',
      message: 'the launcher of tasks died',
    });
  for (const result of results) {
    if (result.status === 'fulfilled') expect(isAlive(result.value)).toBe(true);
  }
  for (const { id } of tasks) await runtime.remove(id);
  const isGone = (result: PromiseSettledResult<number>): boolean =>
    result.status === 'rejected' || !isAlive(result.value);
  await until(() => results.every(isGone), 'all tasks are gone');
  // The launcher removes directories when it comes to it.
  await until(() => readdirSync(join(root, 'run')).length === 0, 'all state is removed');
});

test('what was not found is not started by a launcher that is late', async () => {
  const task = spec('late', 'touch began');
  await runtime.prepare(task);
  await runtime.create(task);
  const successor = createProcessRuntime({ stateRoot: join(root, 'run'), logger: silentLogger });
  expect(await successor.recover([task])).toEqual([{ kind: 'absent', id: 'late' }]);
  await expect(runtime.start('late')).rejects.toMatchObject({ code: 'CONTAINER_LAUNCH_FAILED' });
  expect(readdirSync(task.sandboxPath)).not.toContain('began');
  await runtime.remove('late');
  await successor.close();
});

test('the launcher ends with its agent, the task does not', async () => {
  const stateRoot = join(root, 'other');
  const sandboxPath = join(root, 'orphan');
  mkdirSync(sandboxPath);
  const program = `
    import { createProcessRuntime } from '${new URL('process-runtime.ts', import.meta.url).href}';
    import { borrowShimLauncher } from '${new URL('shim-launcher.ts', import.meta.url).href}';
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    const runtime = createProcessRuntime({ stateRoot: ${JSON.stringify(stateRoot)}, logger });
    const spec = { id: 'orphan', sandboxPath: ${JSON.stringify(sandboxPath)}, environment: {},
      command: { value: 'sleep 60' }, cpus: 0.1, memoryBytes: 0 };
    await runtime.create(spec);
    const { pid } = await runtime.start('orphan');
    console.log(pid, borrowShimLauncher(logger).pid);
    process.kill(process.pid, 'SIGKILL');
  `;
  let output = '';
  try {
    execFileSync(
      process.execPath,
      ['--conditions=@dcos/source', '--input-type=module', '-e', program],
      {
        encoding: 'utf8',
      },
    );
  } catch (error) {
    output = (error as { readonly stdout: string }).stdout;
  }
  const [pid = 0, launcherPid = 0] = output.trim().split(' ').map(Number);
  await until(() => !isAlive(launcherPid), 'the launcher is gone');
  expect(isAlive(pid)).toBe(true);
  const after = createProcessRuntime({ stateRoot, logger: silentLogger });
  await after.recover([]);
  await until(() => !isAlive(pid), 'the task is gone');
  await after.close();
});

test('processes in groups of their own end with the task they belong to', async () => {
  const task = spec('groups', `bash -c 'set -m; sleep 60 & echo $! >daemon; echo ready; wait'`);
  await run(task);
  await until(() => textOf(task) === 'ready\n', 'it is ready');
  const daemon = Number(textOf(task, 'daemon'));
  expect(isAlive(daemon)).toBe(true);
  await runtime.signal('groups', 'SIGKILL');
  await runtime.wait('groups');
  await until(() => !isAlive(daemon), 'the daemon is gone');
  await runtime.remove('groups');
});

test('processes in groups of their own end when the task ends by itself', async () => {
  const task = spec('left', `bash -c 'set -m; sleep 60 & echo $! >daemon'`);
  await run(task);
  expect(await runtime.wait('left')).toEqual({ kind: 'exited', code: 0 });
  const daemon = Number(textOf(task, 'daemon'));
  await until(() => !isAlive(daemon), 'the daemon is gone');
  await runtime.remove('left');
});

test('a stopped task is woken up to hear that it is to end', async () => {
  const task = spec(
    'stopped',
    'trap "echo bye; exit 4" TERM; echo ready; while :; do sleep 0.02; done',
  );
  const pid = await run(task);
  await until(() => textOf(task) === 'ready\n', 'it is ready');
  process.kill(pid, 'SIGSTOP');
  await runtime.signal('stopped', 'SIGTERM');
  expect(await runtime.wait('stopped')).toEqual({ kind: 'exited', code: 4 });
  await runtime.remove('stopped');
});

test('a stopped group is killed', async () => {
  const task = spec('frozen', 'echo ready; sleep 60');
  await run(task);
  await until(() => textOf(task) === 'ready\n', 'it is ready');
  const shim = Number(readFileSync(join(root, 'run', 'frozen', 'shim'), 'utf8').split('\n')[0]);
  process.kill(-shim, 'SIGSTOP');
  await runtime.signal('frozen', 'SIGKILL');
  expect(await runtime.wait('frozen')).toEqual({ kind: 'signaled', signal: 9 });
  await runtime.remove('frozen');
});

test.each([
  ['a value', { value: 'echo a\0b' }],
  ['an argument', { shell: false, value: '/bin/echo', arguments: ['echo', 'a\0b'] }],
])('%s with a NUL character is refused', async (_what, command) => {
  await expect(runtime.prepare(spec('nul', '', { command }))).rejects.toMatchObject({
    code: 'CONTAINER_INVALID',
    message: 'the command holds a NUL character',
  });
});

test('a big environment arrives; one that the kernel refuses is a failed launch', async () => {
  const variables = Object.fromEntries(
    Array.from({ length: 16 }, (_, index) => [`BIG_${index}`, 'x'.repeat(64 * 1024)]),
  );
  const environment = { PATH: '/usr/bin:/bin', ...variables };
  const big = spec('big', 'printf %s "$BIG_15" | wc -c', { environment });
  await run(big);
  expect(await runtime.wait('big')).toEqual({ kind: 'exited', code: 0 });
  expect(textOf(big).trim()).toBe('65536');
  await runtime.remove('big');
  const huge = spec('huge', 'true', { environment: { HUGE: 'x'.repeat(16 * 1024 * 1024) } });
  await expect(run(huge)).rejects.toMatchObject({
    code: 'CONTAINER_LAUNCH_FAILED',
    message: expect.stringContaining('E2BIG') as string,
  });
  await runtime.remove('huge');
});

test('variables that the shim uses itself arrive unchanged', async () => {
  const environment = { PATH: '/usr/bin:/bin', 'a.b-c': 'odd', s: '1', p: '2', l: '3' };
  const command = { shell: false, value: '/usr/bin/env' };
  const task = spec('variables', '', { environment, command });
  await run(task);
  await runtime.wait('variables');
  const lines = textOf(task).split('\n');
  for (const [name, value] of Object.entries(environment))
    expect(lines).toContain(`${name}=${value}`);
  await runtime.remove('variables');
});

test('a path with blanks, quotes and other scripts is a path', async () => {
  const task = spec('path', 'pwd', { sandboxPath: `it's "a" $HOME; grüße 箱` });
  await run(task);
  expect(await runtime.wait('path')).toEqual({ kind: 'exited', code: 0 });
  expect(textOf(task)).toBe(`${task.sandboxPath}\n`);
  await runtime.remove('path');
});

test('a sandbox that is gone is a failed launch', async () => {
  const task = spec('homeless', 'true');
  rmSync(task.sandboxPath, { recursive: true });
  await expect(run(task)).rejects.toMatchObject({ code: 'CONTAINER_LAUNCH_FAILED' });
  await runtime.remove('homeless');
});

test('output that was made a pipe or a link before the start is refused', async () => {
  const pipe = spec('pipe', 'true');
  execFileSync('mkfifo', [join(pipe.sandboxPath, 'stdout')]);
  await expect(run(pipe)).rejects.toMatchObject({ code: 'CONTAINER_LAUNCH_FAILED' });
  await runtime.remove('pipe');
  const link = spec('link', 'echo gotcha');
  const target = join(root, 'target');
  writeFileSync(target, '');
  symlinkSync(target, join(link.sandboxPath, 'stdout'));
  await expect(run(link)).rejects.toMatchObject({ code: 'CONTAINER_LAUNCH_FAILED' });
  expect(await readFile(target, 'utf8')).toBe('');
  await runtime.remove('link');
});

test('usage counts the whole session, also what has ended', async () => {
  const task = spec(
    'usage',
    'i=0; while [ $i -lt 30 ]; do i=$((i+1)); sh -c "j=0; while [ \\$j -lt 20000 ]; do j=\\$((j+1)); done"; done; sh -c "sleep 60" & sleep 60 & echo ready; wait',
  );
  await run(task);
  await until(() => textOf(task) === 'ready\n', 'it is ready');
  const stats = await runtime.stats('usage');
  // The shim, the shell and two sleepers.
  expect(stats?.processes).toBeGreaterThanOrEqual(4);
  expect((stats?.cpuUserSeconds ?? 0) + (stats?.cpuSystemSeconds ?? 0)).toBeGreaterThan(0.1);
  await runtime.remove('usage');
});

test.each([
  [{ network_infos: [{ name: 'blue' }] }, 'no container networks'],
  [
    { network_infos: [{ port_mappings: [{ host_port: 1, container_port: 2 }] }] },
    'no container networks',
  ],
  [{ volumes: [{ mode: 'RO' as const, container_path: '/a', host_path: '/b' }] }, 'volumes'],
  [{ mesos: { image: { type: 'DOCKER' as const, docker: { name: 'x' } } } }, 'images'],
])('a container with %j is refused by name', async (container, message) => {
  const task = spec('refused', 'true', { container: { type: 'MESOS', ...container } });
  await expect(runtime.prepare(task)).rejects.toThrow(message);
});

test('the session of an agent that was killed is ended by the next one', async () => {
  const task = spec('with-session', 'sleep 60');
  await run(task);
  const session = await runtime.openSession('with-session', {
    command: { value: 'sleep 60' },
    onOutput: async () => await Promise.resolve(),
  });
  const next = createProcessRuntime({ stateRoot: join(root, 'run'), logger: silentLogger });
  expect(await next.recover([task])).toMatchObject([{ kind: 'running' }]);
  expect(await session.ended).toEqual({ kind: 'signaled', signal: 9 });
  await next.remove('with-session');
  await next.close();
});
