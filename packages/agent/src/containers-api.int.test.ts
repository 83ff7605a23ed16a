/** Containers that clients launch through the agent's API, over real HTTP and with real processes. */

import { readFile, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunningAgent } from './shell/start-agent.ts';
import { agentScene } from './testing/agent-scene.ts';
import { commandTask, until } from './testing/fake-master.ts';
import { TerminalClient } from './testing/terminal-client.ts';

const scene = agentScene();

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: string;
}

async function call(
  agent: RunningAgent,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(`${agent.url}/api/v1`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close', ...headers },
    body: JSON.stringify(body),
  });
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: await response.text(),
  };
}

/** A task that sleeps; the id of its container. */
async function sleeper(id: string): Promise<string> {
  const { master } = scene();
  master.run(commandTask(id, 'sleep 100'));
  const { container_status } = await master.waitFor(id, 'TASK_RUNNING');
  return container_status?.container_id?.value ?? '';
}

/** What ends input. */
const END = new Uint8Array();
const nested = (parent: string, value: string): object => ({ value, parent: { value: parent } });
const done = { status: 200, type: null, body: '' };

test('nested containers and sessions answer as recorded', async () => {
  const agent = await scene().start();
  const parent = await sleeper('h-http');
  const container_id = nested(parent, 'nest1');
  const launch = (value: string): object => ({
    type: 'LAUNCH_NESTED_CONTAINER',
    launch_nested_container: { container_id, command: { value } },
  });
  expect(await call(agent, launch('echo nested; sleep 2; exit 5'))).toEqual(done);
  expect(await call(agent, launch('true'))).toMatchObject({ status: 202, body: '' });
  const remove = { type: 'REMOVE_NESTED_CONTAINER', remove_nested_container: { container_id } };
  expect(await call(agent, remove)).toEqual({
    status: 500,
    type: 'text/plain; charset=utf-8',
    body: 'Nested container has not terminated yet',
  });
  const wait = { type: 'WAIT_NESTED_CONTAINER', wait_nested_container: { container_id } };
  expect(await call(agent, wait)).toEqual({
    status: 200,
    type: 'application/json',
    body: '{"type":"WAIT_NESTED_CONTAINER","wait_nested_container":{"exit_status":1280}}',
  });
  const sandbox = '/frameworks/framework-0000/executors/h-http/runs/latest/containers/nest1/stdout';
  const read = await fetch(`${agent.url}/files/read?path=${sandbox}&offset=0`);
  expect(await read.json()).toEqual({ data: 'nested\n', offset: 0 });
  expect(await call(agent, remove)).toEqual(done);
  expect(await call(agent, remove)).toEqual(done);
  const kill = { type: 'KILL_NESTED_CONTAINER', kill_nested_container: { container_id } };
  expect(await call(agent, kill)).toMatchObject({
    status: 404,
    body: `Container '${parent}.nest1' cannot be found (or is already killed)`,
  });

  const session = (id: string, value: string): object => ({
    type: 'LAUNCH_NESTED_CONTAINER_SESSION',
    launch_nested_container_session: {
      container_id: nested(parent, id),
      command: { value },
    },
  });
  const text = 'echo out; sleep 0.1; echo err >&2; sleep 0.1; exit 3';
  const recordIo = { accept: 'application/recordio', 'message-accept': 'application/json' };
  expect(await call(agent, session('sess1', text), recordIo)).toEqual({
    status: 200,
    type: 'application/recordio',
    body: [
      '58\n{"type":"DATA","data":{"type":"STDOUT","data":"b3V0Cg=="}}',
      '58\n{"type":"DATA","data":{"type":"STDERR","data":"ZXJyCg=="}}',
    ].join(''),
  });
  expect(
    await call(agent, session('sess2', 'echo out'), { accept: 'application/json' }),
  ).toMatchObject({
    type: 'application/json',
    body: '58\n{"type":"DATA","data":{"type":"STDOUT","data":"b3V0Cg=="}}',
  });
  const waitSession = {
    type: 'WAIT_NESTED_CONTAINER',
    wait_nested_container: { container_id: nested(parent, 'sess1') },
  };
  expect((await call(agent, waitSession)).body).toContain('"exit_status":768');
});

