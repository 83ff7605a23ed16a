import { lstat, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { compareText } from '@dcos/base';
import type { AgentConfigInput } from './config.ts';
import type { RunningAgent } from './shell/start-agent.ts';
import { agentScene } from './testing/agent-scene.ts';
import { FRAMEWORK, commandTask, until, type FakeMaster } from './testing/fake-master.ts';

const scene = agentScene();
let master: FakeMaster;
let workDir = '';
beforeEach(() => ({ master, workDir } = scene()));

const start = async (more?: AgentConfigInput): Promise<RunningAgent> => await scene().start(more);

async function get(agent: RunningAgent, path: string): Promise<Response> {
  return await fetch(agent.url + path, { headers: { connection: 'close' } });
}

async function json<T>(agent: RunningAgent, path: string): Promise<T> {
  return (await (await get(agent, path)).json()) as T;
}

test('an agent tells where its host is', async () => {
  const domain = { fault_domain: { region: { name: 'r' }, zone: { name: 'z' } } };
  const agent = await start({ domain });
  expect(master.registrations[0]?.agent_info.domain).toEqual(domain);
  expect(await json(agent, '/state')).toMatchObject({ domain });
  expect(await json(agent, '/flags')).toMatchObject({ flags: { domain: JSON.stringify(domain) } });
});

test('a command task goes through its states and leaves its output', async () => {
  const agent = await start();
  expect(master.registrations[0]).toMatchObject({
    protocol: 1,
    ip: '127.0.0.1',
    agent_info: { hostname: '127.0.0.1', port: agent.port },
  });
  expect(master.registrations[0]?.agent_info.id).toBeUndefined();
  master.run(
    commandTask('hello', 'echo "hello $NAME"; env >environment; exit 3', {
      command: {
        value: 'echo "hello $NAME"; env >environment; exit 3',
        environment: { variables: [{ name: 'NAME', value: 'wor ld' }] },
      },
    }),
  );
  const failed = await master.waitFor('hello', 'TASK_FAILED');
  expect(master.statesOf('hello')).toEqual(['TASK_STARTING', 'TASK_RUNNING', 'TASK_FAILED']);
  expect(failed).toMatchObject({
    message: 'Command exited with status 3',
    source: 'SOURCE_EXECUTOR',
    agent_id: { value: 'fake-S0' },
    executor_id: { value: 'hello' },
    container_status: { network_infos: [{ ip_addresses: [{ ip_address: '127.0.0.1' }] }] },
  });
  expect(failed.container_status?.executor_pid).toBeGreaterThan(1);
  const base = '/frameworks/framework-0000/executors/hello/runs/latest';
  expect(await json(agent, `/files/read?path=${base}/stdout&offset=0`)).toEqual({
    data: 'hello wor ld\n',
    offset: 0,
  });
  const { data } = await json<{ data: string }>(
    agent,
    `/files/read?path=${base}/environment&offset=0`,
  );
  const names = data
    .trim()
    .split('\n')
    .map((line) => line.split('=')[0] ?? '')
    .sort(compareText);
  expect(names).toEqual([
    'LIBPROCESS_IP',
    'LIBPROCESS_PORT',
    'MESOS_AGENT_ENDPOINT',
    'MESOS_ALLOCATION_ROLE',
    'MESOS_CHECKPOINT',
    'MESOS_DIRECTORY',
    'MESOS_EXECUTOR_ID',
    'MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD',
    'MESOS_FRAMEWORK_ID',
    'MESOS_HTTP_COMMAND_EXECUTOR',
    'MESOS_RECOVERY_TIMEOUT',
    'MESOS_SANDBOX',
    'MESOS_SLAVE_ID',
    'MESOS_SLAVE_PID',
    'MESOS_SUBSCRIPTION_BACKOFF_MAX',
    'NAME',
    'PATH',
    'PWD',
  ]);
});

test('a kill is announced, gentle, then final', async () => {
  await start();
  master.run(commandTask('gentle', 'sleep 60'));
  master.run(commandTask('stubborn', 'trap "" TERM; echo ready; while :; do sleep 0.1; done'));
  await master.waitFor('gentle', 'TASK_RUNNING');
  await master.waitFor('stubborn', 'TASK_RUNNING');
  master.kill('gentle');
  expect((await master.waitFor('gentle', 'TASK_KILLED')).message).toBe(
    'Command terminated with signal Terminated',
  );
  expect(master.statesOf('gentle')).toEqual([
    'TASK_STARTING',
    'TASK_RUNNING',
    'TASK_KILLING',
    'TASK_KILLED',
  ]);
  master.kill('stubborn', 0.2);
  expect((await master.waitFor('stubborn', 'TASK_KILLED')).message).toBe(
    'Command terminated with signal Killed',
  );
});

test('the documents show the task', async () => {
  const agent = await start();
  master.run(
    commandTask('shown', 'echo out; sleep 60', { labels: { labels: [{ key: 'a', value: 'b' }] } }),
  );
  await master.waitFor('shown', 'TASK_RUNNING');
  for (const path of ['/state', '/slave(1)/state', '/slave%281%29/state', '/state.json']) {
    expect(await json(agent, path)).toMatchObject({
      id: 'fake-S0',
      hostname: '127.0.0.1',
      resources: { cpus: 4, mem: 1024, disk: 1024, gpus: 0, ports: '[31000-31099]' },
      unreserved_resources_allocated: { cpus: 0.1, mem: 32 },
      attributes: { rack: 'r1', slots: 3 },
      frameworks: [
        {
          id: 'framework-0000',
          executors: [
            {
              id: 'shown',
              tasks: [{ id: 'shown', state: 'TASK_RUNNING', labels: [{ key: 'a', value: 'b' }] }],
            },
          ],
        },
      ],
    });
  }
  const [container] = await json<readonly { statistics: { mem_rss_bytes: number } }[]>(
    agent,
    '/containers',
  );
  expect(container).toMatchObject({ executor_id: 'shown', framework_id: 'framework-0000' });
  expect(container?.statistics.mem_rss_bytes).toBeGreaterThan(0);
  expect(
    (await json<Record<string, number>>(agent, '/metrics/snapshot'))['slave/tasks_running'],
  ).toBe(1);
  expect((await get(agent, '/nope')).status).toBe(404);
  const call = await fetch(`${agent.url}/api/v1`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"type":"GET_STATE"}',
  });
  expect(await call.json()).toMatchObject({
    type: 'GET_STATE',
    get_state: { get_tasks: { launched_tasks: [{ name: 'shown', state: 'TASK_RUNNING' }] } },
  });
});

