import { createServer } from 'node:net';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  runBoxToExit,
  startBoxProcess,
  temporaryDirectory,
  waitFor,
  type BoxProcess,
  type TemporaryDirectory,
} from '@dcos/testkit';
import { boxClient, processesOfTask, serverCommand, type App } from './testing/box-client.ts';

let scratch: TemporaryDirectory;
let data: string;
const boxes: BoxProcess[] = [];
beforeEach(() => {
  scratch = temporaryDirectory('box-lifecycle');
  data = join(scratch.path, 'data');
});
afterEach(async () => {
  for (const box of boxes.splice(0)) await box.stop('SIGTERM');
  scratch.remove();
});

/** Deploys the app and waits until every instance runs and answers. */
async function deploy(box: BoxProcess, instances: number): Promise<App> {
  const client = boxClient(box);
  const created = await client.marathon('POST', '/apps', { ...app, instances });
  expect(created).toMatchObject({ status: 201 });
  const running = await client.running('survivor', instances);
  for (const task of running.tasks) {
    await waitFor(
      'an answer',
      async () => (await fetch(`http://${task.host}:${task.ports[0]}/`)).ok,
    );
  }
  return running;
}

async function start(flags: readonly string[] = []): Promise<BoxProcess> {
  const box = await startBoxProcess(data, flags);
  boxes.push(box);
  return box;
}

const pidsOf = (app: App): ReadonlyMap<string, readonly number[]> =>
  new Map(
    app.tasks.map(
      (task) =>
        [
          task.id,
          [...processesOfTask(task.id).keys()].sort((left, right) => left - right),
        ] as const,
    ),
  );

const app = { id: 'survivor', cmd: serverCommand('x', 0), cpus: 0.1, mem: 32, instances: 3 };

test('kill -9 of the box: tasks go on, the next start takes them up as they are', async () => {
  const first = await start();
  const before = await deploy(first, 3);
  const pids = pidsOf(before);
  await first.stop('SIGKILL');
  for (const task of before.tasks) {
    const response = await fetch(`http://${task.host}:${task.ports[0]}/`);
    expect(await response.text()).toBe('x');
  }
  expect(pidsOf(before)).toEqual(pids);

  const second = await start();
  // Addresses that somebody noted stay true.
  const { master, marathon, dns } = first.ready;
  expect(second.ready).toMatchObject({ master, marathon, dns });
  const after = await boxClient(second).running('survivor', 3);
  const byId = (left: { id: string }, right: { id: string }): number =>
    left.id < right.id ? -1 : 1;
  const facts = (tasks: App['tasks']): unknown =>
    [...tasks]
      .sort(byId)
      .map(({ id, host, ports, startedAt, version }) => ({ id, host, ports, startedAt, version }));
  expect(facts(after.tasks)).toEqual(facts(before.tasks));
  expect(pidsOf(after)).toEqual(pids);

  // It is not only shown, it is held: the next instance that ends is noticed and replaced.
  const [victim] = after.tasks;
  for (const pid of processesOfTask(victim?.id ?? '').keys()) process.kill(pid, 'SIGKILL');
  await waitFor('the replacement', async () => {
    const now = await boxClient(second).app('survivor');
    return (
      now.tasks.length === 3 &&
      now.tasks.every((task) => task.id !== victim?.id && task.state === 'TASK_RUNNING')
    );
  });
});

test('a task that ends while the box is dead is replaced by the next start', async () => {
  const first = await start();
  const before = await deploy(first, 1);
  await first.stop('SIGKILL');
  const [task] = before.tasks;
  for (const pid of processesOfTask(task?.id ?? '').keys()) process.kill(pid, 'SIGTERM');
  await waitFor('the end of the task', () => processesOfTask(task?.id ?? '').size === 0);
  const second = await start();
  const after = await waitFor('the replacement', async () => {
    const now = await boxClient(second).app('survivor');
    return now.tasksRunning === 1 && now.tasks[0]?.id !== task?.id ? now : undefined;
  });
  expect(after.tasks).toHaveLength(1);
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s stops apps and components; the next start brings the apps back',
  async (signal) => {
    const first = await start();
    await boxClient(first).marathon('POST', '/apps', app);
    const before = await boxClient(first).running('survivor', 3);
    expect(await first.stop(signal)).toBe(0);
    for (const task of before.tasks) expect([...processesOfTask(task.id)]).toEqual([]);
    const second = await start();
    const after = await boxClient(second).running('survivor', 3);
    expect(after.version).toBe(before.version);
  },
);

test('a second signal leaves a task alone that does not end; the next start takes it up', async () => {
  const first = await start();
  const client = boxClient(first);
  const stubborn = {
    id: 'survivor',
    cmd: "trap '' TERM; while true; do sleep 1; done",
    taskKillGracePeriodSeconds: 600,
    cpus: 0.1,
    mem: 32,
  };
  await client.marathon('POST', '/apps', stubborn);
  const before = await client.running('survivor', 1);
  const id = before.tasks[0]?.id ?? '';
  const ended = first.stop('SIGINT');
  // The box answers no more requests of Marathon once it stops; later signals are a second one.
  let signals = 0;
  const again = setInterval(() => {
    signals += 1;
    first.signal('SIGINT');
  }, 500);
  expect(await ended).toBe(0);
  clearInterval(again);
  expect(signals).toBeGreaterThan(1);
  expect(processesOfTask(id).size).toBeGreaterThan(0);
  await start();
  for (const pid of processesOfTask(id).keys()) process.kill(pid, 'SIGKILL');
});

test('a port in use, a foreign folder, another version, a second box: error, exit code, nothing touched', async () => {
  const taken = createServer();
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  for (const flag of ['--port', '--master-port', '--marathon-port', '--dns-port']) {
    const exit = await runBoxToExit(['--port', '0', '--data-dir', data, flag, String(port)]);
    expect(exit).toMatchObject({
      code: 3,
      errorOutput: `port ${port} on 127.0.0.1 is in use; choose another one with ${flag}\n`,
    });
    expect(existsSync(data)).toBe(false);
  }
  taken.close();

  const foreign = join(scratch.path, 'foreign');
  mkdirSync(foreign);
  writeFileSync(join(foreign, 'thesis.txt'), 'x');
  expect(await runBoxToExit(['--port', '0', '--data-dir', foreign])).toMatchObject({ code: 4 });

  const older = join(scratch.path, 'older');
  mkdirSync(older);
  writeFileSync(join(older, 'box.json'), '{"layoutVersion":0,"clusterId":"x"}');
  const version = await runBoxToExit(['--port', '0', '--data-dir', older]);
  expect(version.code).toBe(4);
  expect(version.errorOutput).toContain('another version');

  await start();
  const second = await runBoxToExit(['--port', '0', '--data-dir', data]);
  expect(second).toMatchObject({ code: 5 });
  expect(second.errorOutput).toContain('another box uses');

  expect(await runBoxToExit(['--agents', 'two'])).toMatchObject({ code: 2 });
});

test('--fresh ends what a killed box left running and begins anew', async () => {
  const first = await start();
  const before = await deploy(first, 1);
  await first.stop('SIGKILL');
  const second = await start(['--fresh']);
  expect([...processesOfTask(before.tasks[0]?.id ?? '')]).toEqual([]);
  expect(
    (await boxClient(second).marathon<{ readonly apps: unknown[] }>('GET', '/apps')).body.apps,
  ).toEqual([]);
});
