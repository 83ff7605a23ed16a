/** Executors of frameworks against a real agent, by a program that knows nothing but HTTP. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { randomUUID } from 'node:crypto';
import {
  createRecordDecoder,
  decodeAs,
  encodeAs,
  executor,
  MEDIA_TYPES,
  type Encoding,
  type ExecutorInfo,
  type TaskInfo,
  type TaskState,
} from '@dcos/wire';
import { agentScene } from './testing/agent-scene.ts';
import { commandTask, FRAMEWORK, until } from './testing/fake-master.ts';

const scene = agentScene();
const FRAMEWORK_ID = FRAMEWORK.id ?? { value: '' };
const EXECUTOR_ID = { value: 'ex1' };

const INFO: ExecutorInfo = {
  type: 'CUSTOM',
  executor_id: EXECUTOR_ID,
  framework_id: FRAMEWORK_ID,
  command: { value: 'env > environment; exec sleep 1000' },
  resources: commandTask('x', '').resources ?? [],
};

function taskOf(id: string): TaskInfo {
  const { command: _command, ...task } = commandTask(id, '');
  return { ...task, executor: INFO };
}

/** What a library of executors would do, in one encoding. */
class TestExecutor {
  readonly events: executor.Event[] = [];
  readonly #closing = new AbortController();
  readonly #url: string;
  readonly #encoding: Encoding;

  constructor(url: string, encoding: Encoding) {
    this.#url = `${url}/slave(1)/api/v1/executor`;
    this.#encoding = encoding;
  }