test('files are shown to the sandbox and not beyond', async () => {
  const agent = await start();
  const secret = join(workDir, 'secret');
  await writeFile(secret, 'secret');
  master.run(commandTask('files', 'printf "grüße" >text; mkfifo pipe; sleep 60'));
  await master.waitFor('files', 'TASK_RUNNING');
  const { completed: _completed, live } = agent.snapshot();
  const sandbox = join(
    workDir,
    'slaves',
    'fake-S0',
    'frameworks',
    'framework-0000',
    'executors',
    'files',
    'runs',
    live[0]?.containerId ?? '',
  );
  // The task's last act; it runs before it has done anything.
  await vi.waitFor(async () => await lstat(join(sandbox, 'pipe')));
  await symlink(secret, join(sandbox, 'link'));
  const status = async (path: string): Promise<number> =>
    (await get(agent, `/files/read?offset=0&path=${encodeURIComponent(path)}`)).status;
  const entries = await json<readonly { path: string }[]>(agent, `/files/browse?path=${sandbox}`);
  expect(entries.map(({ path }) => path.slice(sandbox.length + 1))).toEqual([
    'link',
    'pipe',
    'stderr',
    'stdout',
    'text',
  ]);
  expect(entries[2]).toMatchObject({ mode: '-rw-r--r--', nlink: 1, size: 0 });
  expect(await json(agent, `/files/read?path=${sandbox}/text`)).toEqual({ data: '', offset: 7 });
  // `ü` has two bytes: a piece that ends within it leaves it to the next one.
  expect(await json(agent, `/files/read?path=${sandbox}/text&offset=0&length=3`)).toEqual({
    data: 'gr',
    offset: 0,
  });
  expect(await status(`${sandbox}/link`)).toBe(403);
  expect(await status(`${sandbox}/pipe`)).toBe(403);
  expect(await status(`${sandbox}/../../../../../../../../../secret`)).toBe(404);
  expect(await status(secret)).toBe(404);
  expect(await status('/etc/passwd')).toBe(404);
  const wrong = await get(agent, '/files/read?path=x&offset=abc');
  expect([wrong.status, await wrong.text()]).toEqual([
    400,
    "Failed to parse offset: Failed to convert 'abc' to number.\n",
  ]);
  const missing = await get(agent, '/files/browse');
  expect([missing.status, await missing.text()]).toEqual([
    400,
    "Expecting 'path=value' in query.\n",
  ]);
  const download = await get(agent, `/files/download?path=${sandbox}/text`);
  expect(download.headers.get('content-disposition')).toBe('attachment; filename=text');
  expect(await download.text()).toBe('grüße');
});

