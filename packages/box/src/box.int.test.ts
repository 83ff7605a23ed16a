import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawn as spawnTerminal } from '@lydell/node-pty';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  dockerImage,
  program,
  startBoxProcess,
  temporaryDirectory,
  waitFor,
  workspaceRoot,
  type BoxProcess,
} from '@dcos/testkit';
import {
  boxClient,
  processesOfTask,
  serverCommand,
  type App,
  type BoxClient,
} from './testing/box-client.ts';

const scratch = temporaryDirectory('box');
let box: BoxProcess;
let client: BoxClient;

beforeAll(async () => {
  box = await startBoxProcess(join(scratch.path, 'data'));
  client = boxClient(box);
});
afterAll(async () => {
  await box.stop('SIGTERM');
  scratch.remove();
});

const webserver = JSON.parse(
  readFileSync(join(workspaceRoot, 'examples', 'webserver.json'), 'utf8'),
) as object;

const dcosProgram = join(workspaceRoot, 'packages', 'cli', 'bin', 'dcos.mjs');
const dcosEnvironment = { ...process.env, DCOS_DIR: join(scratch.path, 'cli') };

interface DcosResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function dcos(...args: readonly string[]): DcosResult {
  return dcosWith('', args);
}

function dcosWith(input: string, args: readonly string[]): DcosResult {
  return spawnSync(process.execPath, [dcosProgram, ...args], {
    encoding: 'utf8',
    input,
    env: dcosEnvironment,
  });
}

async function remove(id: string): Promise<void> {
  await client.marathon('DELETE', `/apps/${id}?force=true`);
  await waitFor(
    `${id} to be gone`,
    async () => (await client.marathon('GET', `/apps/${id}`)).status === 404,
  );
  await waitFor(`the deployments of ${id} to end`, async () => {
    const { body } = await client.marathon<readonly { readonly affectedApps: readonly string[] }[]>(
      'GET',
      '/deployments',
    );
    return !body.some((deployment) => deployment.affectedApps.includes(`/${id}`));
  });
}

describe('the app of the talks', () => {
  test('three instances run on the public agent, are found by DNS and answer', async () => {
    expect((await client.marathon('POST', '/apps', webserver)).status).toBe(201);
    const app = await client.running('webserver', 3);
    const hosts = new Set(app.tasks.map((task) => task.host));
    expect([...hosts]).toEqual(['127.0.2.1']);

    const resolver = client.resolver();
    const addresses = await waitFor('the A record', () =>
      resolver.resolve4('webserver.marathon.mesos'),
    );
    expect(new Set(addresses)).toEqual(new Set(['127.0.2.1']));
    const services = await resolver.resolveSrv('_webserver._tcp.marathon.mesos');
    expect(new Set(services.map((service) => service.port))).toEqual(
      new Set(app.tasks.map((task) => task.ports[0])),
    );
    expect(services).toHaveLength(3);
    for (const service of services) {
      const [address] = await resolver.resolve4(service.name);
      const response = await fetch(`http://${address}:${service.port}/`);
      expect(response.status).toBe(200);
    }
  });

  test('with hostname UNIQUE the second instance waits, and API and CLI say why', async () => {
    const id = 'unique';
    const definition = { ...webserver, id, instances: 2, constraints: [['hostname', 'UNIQUE']] };
    expect((await client.marathon('POST', '/apps', definition)).status).toBe(201);
    const row = await waitFor('the explanation', async () => {
      const found = await client.queue(id);
      return found?.explanation?.reasons.some((reason) =>
        reason.what.includes('hostname UNIQUE'),
      ) === true
        ? found
        : undefined;
    });
    expect(row.count).toBe(1);
    expect(row.explanation?.summary).toContain('hostname UNIQUE');
    await waitFor('the first instance', async () => (await client.app(id)).tasksRunning === 1);

    expect(dcos('cluster', 'setup', client.url)).toMatchObject({ status: 0 });
    const shown = dcos('marathon', 'app', 'list');
    expect(shown.status).toBe(0);
    expect(shown.stdout + shown.stderr).toContain('hostname UNIQUE');
    await remove(id);
  });

  const docker = dockerImage('python:3');
  test.skipIf(!docker.available)(
    `as it stands, in a container behind a mapped port${docker.note}`,
    async () => {
      const text = readFileSync(join(workspaceRoot, 'examples', 'webserver-docker.json'), 'utf8');
      const created = await client.marathon<App>('POST', '/apps', text);
      expect(created.status).toBe(201);
      const app = await client.running('webserver-docker', 1);
      const task = app.tasks[0];
      const response = await waitFor('an answer', () =>
        fetch(`http://${task?.host}:${task?.ports[0]}/`),
      );
      expect(response.status).toBe(200);
      await remove('webserver-docker');
    },
  );

  const dig = program('dig');
  test.skipIf(!dig.available)(`dig finds it, over UDP and TCP${dig.note}`, () => {
    const [host, port] = box.ready.dns.split(':');
    for (const transport of ['+notcp', '+tcp']) {
      const result = spawnSync(
        'dig',
        [`@${host}`, '-p', String(port), transport, '+short', 'webserver.marathon.mesos', 'A'],
        { encoding: 'utf8' },
      );
      expect(result.stdout.trim().split('\n')).toContain('127.0.2.1');
    }
  });

  test('an instance that is killed runs again, and the failure is visible', async () => {
    const before = await client.running('webserver', 3);
    const victim = before.tasks[0];
    const processes = processesOfTask(victim?.id ?? '');
    const server = [...processes].find(
      ([, command]) => command.includes('http.server') && !command.startsWith('/bin/sh'),
    );
    process.kill(server?.[0] ?? 0, 'SIGKILL');
    const after = await waitFor('the replacement', async () => {
      const app = await client.app('webserver');
      const replaced = app.tasks.every(
        (task) => task.id !== victim?.id && task.state === 'TASK_RUNNING',
      );
      return replaced && app.tasks.length === 3 ? app : undefined;
    });
    expect(after.lastTaskFailure).toMatchObject({ state: 'TASK_FAILED', taskId: victim?.id });
    expect(after.lastTaskFailure?.message).toContain('terminated with signal');
  });

  test('it scales to 20 and back to 1', async () => {
    expect((await client.marathon('PUT', '/apps/webserver', { instances: 20 })).status).toBe(200);
    const twenty = await client.running('webserver', 20);
    expect(new Set(twenty.tasks.map((task) => task.ports[0])).size).toBe(20);
    expect((await client.marathon('PUT', '/apps/webserver', { instances: 1 })).status).toBe(200);
    await client.running('webserver', 1);
    await remove('webserver');
  });
});