  post(call: Partial<executor.Call>): Promise<Response> {
    const body = { framework_id: FRAMEWORK_ID, executor_id: EXECUTOR_ID, ...call };
    const type = MEDIA_TYPES[this.#encoding];
    return fetch(this.#url, {
      method: 'POST',
      headers: { 'content-type': type, accept: type },
      body: Buffer.from(encodeAs(this.#encoding, executor.CallType, body)),
      signal: this.#closing.signal,
    });
  }

  async subscribe(more: executor.Call_Subscribe = {}): Promise<number> {
    const response = await this.post({ type: 'SUBSCRIBE', subscribe: more });
    if (response.status === 200) void this.#read(response);
    return response.status;
  }

  async update(taskId: string, state: TaskState, uuid = randomUUID()): Promise<number> {
    const status = {
      task_id: { value: taskId },
      state,
      source: 'SOURCE_EXECUTOR',
      uuid: Buffer.from(uuid.replaceAll('-', ''), 'hex'),
    } as const;
    return (await this.post({ type: 'UPDATE', update: { status } })).status;
  }

  async told(type: executor.Event['type'], count = 1): Promise<void> {
    const look = (): boolean => this.events.filter((event) => event.type === type).length >= count;
    await until(look, `${count} × ${type}; there was ${this.events.map((e) => e.type).join()}`);
  }

  leave(): void {
    this.#closing.abort();
  }

  async #read(response: Response): Promise<void> {
    const records = createRecordDecoder();
    const text = new TextDecoder();
    try {
      for await (const chunk of response.body ?? [])
        for (const record of records.push(chunk as Uint8Array))
          this.events.push(
            decodeAs(this.#encoding, executor.EventType, record, (bytes) => text.decode(bytes)),
          );
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error;
    }
  }
}

async function subscribed(url: string, encoding: Encoding = 'json'): Promise<TestExecutor> {
  const client = new TestExecutor(url, encoding);
  expect((await client.post({ type: 'HEARTBEAT' })).status).toBe(403);
  expect(await client.subscribe()).toBe(200);
  await client.told('LAUNCH');
  return client;
}

test.each(['json', 'protobuf'] as const)('an executor runs its tasks, in %s', async (encoding) => {
  const { master, start } = scene();
  const agent = await start();
  master.run(taskOf('t1'));
  await until(() => agent.snapshot().executors[0]?.process?.pid, 'the executor runs');
  const client = await subscribed(agent.url, encoding);
  expect(client.events.map(({ type }) => type)).toEqual(['SUBSCRIBED', 'LAUNCH']);
  const uuid = randomUUID();
  expect(await client.update('t1', 'TASK_RUNNING', uuid)).toBe(202);
  expect(await client.update('t1', 'TASK_RUNNING', uuid)).toBe(202);
  await client.told('ACKNOWLEDGED', 2);
  const running = await master.waitFor('t1', 'TASK_RUNNING');
  const process = agent.snapshot().executors[0];
  expect(running).toMatchObject({
    executor_id: EXECUTOR_ID,
    source: 'SOURCE_EXECUTOR',
    container_status: {
      container_id: { value: process?.containerId },
      executor_pid: process?.process?.pid,
    },
  });
  master.run(taskOf('t2'));
  await client.told('LAUNCH', 2);
  expect(agent.snapshot().executors).toHaveLength(1);
  master.kill('t2');
  await client.told('KILL');
  await client.update('t2', 'TASK_KILLED');
  await client.update('t1', 'TASK_FINISHED');
  await master.waitFor('t1', 'TASK_FINISHED');
  expect(master.statesOf('t1')).toEqual(['TASK_RUNNING', 'TASK_FINISHED']);
  expect(master.statesOf('t2')).toEqual(['TASK_KILLED']);
  client.leave();
});

test('the environment is that of an executor', async () => {
  const { master, start, workDir } = scene();
  const agent = await start({ executorShutdownGraceMs: 3_000 });
  master.run(taskOf('t1'));
  const runs = `slaves/fake-S0/frameworks/${FRAMEWORK_ID.value}/executors/ex1/runs/latest`;
  const read = (): Promise<string> => readFile(join(workDir, runs, 'environment'), 'utf8');
  let text = '';
  await expect
    .poll(async () => (text = await read().catch(() => '')), { timeout: 20_000 })
    .toContain('PATH=');
  const port = Number(new URL(agent.url).port);
  for (const line of [
    `MESOS_AGENT_ENDPOINT=127.0.0.1:${port}`,
    'MESOS_EXECUTOR_ID=ex1',
    'MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD=3secs',
    'LIBPROCESS_PORT=0',
    'MESOS_SLAVE_ID=fake-S0',
  ])
    expect(text.split('\n')).toContain(line);
});

test('tasks of an executor that dies have failed', async () => {
  const { master, start } = scene();
  const agent = await start();
  master.run(taskOf('t1'));
  const pid = await until(() => agent.snapshot().executors[0]?.process?.pid, 'the executor runs');
  const client = await subscribed(agent.url);
  process.kill(pid, 'SIGKILL');
  const failed = await master.waitFor('t1', 'TASK_FAILED');
  expect(failed).toMatchObject({
    source: 'SOURCE_AGENT',
    reason: 'REASON_EXECUTOR_TERMINATED',
    message: 'Executor terminated',
  });
  expect((await client.post({ type: 'HEARTBEAT' })).status).toBe(400);
  client.leave();
});

test('an executor that does not subscribe is ended', async () => {
  const { master, start } = scene();
  await start({ executorRegistrationMs: 100 });
  master.run(taskOf('t1'));
  const failed = await master.waitFor('t1', 'TASK_FAILED');
  expect(failed.reason).toBe('REASON_EXECUTOR_REGISTRATION_TIMEOUT');
});

test('a restarted agent gives its executors back what they had', async () => {
  const { master, start } = scene();
  const first = await start();
  master.run(taskOf('t1'));
  const pid = await until(() => first.snapshot().executors[0]?.process?.pid, 'the executor runs');
  const client = await subscribed(first.url);
  await client.update('t1', 'TASK_RUNNING');
  await client.told('ACKNOWLEDGED');
  await master.waitFor('t1', 'TASK_RUNNING');
  client.leave();
  await first.close();
  const starting = start({ executorReregistrationMs: 15_000, port: first.port });
  const again = new TestExecutor(first.url, 'json');
  await expect.poll(() => again.subscribe().catch(() => 0), { timeout: 20_000 }).toBe(200);
  const second = await starting;
  expect(second.snapshot().executors[0]?.process?.pid).toBe(pid);
  await again.update('t1', 'TASK_FINISHED');
  await master.waitFor('t1', 'TASK_FINISHED');
  expect(new Set(master.statesOf('t1'))).toEqual(new Set(['TASK_RUNNING', 'TASK_FINISHED']));
  again.leave();
});

test('groups, messages and SHUTDOWN reach an executor', async () => {
  const { master, start } = scene();
  const agent = await start({ executorShutdownGraceMs: 100 });
  const task_group = { tasks: [taskOf('a'), taskOf('b')] };
  const run_task_group = { framework_info: FRAMEWORK, executor: INFO, task_group };
  master.send({ type: 'RUN_TASK_GROUP', run_task_group });
  await until(() => agent.snapshot().executors[0]?.process?.pid, 'the executor runs');
  const client = new TestExecutor(agent.url, 'json');
  expect(await client.subscribe()).toBe(200);
  await client.told('LAUNCH_GROUP');
  const { launch_group } = client.events[1] ?? {};
  expect(launch_group?.task_group.tasks?.map(({ task_id }) => task_id.value)).toEqual(['a', 'b']);
  const to = { framework_id: FRAMEWORK_ID, executor_id: EXECUTOR_ID, data: Buffer.from('hello') };
  master.send({ type: 'FRAMEWORK_MESSAGE', framework_message: to });
  await client.told('MESSAGE');
  master.send({ type: 'FRAMEWORK_MESSAGE', framework_message: { ...to, shutdown: true } });
  await client.told('SHUTDOWN');
  await master.waitFor('a', 'TASK_FAILED');
  await until(() => agent.snapshot().executors.length === 0, 'the executor was ended');
  client.leave();
});