test('the log of a task can be read from its end, followed, and read after its end', async () => {
  const agent = await start();
  master.run(
    commandTask(
      'log',
      'i=0; while [ $i -lt 20 ]; do i=$((i+1)); echo line $i; done; until [ -e go ]; do sleep 0.02; done; echo last',
    ),
  );
  await master.waitFor('log', 'TASK_RUNNING');
  const base = '/system/v1/logs/v2/task/log/file';
  await until(() => master.statesOf('log').includes('TASK_RUNNING'), 'it runs');
  const sandbox = `${workDir}/slaves/latest/frameworks/framework-0000/executors/log/runs/latest`;
  let text = '';
  while (!text.endsWith('line 20\n'))
    text = await (await get(agent, `${base}/stdout?cursor=END&skip=-3`)).text();
  expect(text).toBe('line 18\nline 19\nline 20\n');
  expect((await get(agent, `${base}/stderr?cursor=END&skip=-3`)).status).toBe(204);
  expect((await get(agent, `${base}/nope`)).status).toBe(404);
  const response = await fetch(`${agent.url}${base}/stdout?cursor=END&skip=-1`, {
    headers: { accept: 'text/event-stream' },
  });
  await writeFile(join(sandbox, 'go'), '');
  let events = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    events += decoder.decode(chunk as Uint8Array, { stream: true });
    if (events.includes('"last"')) break;
  }
  const entries = [...events.matchAll(/^data: (.*)$/gm)].map(
    ([, data]) => JSON.parse(data ?? '') as { fields: { MESSAGE: string } },
  );
  expect(entries.map(({ fields }) => fields.MESSAGE)).toEqual(['line 20', 'last']);
  await master.waitFor('log', 'TASK_FINISHED');
  expect(await (await get(agent, `${base}/stdout?cursor=END&skip=-1`)).text()).toBe('last\n');
});

/** Reads a stream of events to its end. */
async function followed(
  agent: RunningAgent,
  path: string,
): Promise<readonly { readonly cursor: string; readonly fields: { readonly MESSAGE: string } }[]> {
  const response = await fetch(agent.url + path, { headers: { accept: 'text/event-stream' } });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const text = await response.text();
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? '') as never);
}