test.each(['a task', 'a nested container'])(
  'who attaches to %s has its output from then on, until it ends',
  async (what) => {
    const agent = await scene().start();
    const { master, workDir } = scene();
    const value =
      'echo before; until [ -e go ]; do sleep 0.05; done; echo out; echo err >&2; echo last';
    const run = 'slaves/latest/frameworks/framework-0000/executors/t1/runs/latest';
    let sandbox = join(workDir, run);
    let container_id: object;
    if (what === 'a task') {
      master.run(commandTask('t1', value));
      const { container_status } = await master.waitFor('t1', 'TASK_RUNNING');
      container_id = { value: container_status?.container_id?.value };
    } else {
      container_id = nested(await sleeper('t1'), 'n1');
      const launched = { container_id, command: { value } };
      const launch = { type: 'LAUNCH_NESTED_CONTAINER', launch_nested_container: launched };
      expect(await call(agent, launch)).toEqual(done);
      sandbox = join(sandbox, 'containers', 'n1');
    }
    const output = async (): Promise<string> => await readFile(join(sandbox, 'stdout'), 'utf8');
    await expect.poll(output, { timeout: 20_000 }).toBe('before\n');
    const response = await fetch(`${agent.url}/api/v1`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/recordio',
        'message-accept': 'application/json',
        connection: 'close',
      },
      body: JSON.stringify({
        type: 'ATTACH_CONTAINER_OUTPUT',
        attach_container_output: { container_id },
      }),
    });
    expect(response.status).toBe(200);
    await writeFile(join(sandbox, 'go'), '');
    const text = { STDOUT: '', STDERR: '' };
    for (const [record] of (await response.text()).matchAll(/{"type":"DATA".*?}}/g)) {
      const { data } = JSON.parse(record) as {
        readonly data: { readonly type: 'STDOUT' | 'STDERR'; readonly data: string };
      };
      text[data.type] += Buffer.from(data.data, 'base64').toString();
    }
    expect(text).toEqual({ STDOUT: 'out\nlast\n', STDERR: 'err\n' });
  },
);

test('what has no terminal has no input, unless it is a session', async () => {
  const agent = await scene().start();
  const first = {
    type: 'ATTACH_CONTAINER_INPUT',
    attach_container_input: {
      type: 'CONTAINER_ID',
      container_id: { value: await sleeper('t1') },
    },
  };
  const record = JSON.stringify(first);
  const answer = await fetch(`${agent.url}/api/v1`, {
    method: 'POST',
    headers: {
      'content-type': 'application/recordio',
      'message-content-type': 'application/json',
      connection: 'close',
    },
    body: `${record.length}\n${record}`,
  });
  expect([answer.status, await answer.text()]).toEqual([
    500,
    'I/O switchboard server was disabled for this container',
  ]);
});

test('a standalone container answers as recorded, and is killed by a signal', async () => {
  const agent = await scene().start();
  const container_id = { value: 'solo-1' };
  const launch = {
    type: 'LAUNCH_CONTAINER',
    launch_container: {
      container_id,
      command: { value: 'echo standalone; sleep 20' },
      resources: [{ name: 'cpus', type: 'SCALAR', scalar: { value: 0.1 } }],
    },
  };
  expect(await call(agent, launch)).toEqual(done);
  const waiting = call(agent, { type: 'WAIT_CONTAINER', wait_container: { container_id } });
  const list = (more: object): Promise<Answer> =>
    call(agent, { type: 'GET_CONTAINERS', get_containers: more });
  expect((await list({ show_standalone: true })).body).toContain(
    '"container_id":{"value":"solo-1"}',
  );
  expect((await list({})).body).not.toContain('solo-1');
  const kill = { type: 'KILL_CONTAINER', kill_container: { container_id, signal: 15 } };
  expect(await call(agent, kill)).toEqual(done);
  expect((await waiting).body).toBe(
    '{"type":"WAIT_CONTAINER","wait_container":{"exit_status":15}}',
  );
  const file = join(scene().workDir, 'containers', 'solo-1', 'stdout');
  expect(await readFile(file, 'utf8')).toBe('standalone\n');
  expect(
    await call(agent, { type: 'REMOVE_CONTAINER', remove_container: { container_id } }),
  ).toEqual(done);
});