describe('updates', () => {
  const healthChecks = [
    {
      protocol: 'HTTP',
      path: '/',
      portIndex: 0,
      gracePeriodSeconds: 5,
      intervalSeconds: 1,
      timeoutSeconds: 1,
      maxConsecutiveFailures: 2,
    },
  ];
  const service = (version: string): object => ({
    id: 'service',
    cmd: serverCommand(version),
    cpus: 0.1,
    mem: 32,
    instances: 3,
    taskKillGracePeriodSeconds: 5,
    healthChecks,
  });

  /** Sends requests to the healthy instances, as a load balancer would, until told to stop. */
  async function load(
    until: () => boolean,
  ): Promise<{ readonly answers: Map<string, number>; readonly failures: string[] }> {
    const answers = new Map<string, number>();
    const failures: string[] = [];
    while (!until()) {
      const { tasks } = await client.app('service');
      const healthy = tasks.filter(
        (task) =>
          task.state === 'TASK_RUNNING' &&
          task.healthCheckResults?.some((result) => result.alive) === true,
      );
      if (healthy.length === 0) failures.push('no healthy instance');
      for (const task of healthy) {
        try {
          const response = await fetch(`http://${task.host}:${task.ports[0]}/`);
          const text = await response.text();
          answers.set(text, (answers.get(text) ?? 0) + 1);
        } catch (error) {
          failures.push(`${task.id}: ${String(error)}`);
        }
      }
    }
    return { answers, failures };
  }

  test('a rolling update under load fails no request', async () => {
    expect((await client.marathon('POST', '/apps', service('one'))).status).toBe(201);
    await client.running('service', 3);
    let done = false;
    const loading = load(() => done);
    expect((await client.marathon('PUT', '/apps/service', service('two'))).status).toBe(200);
    const app = await client.running('service', 3);
    done = true;
    const { answers, failures } = await loading;
    expect(failures).toEqual([]);
    expect(answers.get('one')).toBeGreaterThan(0);
    expect(answers.get('two')).toBeGreaterThan(0);
    expect(new Set(app.tasks.map((task) => task.version))).toEqual(new Set([app.version]));
  });

  test('a broken version stops before healthy instances are gone, and is rolled back', async () => {
    const before = await client.running('service', 3);
    const ids = new Set(before.tasks.map((task) => task.id));
    const broken = { ...service('three'), cmd: 'exit 1' };
    const update = await client.marathon<{ readonly deploymentId: string }>(
      'PUT',
      '/apps/service',
      broken,
    );
    expect(update.status).toBe(200);
    const failing = await waitFor('the new version to fail', async () => {
      const app = await client.app('service');
      return app.lastTaskFailure !== undefined && app.deployments.length === 1 ? app : undefined;
    });
    expect(
      failing.tasks.filter((task) => ids.has(task.id) && task.state === 'TASK_RUNNING'),
    ).toHaveLength(3);

    const locked = await client.marathon<{ readonly deployments: unknown[] }>(
      'PUT',
      '/apps/service',
      { instances: 4 },
    );
    expect(locked.status).toBe(409);
    expect(locked.body.deployments).toEqual([{ id: update.body.deploymentId }]);

    expect(
      (await client.marathon('DELETE', `/deployments/${update.body.deploymentId}`)).status,
    ).toBe(200);
    const after = await client.running('service', 3);
    expect(after.cmd).toBe(before.cmd);
    expect(new Set(after.tasks.map((task) => task.id))).toEqual(ids);
    await remove('service');
  });
});