test('a followed log ends with its task, and a reader who comes back misses and repeats nothing', async () => {
  const agent = await start();
  const wide = 'ü'.repeat(40_000);
  await writeFile(join(workDir, 'wide'), `x${wide}\n`);
  master.run(
    commandTask(
      'ends',
      `echo one; cat ${workDir}/wide; until [ -e go ]; do sleep 0.02; done; printf 'no feed'`,
    ),
  );
  await master.waitFor('ends', 'TASK_RUNNING');
  const base = '/system/v1/logs/v2/task/ends/file/stdout';
  const reading = followed(agent, base);
  const sandbox = `${workDir}/slaves/latest/frameworks/framework-0000/executors/ends/runs/latest`;
  await writeFile(join(sandbox, 'go'), '');
  const entries = await reading;
  const messages = entries.map(({ fields }) => fields.MESSAGE);
  expect(messages[0]).toBe('one');
  // A long line comes in pieces, none of which ends within a character.
  expect(messages.slice(1, -1).join('')).toBe(`x${wide}`);
  expect(messages.at(-1)).toBe('no feed');
  for (const [index, { cursor }] of entries.entries()) {
    expect(await followed(agent, `${base}?cursor=${cursor}`)).toMatchObject(
      entries.slice(index + 1).map(({ fields }) => ({ fields })),
    );
  }
  expect(master.statesOf('ends').at(-1)).toBe('TASK_FINISHED');
});

test('a big file without lines is not searched to its other end', async () => {
  const agent = await start();
  master.run(commandTask('hole', 'truncate -s 8G hole; touch made; sleep 60'));
  await master.waitFor('hole', 'TASK_RUNNING');
  const sandbox = `${workDir}/slaves/latest/frameworks/framework-0000/executors/hole/runs/latest`;
  await vi.waitFor(async () => await stat(join(sandbox, 'made')));
  const path = '/system/v1/logs/v2/task/hole/file/hole?cursor=END&skip=-10';
  const answer = await get(agent, path);
  expect([answer.status, answer.headers.get('content-length')]).toEqual([200, String(2 ** 26)]);
  await answer.body?.cancel();
});

test('a download can be had in part', async () => {
  const agent = await start();
  master.run(commandTask('range', 'printf 0123456789 >digits; : >empty; sleep 60'));
  await master.waitFor('range', 'TASK_RUNNING');
  const sandbox = `/frameworks/framework-0000/executors/range/runs/latest`;
  const part = async (range: string, file = 'digits'): Promise<readonly unknown[]> => {
    const response = await fetch(`${agent.url}/files/download?path=${sandbox}/${file}`, {
      headers: { range },
    });
    return [response.status, await response.text(), response.headers.get('content-range')];
  };
  const whole = [200, '0123456789', null];
  await vi.waitFor(async () => expect(await part('')).toEqual(whole));
  expect(await part('bytes=2-4')).toEqual([206, '234', 'bytes 2-4/10']);
  expect(await part('bytes=7-')).toEqual([206, '789', 'bytes 7-9/10']);
  expect(await part('bytes=-3')).toEqual([206, '789', 'bytes 7-9/10']);
  expect(await part('bytes=8-99')).toEqual([206, '89', 'bytes 8-9/10']);
  expect(await part('bytes=10-')).toEqual([416, '', 'bytes */10']);
  expect(await part('bytes=0-', 'empty')).toEqual([416, '', 'bytes */0']);
  for (const odd of ['bytes=4-2', 'bytes=-', 'lines=1-2', 'bytes=0-1,3-4'])
    expect(await part(odd)).toEqual(whole);
  const far = await get(agent, `/files/read?path=${sandbox}/digits&offset=9007199254740991`);
  expect([far.status, await far.json()]).toEqual([200, { data: '', offset: 9007199254740991 }]);
});

test('a kill during the fetch ends it, and the task never starts', async () => {
  await start();
  const asked = Promise.withResolvers<void>();
  const server = createServer(() => asked.resolve());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  const uris = [{ value: `http://127.0.0.1:${port}/never` }];
  master.run(commandTask('fetching', 'true', { command: { value: 'true', uris } }));
  await asked.promise;
  master.kill('fetching');
  expect(await master.waitFor('fetching', 'TASK_KILLED')).toMatchObject({
    reason: 'REASON_TASK_KILLED_DURING_LAUNCH',
  });
  expect(master.statesOf('fetching')).toEqual(['TASK_KILLED']);
  server.closeAllConnections();
  server.close();
});