test('a terminal in a running task: input, window size, exit status', async () => {
  const agent = await scene().start();
  const parent = await sleeper('shell');
  const container_id = { value: 'e0c1', parent: { value: parent } };
  const terminal = await TerminalClient.open(agent, {
    type: 'LAUNCH_NESTED_CONTAINER_SESSION',
    launch_nested_container_session: {
      container_id,
      command: { shell: false, value: 'sh', arguments: ['sh'] },
      container: { type: 'MESOS', tty_info: {} },
    },
  });
  expect(terminal.output.statusCode).toBe(200);
  expect(terminal.output.headers).toMatchObject({
    'content-type': 'application/recordio',
    'message-content-type': 'application/x-protobuf',
  });
  terminal.attachInput(agent, container_id);
  terminal.resize(0, 0);
  terminal.resize(44, 123);
  terminal.send({ type: 'CONTROL', control: { type: 'HEARTBEAT' } });
  terminal.type('stty size; echo "task $MESOS_EXECUTOR_ID at $TERM"\n');
  await until(() => terminal.text.includes('task shell at xterm'), 'the answer is shown');
  expect(terminal.text).toContain('44 123');
  terminal.type('exit 7\n');
  await terminal.ended;
  const answer = await terminal.endInput();
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['content-type']).toBeUndefined();
  expect(
    await call(agent, { type: 'WAIT_CONTAINER', wait_container: { container_id } }),
  ).toMatchObject({ body: '{"type":"WAIT_CONTAINER","wait_container":{"exit_status":1792}}' });
});

test('a nested container at a terminal is attached to, left, and attached to again', async () => {
  const agent = await scene().start();
  const container_id = { value: 'n1', parent: { value: await sleeper('outer') } };
  const launched = {
    container_id,
    command: { value: 'stty -echo; while read line; do echo "got $line"; done; exit 4' },
    container: { type: 'MESOS', tty_info: {} },
  };
  const launch = { type: 'LAUNCH_NESTED_CONTAINER', launch_nested_container: launched };
  expect(await call(agent, launch)).toEqual(done);
  for (const text of ['one', 'two']) {
    const client = await TerminalClient.open(agent, {
      type: 'ATTACH_CONTAINER_OUTPUT',
      attach_container_output: { container_id },
    });
    client.attachInput(agent, container_id);
    client.type(`${text}\n`);
    await until(() => client.text.includes(`got ${text}`), 'it answers');
    if (text === 'two') client.send({ type: 'DATA', data: { type: 'STDIN', data: END } });
    expect((await client.endInput()).statusCode).toBe(200);
  }
  expect(
    await call(agent, { type: 'WAIT_CONTAINER', wait_container: { container_id } }),
  ).toMatchObject({ body: '{"type":"WAIT_CONTAINER","wait_container":{"exit_status":1024}}' });
});