describe('bad input changes nothing', () => {
  test.each([
    ['{', 400, 'Invalid JSON'],
    [{ id: 'x', cmd: 'true', cpus: 'many' }, 422, '/cpus'],
    [{ id: 'x', cmd: 'true', instances: -1 }, 422, '/instances'],
    [{ id: '../up/../x y', cmd: 'true' }, 422, '/id'],
    [{ id: 'x' }, 422, 'cmd'],
    [{ id: 'x', cmd: 'true', constraints: [['hostname', 'NEARBY']] }, 422, '/constraints'],
  ])('POST /v2/apps %j', async (body, status, place) => {
    const answer = await client.marathon('POST', '/apps', body);
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).toContain(place);
    expect((await client.marathon<{ readonly apps: unknown[] }>('GET', '/apps')).body.apps).toEqual(
      [],
    );
  });

  test('an app that asks for more than there is says which resource', async () => {
    await client.marathon('POST', '/apps', { id: 'huge', cmd: 'true', cpus: 10_000 });
    const row = await waitFor('the explanation', async () => {
      const found = await client.queue('huge');
      return found?.explanation?.reasons.some(
        (reason) => reason.declined > 0 && reason.what.includes('cpus'),
      ) === true
        ? found
        : undefined;
    });
    expect(row.explanation?.summary).toContain('cpus');
    await remove('huge');
  });
});

test('logs of a task are followed through the router', async () => {
  const words = 'i=0; while true; do i=$((i+1)); echo line $i; sleep 0.05; done';
  await client.marathon('POST', '/apps', { id: 'talker', cmd: words, cpus: 0.1, mem: 16 });
  const app = await client.running('talker', 1);
  const task = app.tasks[0]?.id ?? '';
  const response = await fetch(
    `${client.url}/system/v1/logs/v2/task/${task}/file/stdout?cursor=END&skip=-5`,
    {
      headers: { accept: 'text/event-stream' },
    },
  );
  expect(response.status).toBe(200);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  await waitFor('ten lines', async () => {
    text += (await reader?.read())?.value ?? '';
    return text.split('data:').length > 10;
  });
  await reader?.cancel();
  expect(text).toMatch(/"MESSAGE":"line \d+"/);
  await remove('talker');
});

test('foreign pages and foreign host names get no answer', async () => {
  const crossOrigin = await fetch(`${client.url}/service/marathon/v2/apps`, {
    method: 'POST',
    headers: { origin: 'http://evil.example', 'content-type': 'text/plain' },
    body: '{"id":"evil","cmd":"true"}',
  });
  expect(crossOrigin.status).toBe(403);
  expect((await client.marathon('GET', '/apps/evil')).status).toBe(404);
});