test('a task that is asked for twice runs once', async () => {
  const agent = await start();
  const task = commandTask('twice', 'echo run; sleep 60');
  master.run(task);
  master.run(task);
  await master.waitFor('twice', 'TASK_RUNNING');
  expect(agent.snapshot().live).toHaveLength(1);
  master.kill('twice', 0);
  await master.waitFor('twice', 'TASK_KILLED');
  expect(master.statesOf('twice').filter((state) => state === 'TASK_RUNNING')).toHaveLength(1);
});

test('odd ids and a command that cannot be one leave the agent well', async () => {
  await start();
  for (const id of ['ünïcode 箱', "it's;$(x)`y`", '-rf', 'a'.repeat(200)]) {
    master.run(commandTask(id, 'pwd'));
    await master.waitFor(id, 'TASK_FINISHED');
  }
  master.run(commandTask('nul', 'echo a\0b'));
  expect((await master.waitFor('nul', 'TASK_FAILED')).message).toBe(
    'Failed to launch container: the command holds a NUL character',
  );
});

test('what cannot be run is refused with its reason', async () => {
  await start();
  const { command: _command, ...nothing } = commandTask('nothing', '');
  master.run(nothing);
  expect(await master.waitFor('nothing', 'TASK_ERROR')).toMatchObject({
    reason: 'REASON_TASK_INVALID',
    source: 'SOURCE_AGENT',
  });
  master.run({
    ...commandTask('image', 'true'),
    container: { type: 'DOCKER', docker: { image: 'x' } },
  });
  expect(await master.waitFor('image', 'TASK_FAILED')).toMatchObject({
    reason: 'REASON_CONTAINER_LAUNCH_FAILED',
  });
  const big = [{ name: 'cpus', type: 'SCALAR', scalar: { value: 5 } }] as const;
  master.run(commandTask('big', 'true', { resources: big }));
  expect((await master.waitFor('big', 'TASK_DROPPED')).message).toContain('5 cpus wanted, 4 free');
  master.run(
    commandTask('uri', 'true', { command: { value: 'true', uris: [{ value: '/no/such/file' }] } }),
  );
  const uri = await master.waitFor('uri', 'TASK_FAILED');
  expect(uri.message).toContain("Failed to launch container: Failed to fetch '/no/such/file'");
  expect(uri.reason).toBe('REASON_CONTAINER_LAUNCH_FAILED');
});

test('files are fetched before the task starts', async () => {
  await start();
  const script = join(workDir, 'greet');
  await writeFile(script, '#!/bin/sh\necho fetched\n');
  const web = createServer((_request, response) => response.end('from the web')).listen(
    0,
    '127.0.0.1',
  );
  await once(web, 'listening');
  const address = web.address();
  const port = typeof address === 'object' ? address?.port : 0;
  master.run(
    commandTask('uri', '', {
      command: {
        value: './greet && [ "$(cat page)" = "from the web" ]',
        uris: [
          { value: script, executable: true },
          { value: `http://127.0.0.1:${port}/x`, output_file: 'page' },
        ],
      },
    }),
  );
  await master.waitFor('uri', 'TASK_FINISHED');
  web.close();
});

test('a failing health check is told and ends the task', async () => {
  await start();
  const check = {
    delay_seconds: 0,
    interval_seconds: 0.1,
    grace_period_seconds: 0,
    consecutive_failures: 2,
  };
  master.run(
    commandTask('sick', 'sleep 60', {
      health_check: { ...check, type: 'COMMAND', command: { value: 'test ! -e ill' } },
    }),
  );
  const isHealthy = (value: boolean) => () =>
    master.updates.find((status) => status.task_id.value === 'sick' && status.healthy === value);
  expect((await until(isHealthy(true), 'it is healthy')).reason).toBe(
    'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED',
  );
  const sandbox = `${workDir}/slaves/latest/frameworks/framework-0000/executors/sick/runs/latest`;
  await writeFile(`${sandbox}/ill`, '');
  expect(await master.waitFor('sick', 'TASK_KILLED')).toMatchObject({
    healthy: false,
    message: 'Command terminated with signal Terminated',
  });
  const healths = master.updates
    .filter(({ task_id }) => task_id.value === 'sick')
    .map(({ state, healthy }) => `${state} ${healthy ?? ''}`);
  expect(healths).toEqual([
    'TASK_STARTING ',
    'TASK_RUNNING ',
    'TASK_RUNNING true',
    'TASK_RUNNING false',
    'TASK_RUNNING false',
    'TASK_KILLING ',
    'TASK_KILLED false',
  ]);
});

