import { chmodSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getuid } from 'node:process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { present, silentLogger } from '@dcos/base';
import type { ContainerRuntime, ContainerSpec } from '../runtime.ts';
import { runtimeContract, until } from '../testing/runtime-contract.ts';
import { accountOf } from './accounts.ts';
import { createProcessRuntime } from './process-runtime.ts';
import { hasEnded } from './process-table.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'dcos-process-'));
  // As work directories are, and not as directories for tests are.
  await chmod(root, 0o755);
});
afterAll(async () => await rm(root, { recursive: true, force: true }));

const open = (): ContainerRuntime =>
  createProcessRuntime({ stateRoot: join(root, 'run'), logger: silentLogger });

runtimeContract('process', () => ({ open, sandboxRoot: root, spec: (base) => base }));

const isRoot = getuid?.() === 0;
if (isRoot)
  runtimeContract('process of another account', () => ({
    open,
    sandboxRoot: root,
    spec: (base) => {
      chmodSync(base.sandboxPath, 0o777);
      return { ...base, user: 'nobody' };
    },
  }));

function spec(id: string, value: string): ContainerSpec {
  return {
    id,
    sandboxPath: root,
    command: { value },
    environment: { PATH: '/usr/bin:/bin' },
    cpus: 0.1,
    memoryBytes: 0,
  };
}

async function run(runtime: ContainerRuntime, task: ContainerSpec): Promise<number> {
  await runtime.prepare(task);
  await runtime.create(task);
  return (await runtime.start(task.id)).pid;
}

const endings: readonly (readonly [command: string, status: object])[] = [
  ['exit 0', { kind: 'exited', code: 0 }],
  ['exit 137', { kind: 'exited', code: 137 }],
  ['exit 255', { kind: 'exited', code: 255 }],
  ['kill -KILL $$', { kind: 'signaled', signal: 9 }],
  ['kill -SEGV $$', { kind: 'signaled', signal: 11 }],
  ['kill -TERM $$', { kind: 'signaled', signal: 15 }],
  ['kill -INT $$', { kind: 'signaled', signal: 2 }],
  ['kill -PIPE $$', { kind: 'signaled', signal: 13 }],
];
test.each(endings)('%s is told apart from all others', async (command, status) => {
  const runtime = open();
  const task = spec(`end-${endings.findIndex(([text]) => text === command)}`, command);
  await run(runtime, task);
  expect(await runtime.wait(task.id)).toEqual(status);
  await runtime.remove(task.id);
});

test.skipIf(!isRoot)('a task of another account than the agent runs', async () => {
  const stateRoot = join(root, 'below', 'run');
  const sandboxPath = join(root, 'theirs');
  await mkdir(sandboxPath);
  const { uid, gid } = present(await accountOf('nobody'), 'nobody');
  await chown(sandboxPath, uid, gid);
  const runtime = createProcessRuntime({ stateRoot, logger: silentLogger });
  const task = { ...spec('theirs', 'id -un && touch mine && exit 3'), sandboxPath, user: 'nobody' };
  await run(runtime, task);
  expect(await runtime.wait(task.id)).toEqual({ kind: 'exited', code: 3 });
  expect(await readFile(join(sandboxPath, 'stdout'), 'utf8')).toBe('nobody\n');
  // Others come through to what is theirs, and see nothing else.
  expect((await stat(stateRoot)).mode & 0o777).toBe(0o711);
  await runtime.remove(task.id);
});

test('many short tasks at once all end', async () => {
  const runtime = open();
  const tasks = Array.from({ length: 100 }, (_, index) => spec(`short-${index}`, `exit ${index}`));
  const codes = await Promise.all(
    tasks.map(async (task) => {
      await run(runtime, task);
      const status = await runtime.wait(task.id);
      await runtime.remove(task.id);
      return status.kind === 'exited' ? status.code : status.kind;
    }),
  );
  expect(codes).toEqual(tasks.map((_, index) => index));
});

test('a missing program is exit code 127, with the reason in stderr', async () => {
  const runtime = open();
  const task = { ...spec('missing', ''), command: { shell: false, value: '/no/such/program' } };
  await run(runtime, task);
  expect(await runtime.wait(task.id)).toEqual({ kind: 'exited', code: 127 });
  expect(await readFile(join(root, 'stderr'), 'utf8')).toContain('/no/such/program');
  await runtime.remove(task.id);
});

test('what a task leaves running ends with it', async () => {
  const runtime = open();
  const task = spec('leftover', 'sleep 60 & echo $! >leftover.pid');
  await run(runtime, task);
  expect(await runtime.wait(task.id)).toEqual({ kind: 'exited', code: 0 });
  const pid = Number(await readFile(join(root, 'leftover.pid'), 'utf8'));
  await until(() => !isAlive(pid), 'the background process is gone');
  await runtime.remove(task.id);
});

test('a task whose watcher was killed from outside is ended and reported as unknown', async () => {
  const runtime = open();
  const task = spec('watcher', 'sleep 60');
  const pid = await run(runtime, task);
  const shim = Number(
    (await readFile(join(root, 'run', 'watcher', 'shim'), 'utf8')).split('\n')[0],
  );
  process.kill(shim, 'SIGKILL');
  expect(await runtime.wait(task.id)).toMatchObject({ kind: 'unknown' });
  await until(() => !isAlive(pid), 'the task is gone');
  await runtime.remove(task.id);
});

test('another process with the same pid is not ours', async () => {
  const runtime = open();
  const task = spec('reused', 'sleep 60');
  const pid = await run(runtime, task);
  await runtime.close();
  const shimFile = join(root, 'run', 'reused', 'shim');
  const own = await readFile(shimFile, 'utf8');
  const [shimPid, bootId] = own.split('\n');
  // The same pid with another start time: what the file would say after the number was used again.
  const stat = (await readFile(`/proc/${shimPid}/stat`, 'utf8')).trim().split(' ');
  stat[21] = '1';
  await writeFile(shimFile, `${shimPid}\n${bootId}\n${stat.join(' ')}\n`);
  const after = open();
  expect(await after.recover([task])).toMatchObject([
    { kind: 'exited', status: { kind: 'unknown' } },
  ]);
  expect(isAlive(pid)).toBe(true);
  process.kill(-Number(shimPid), 'SIGKILL');
  await after.remove(task.id);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('a task that SIGTERM has ended is not called killed by the SIGKILL that comes just after', async () => {
  const runtime = open();
  for (let time = 0; time < 20; time++) {
    const task = spec(`twice-${time}`, 'exec sleep 60');
    const pid = await run(runtime, task);
    await runtime.signal(task.id, 'SIGTERM');
    while (!(await hasEnded(pid))) await new Promise((resolve) => setImmediate(resolve));
    await runtime.signal(task.id, 'SIGKILL');
    expect(await runtime.wait(task.id)).toEqual({ kind: 'signaled', signal: 15 });
    await runtime.remove(task.id);
  }
});