test('pipes: input until its end; a second client watches, none other types', async () => {
  const agent = await scene().start();
  const parent = await sleeper('pipes');
  const container_id = { value: 'cat', parent: { value: parent } };
  const first = await TerminalClient.open(agent, {
    type: 'LAUNCH_NESTED_CONTAINER_SESSION',
    launch_nested_container_session: { container_id, command: { value: 'cat; exit 2' } },
  });
  first.attachInput(agent, container_id);
  first.type('one\n');
  await until(() => first.text === 'one\n', 'it is echoed');
  const second = await TerminalClient.open(agent, {
    type: 'ATTACH_CONTAINER_OUTPUT',
    attach_container_output: { container_id },
  });
  second.attachInput(agent, container_id);
  const refusal = await second.endInput();
  expect(refusal.statusCode).toBe(409);
  first.type('two\n');
  await until(() => second.text === 'two\n', 'the second client sees it');
  first.send({ type: 'DATA', data: { type: 'STDIN', data: new Uint8Array() } });
  await Promise.all([first.ended, second.ended]);
  expect(first.text).toBe('one\ntwo\n');
  expect((await first.endInput()).statusCode).toBe(200);
});

test('sessions that end at once are shown to those who asked for them', async () => {
  const agent = await scene().start();
  const parent = await sleeper('brief');
  for (let index = 0; index < 20; index++) {
    const container_id = nested(parent, `s${index}`);
    const answer = await call(agent, {
      type: 'LAUNCH_NESTED_CONTAINER_SESSION',
      launch_nested_container_session: { container_id, command: { value: 'kill -9 $$' } },
    });
    expect(answer).toMatchObject({ status: 200, body: '' });
    const end = await call(agent, { type: 'WAIT_CONTAINER', wait_container: { container_id } });
    expect(end.body).toContain('"exit_status":9');
  }
});