test('HTTP and TCP checks ask the task on the loopback', async () => {
  await start();
  const web = createServer((request, response) => {
    response.writeHead(request.url === '/moved' ? 302 : 200, { location: '/well' });
    response.end();
  }).listen(0, '127.0.0.1');
  await once(web, 'listening');
  const address = web.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const check = { delay_seconds: 0, interval_seconds: 0.1, grace_period_seconds: 60 };
  master.run(
    commandTask('http', 'sleep 60', {
      health_check: { ...check, type: 'HTTP', http: { port, path: '/moved' } },
    }),
  );
  master.run(
    commandTask('tcp', 'sleep 60', { health_check: { ...check, type: 'TCP', tcp: { port } } }),
  );
  for (const id of ['http', 'tcp']) {
    await until(
      () => master.updates.some((status) => status.task_id.value === id && status.healthy === true),
      `${id} is healthy`,
    );
  }
  web.close();
});

test('a task that runs longer than it may fails', async () => {
  await start();
  master.run(commandTask('long', 'sleep 60', { max_completion_time: { nanoseconds: 2e8 } }));
  expect(await master.waitFor('long', 'TASK_FAILED')).toMatchObject({
    reason: 'REASON_MAX_COMPLETION_TIME_REACHED',
  });
});

test('updates wait for the master and keep their order', async () => {
  await start();
  master.acknowledging = false;
  master.run(commandTask('ordered', 'exit 0'));
  await master.waitFor('ordered', 'TASK_STARTING');
  master.cut();
  await until(() => master.registrations.length === 2, 'the agent is back');
  expect(master.registrations[1]?.tasks?.[0]).toMatchObject({
    status_update_state: 'TASK_STARTING',
  });
  master.acknowledging = true;
  const [first] = master.updates;
  master.send({
    type: 'ACKNOWLEDGE',
    acknowledge: {
      framework_id: { value: FRAMEWORK.id?.value ?? '' },
      task_id: { value: 'ordered' },
      uuid: first?.uuid ?? new Uint8Array(16),
    },
  });
  await master.waitFor('ordered', 'TASK_FINISHED');
  expect([...new Set(master.statesOf('ordered'))]).toEqual([
    'TASK_STARTING',
    'TASK_RUNNING',
    'TASK_FINISHED',
  ]);
});

test('the output of a task is bounded, and its end can be read', async () => {
  const agent = await start({ sandboxLogBytesMax: 2_048, sandboxLogFilesMax: 1 });
  master.run(commandTask('chatty', 'while :; do echo "a line of twenty b"; sleep 0.001; done'));
  await master.waitFor('chatty', 'TASK_RUNNING');
  const runs = join(workDir, 'slaves/latest/frameworks/framework-0000/executors/chatty/runs');
  const older = join(runs, 'latest', 'stdout.1');
  await vi.waitFor(async () => await stat(older), { timeout: 20_000 });
  const first = await readFile(older, 'utf8');
  expect(first.startsWith('a line of twenty b\n')).toBe(true);
  expect(first.endsWith('\n')).toBe(true);
  // What the task goes on writing is at the beginning of the file again.
  await vi.waitFor(async () =>
    expect((await stat(join(runs, 'latest', 'stdout'))).size).toBeGreaterThan(0),
  );
  const response = await get(
    agent,
    '/system/v1/logs/v2/task/chatty/file/stdout?cursor=END&skip=-1',
  );
  expect(await response.text()).toContain('a line of twenty b');
});