describe('dcos task exec', () => {
  const id = 'shelter';
  beforeAll(async () => {
    expect(dcos('cluster', 'setup', client.url)).toMatchObject({ status: 0 });
    const app = { id, cmd: 'echo mine >file; sleep 1000', cpus: 0.1, mem: 32 };
    expect((await client.marathon('POST', '/apps', app)).status).toBe(201);
    await client.running(id, 1);
  });
  afterAll(async () => await remove(id));

  test('runs a command beside a task and ends as that does', () => {
    const script =
      'until [ -s file ]; do sleep 0.02; done; cat file; echo "$MARATHON_APP_ID"; echo oops >&2; exit 7';
    expect(dcos('task', 'exec', id, '--', 'sh', '-c', script)).toMatchObject({
      status: 7,
      stdout: `mine\n/${id}\n`,
      stderr: 'oops\n',
    });
    expect(dcos('task', 'exec', id, 'sh', '-c', 'kill -TERM $$').status).toBe(143);
    expect(dcosWith('a\nb', ['task', 'exec', '-i', id, 'cat'])).toMatchObject({
      status: 0,
      stdout: 'a\nb',
    });
    const missing = dcos('task', 'exec', id, 'no-such-program');
    expect(missing).toMatchObject({ status: 1, stdout: '' });
    expect(missing.stderr).toContain('no-such-program');
    expect(dcos('task', 'exec', 'no-such-task', 'ls')).toMatchObject({ status: 1 });
  });

  test('gives it a terminal that follows the size of ours', async () => {
    const terminal = openTerminal('task', 'exec', '-it', id, 'sh');
    await terminal.asks('echo "at $((40 + 2))"', 'at 42');
    await terminal.hasSize('20 70');
    terminal.resize(99, 33);
    await terminal.hasSize('33 99');
    terminal.type('exit 5\n');
    expect(await terminal.ended).toBe(5);
  });
});

test('dcos task attach: the terminal of the task itself, left and come back to', async () => {
  expect(dcos('cluster', 'setup', client.url)).toMatchObject({ status: 0 });
  const app = { id: 'console', cmd: 'exec sh -i', tty: true, cpus: 0.1, mem: 32 };
  expect((await client.marathon('POST', '/apps', app)).status).toBe(201);
  await client.running('console', 1);
  const first = openTerminal('task', 'attach', 'console');
  await first.asks('here=mine; echo "at $((40 + 2))"', 'at 42');
  await first.hasSize('20 70');
  const onlooker = openTerminal('task', 'attach', 'console');
  expect(await onlooker.ended).toBe(1);
  expect(onlooker.shown()).toContain('Another request has the input of this container');
  first.leave();
  await first.ended;
  const again = await attached('console');
  await again.asks('echo "still $here"', 'still mine');
  again.leave();
  await again.ended;
  await remove('console');
});

/** Attached once whoever had the input before has left for good, which takes a moment. */
async function attached(id: string): Promise<Terminal> {
  for (;;) {
    const terminal = openTerminal('task', 'attach', id);
    const answers = terminal.asks('echo "there $((50 + 2))"', 'there 52').then(() => true);
    if (await Promise.race([answers, terminal.ended.then(() => false)])) return terminal;
  }
}

interface Terminal {
  readonly shown: () => string;
  readonly ended: Promise<number>;
  readonly type: (text: string) => void;
  readonly resize: (columns: number, rows: number) => void;
  /** Types a line until it is answered; what is typed is echoed, so the answer has to differ from it. */
  readonly asks: (question: string, answer: string) => Promise<void>;
  readonly hasSize: (size: string) => Promise<void>;
  /** Ends the client, not what it is attached to. */
  readonly leave: () => void;
}

/** The `dcos` command at a terminal of 20 rows and 70 columns. */
function openTerminal(...words: readonly string[]): Terminal {
  const terminal = spawnTerminal(process.execPath, [dcosProgram, ...words], {
    rows: 20,
    cols: 70,
    env: dcosEnvironment,
  });
  let shown = '';
  terminal.onData((text) => (shown += text));
  const ended = new Promise<number>((resolve) => {
    terminal.onExit(({ exitCode }) => resolve(exitCode));
  });
  const asks = async (question: string, answer: string): Promise<void> => {
    terminal.write(`${question}\n`);
    await waitFor(answer, () => Promise.resolve(shown.includes(answer)));
  };
  return {
    shown: () => shown,
    ended,
    asks,
    type: (text) => terminal.write(text),
    resize: (columns, rows) => terminal.resize(columns, rows),
    async hasSize(size) {
      await waitFor(`the size ${size}`, async () => {
        shown = '';
        await asks('stty size; echo "shown $((1 + 1))"', 'shown 2');
        return shown.includes(size);
      });
    },
    leave: () => terminal.kill('SIGTERM'),
  };
}