test('a client that leaves before its session has begun leaves none behind', async () => {
  const agent = await scene().start();
  const parent = await sleeper('left');
  const leaving = Array.from({ length: 10 }, async (_, index) => {
    const request = httpRequest(`${agent.url}/api/v1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    request.on('error', () => undefined);
    const launch_nested_container_session = {
      container_id: nested(parent, `gone${index}`),
      command: { value: 'sleep 100' },
    };
    const body = { type: 'LAUNCH_NESTED_CONTAINER_SESSION', launch_nested_container_session };
    request.end(JSON.stringify(body), () => request.destroy());
    await new Promise((resolve) => request.once('close', resolve));
  });
  await Promise.all(leaving);
  const isOver = (): boolean => {
    const { launched } = agent.snapshot();
    return launched.length > 0 && launched.every(({ status }) => status !== undefined);
  };
  await until(isOver, 'no session is left');
});

test('a session ends when its client leaves, and a nested container with its task', async () => {
  const { start, master } = scene();
  const agent = await start();
  const parent = await sleeper('parent');
  const waitFor = (container_id: object): Promise<Answer> =>
    call(agent, { type: 'WAIT_CONTAINER', wait_container: { container_id } });
  const container_id = { value: 'left', parent: { value: parent } };
  const terminal = await TerminalClient.open(agent, {
    type: 'LAUNCH_NESTED_CONTAINER_SESSION',
    launch_nested_container_session: { container_id, command: { value: 'sleep 100' } },
  });
  terminal.output.destroy();
  expect((await waitFor(container_id)).body).toContain('"exit_status":9');

  const command = { value: 'sleep 100' };
  for (const id of [
    nested(parent, 'inner'),
    { value: 'innermost', parent: nested(parent, 'inner') },
  ]) {
    const launch_container = { container_id: id, command };
    expect(await call(agent, { type: 'LAUNCH_CONTAINER', launch_container })).toEqual(done);
  }
  const ends = [
    waitFor(nested(parent, 'inner')),
    waitFor({ value: 'innermost', parent: nested(parent, 'inner') }),
  ];
  master.kill('parent', 0);
  for (const end of await Promise.all(ends)) expect(end.body).toContain('"exit_status":9');
  expect((await waitFor(nested(parent, 'inner'))).status).toBe(404);
});

test('a nested container outlives the agent, and its end is known afterwards', async () => {
  const { start, workDir } = scene();
  const before = await start();
  const parent = await sleeper('lasting');
  const container_id = nested(parent, 'side');
  const command = { value: 'until [ -e go ]; do sleep 0.02; done; exit 6' };
  const launch_container = { container_id, command };
  expect(await call(before, { type: 'LAUNCH_CONTAINER', launch_container })).toEqual(done);
  await before.close();
  const after = await start();
  const sandbox = join(workDir, 'slaves/fake-S0/frameworks/framework-0000/executors/lasting/runs');
  const waiting = call(after, { type: 'WAIT_CONTAINER', wait_container: { container_id } });
  const exec = await TerminalClient.open(after, {
    type: 'LAUNCH_NESTED_CONTAINER_SESSION',
    launch_nested_container_session: {
      container_id: { value: 'touch', parent: { value: parent } },
      command: { value: `touch ${join(sandbox, parent, 'containers/side/go')}` },
    },
  });
  await exec.ended;
  expect((await waiting).body).toContain('"exit_status":1536');
});

const id = { value: 'c', parent: { value: 'p' } };
const refusals: readonly (readonly [body: object, status: number, text: string])[] = [
  [
    { type: 'WAIT_NESTED_CONTAINER', wait_nested_container: { container_id: id } },
    404,
    'Container p.c cannot be found',
  ],
  [
    {
      type: 'LAUNCH_NESTED_CONTAINER',
      launch_nested_container: { container_id: id, command: { value: 'true' } },
    },
    400,
    'Parent container p does not exist',
  ],
  [
    { type: 'LAUNCH_NESTED_CONTAINER' },
    400,
    "Failed to validate agent::Call: Expecting 'launch_nested_container' to be present",
  ],
  [
    { type: 'WAIT_NESTED_CONTAINER', wait_nested_container: { container_id: { value: 'c' } } },
    400,
    "Expecting 'wait_nested_container.container_id.parent' to be present",
  ],
  [
    { type: 'LAUNCH_CONTAINER', launch_container: { container_id: { value: '../../etc' } } },
    400,
    'contains invalid characters',
  ],
  [
    { type: 'LAUNCH_CONTAINER', launch_container: { container_id: { value: 'x'.repeat(243) } } },
    400,
    'exceeds 242 bytes',
  ],
  [
    {
      type: 'LAUNCH_CONTAINER',
      launch_container: { container_id: { value: 'none' }, command: {} },
    },
    400,
    'Failed to launch container: a shell command needs a value',
  ],
  [{ type: 'KILL_CONTAINER', kill_container: { container_id: { value: 'k' } } }, 404, "'k'"],
];
test.each(refusals)('%j is refused with %i', async (body, status, text) => {
  const agent = await scene().start();
  const answer = await call(agent, body);
  expect(answer.status).toBe(status);
  expect(answer.body).toContain(text);
});

const streams: readonly (readonly [string, Readonly<Record<string, string>>, string, number])[] = [
  ['no type of records', { 'content-type': 'application/recordio' }, '', 400],
  [
    'a strange type of records',
    { 'content-type': 'application/recordio', 'message-content-type': 'text/html' },
    '',
    415,
  ],
  [
    'nothing',
    { 'content-type': 'application/recordio', 'message-content-type': 'application/json' },
    '',
    400,
  ],
  [
    'no record',
    { 'content-type': 'application/recordio', 'message-content-type': 'application/json' },
    'hello',
    400,
  ],
  [
    'another call',
    { 'content-type': 'application/recordio', 'message-content-type': 'application/json' },
    '21\n{"type":"GET_HEALTH"}',
    400,
  ],
  [
    'a type of records for a plain call',
    { 'content-type': 'application/json', 'message-content-type': 'application/json' },
    '{"type":"GET_HEALTH"}',
    415,
  ],
];
test.each(streams)('a request with %s is refused', async (_name, headers, body, status) => {
  const agent = await scene().start();
  const response = await fetch(`${agent.url}/api/v1`, { method: 'POST', headers, body });
  expect(response.status).toBe(status);
  expect(await response.text()).not.toBe('');
});
