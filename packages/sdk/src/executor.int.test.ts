import { afterEach, describe, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import type { executor, TaskInfo } from '@dcos/wire';
import { executorEnvironment } from './executor-environment.ts';
import type { ExecutorConnection, ExecutorOptions } from './executor-connection.ts';
import type { ExecutorEvent } from './executor-events.ts';
import { connectExecutor } from './executor.ts';
import { FakeAgent, type ExecutorStream } from './testing/fake-agent.ts';

const subscribed: executor.Event = {
  type: 'SUBSCRIBED',
  subscribed: {
    executor_info: { executor_id: { value: 'e' } },
    framework_info: { user: 'u', name: 'f' },
    agent_info: { hostname: 'h' },
  },
};
const task: TaskInfo = { name: 't', task_id: { value: 't1' }, agent_id: { value: 'a' } };
const launch: executor.Event = { type: 'LAUNCH', launch: { task } };

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

async function fakeAgent(
  greeting: (stream: ExecutorStream) => void = (stream) => stream.send(subscribed),
): Promise<FakeAgent> {
  const agent = await FakeAgent.start();
  agent.onStream = greeting;
  opened.push(agent);
  return agent;
}

interface Connecting extends Partial<ExecutorOptions> {
  readonly variables?: Readonly<Record<string, string>>;
}

function connect(agent: FakeAgent, { variables = {}, ...options }: Connecting = {}) {
  const connection = connectExecutor({
    logger: silentLogger,
    environment: executorEnvironment({
      MESOS_FRAMEWORK_ID: 'f',
      MESOS_EXECUTOR_ID: 'e',
      MESOS_AGENT_ENDPOINT: agent.endpoint,
      MESOS_CHECKPOINT: '1',
      MESOS_RECOVERY_TIMEOUT: '1mins',
      MESOS_SUBSCRIPTION_BACKOFF_MAX: '10ms',
      ...variables,
    }),
    ...options,
  });
  opened.push(connection);
  return connection;
}

const iterate = (connection: ExecutorConnection) => connection[Symbol.asyncIterator]();

/** Reads events up to the first of a kind. */
async function next(events: AsyncIterator<ExecutorEvent>, kind: ExecutorEvent['kind']) {
  for (;;) {
    const { value, done } = await events.next();
    if (done === true) throw new Error(`the events ended before ${kind}`);
    if (value.kind === kind) return value;
  }
}

const acknowledge = (call: executor.Call | undefined): executor.Event => {
  const status = call?.update?.status;
  if (status?.uuid === undefined) throw new Error('the call is no update');
  return { type: 'ACKNOWLEDGED', acknowledged: { task_id: status.task_id, uuid: status.uuid } };
};

describe.each(['json', 'protobuf'] as const)('executor client in %s', (encoding) => {
  test('subscribes, starts what it is told, tells the state until it is acknowledged', async () => {
    const agent = await fakeAgent((stream) => {
      stream.send(subscribed);
      stream.send(launch);
    });
    const connection = connect(agent, {
      encoding,
      variables: { MESOS_EXECUTOR_AUTHENTICATION_TOKEN: 'secret' },
    });
    const events = iterate(connection);
    await next(events, 'launch');
    const told = connection.update(task.task_id, 'TASK_RUNNING', { message: 'up' });
    await agent.until(() => agent.calls.length === 1);
    const [call] = agent.calls;
    expect(call).toMatchObject({
      type: 'UPDATE',
      framework_id: { value: 'f' },
      executor_id: { value: 'e' },
      update: {
        status: {
          task_id: { value: 't1' },
          state: 'TASK_RUNNING',
          message: 'up',
          source: 'SOURCE_EXECUTOR',
          executor_id: { value: 'e' },
        },
      },
    });
    expect(call?.update?.status.uuid).toHaveLength(16);
    agent.streams[0]?.send(acknowledge(call));
    await told;
    await connection.sendMessage(Uint8Array.from([1]));
    expect(agent.calls.at(-1)?.message?.data).toHaveLength(1);
    expect(new Set(agent.authorizations)).toEqual(new Set(['Bearer secret']));
  });
});

describe('executor client', () => {
  test('after a lost stream it names what is not acknowledged, and sends it no second time', async () => {
    const agent = await fakeAgent((stream) => {
      stream.send(subscribed);
      if (agent.streams.length === 1) stream.send(launch);
    });
    const connection = connect(agent);
    const events = iterate(connection);
    await next(events, 'launch');
    const told = connection.update(task.task_id, 'TASK_RUNNING');
    await agent.until(() => agent.calls.length === 1);
    agent.refusals.push(503);
    agent.streams[0]?.end();
    await next(events, 'disconnected');
    await next(events, 'subscribed');
    const again = agent.subscribes[1]?.subscribe;
    expect(again?.unacknowledged_tasks).toEqual([task]);
    expect(again?.unacknowledged_updates).toEqual([{ status: agent.calls[0]?.update?.status }]);
    agent.streams[1]?.send(acknowledge(agent.calls[0]));
    await told;
    await connection.sendMessage(new Uint8Array());
    expect(agent.calls.map(({ type }) => type)).toEqual(['UPDATE', 'MESSAGE']);
    agent.streams[1]?.end();
    await next(events, 'disconnected');
    await next(events, 'subscribed');
    expect(agent.subscribes[2]?.subscribe).toEqual({});
  });

  test('an update made while the agent is away goes with the next subscription', async () => {
    const agent = await fakeAgent();
    const connection = connect(agent);
    const events = iterate(connection);
    await next(events, 'subscribed');
    agent.streams[0]?.end();
    await next(events, 'disconnected');
    const told = connection.update(task.task_id, 'TASK_FINISHED');
    await next(events, 'subscribed');
    await agent.until(
      () =>
        agent.subscribes[1]?.subscribe?.unacknowledged_updates !== undefined ||
        agent.calls.length > 0,
    );
    const listed = agent.subscribes[1]?.subscribe?.unacknowledged_updates?.[0];
    const status = listed?.status ?? agent.calls[0]?.update?.status;
    expect(status?.state).toBe('TASK_FINISHED');
    agent.streams[1]?.send(
      acknowledge({
        framework_id: { value: 'f' },
        executor_id: { value: 'e' },
        update: { status: status ?? never() },
      }),
    );
    await told;
  });

  test('an update that the agent is not ready for is told by a new subscription', async () => {
    const agent = await fakeAgent();
    const connection = connect(agent);
    const events = iterate(connection);
    await next(events, 'subscribed');
    agent.onCall = () => 503;
    void connection.update(task.task_id, 'TASK_RUNNING').catch(() => undefined);
    await next(events, 'disconnected');
    await next(events, 'subscribed');
    expect(agent.subscribes[1]?.subscribe?.unacknowledged_updates).toHaveLength(1);
  });

  test('a refused update fails and is not told again', async () => {
    const agent = await fakeAgent();
    const connection = connect(agent);
    const events = iterate(connection);
    await next(events, 'subscribed');
    agent.onCall = () => 400;
    await expect(connection.update(task.task_id, 'TASK_STAGING')).rejects.toMatchObject({
      code: 'SDK_CALL_REFUSED',
      details: { status: 400 },
    });
    agent.streams[0]?.end();
    await next(events, 'disconnected');
    await next(events, 'subscribed');
    expect(agent.subscribes[1]?.subscribe).toEqual({});
  });

  test.each([
    ['without checkpointing at once', { MESOS_CHECKPOINT: '0' }],
    ['with it after the recovery time-out', { MESOS_RECOVERY_TIMEOUT: '50ms' }],
  ])('a lost agent ends it %s', async (_when, variables) => {
    const agent = await fakeAgent();
    const connection = connect(agent, { variables });
    const events = iterate(connection);
    await next(events, 'subscribed');
    agent.refusals.push(...Array.from({ length: 1000 }, () => 503));
    agent.streams[0]?.end();
    expect(await next(events, 'stopped')).toMatchObject({ reason: 'agentLost' });
    await expect(connection.update(task.task_id, 'TASK_FAILED')).rejects.toMatchObject({
      code: 'SDK_DISCONNECTED',
    });
  });

  test('kill, message and shutdown come through; the end of the stream after it is the end', async () => {
    const agent = await fakeAgent((stream) => {
      stream.send(subscribed);
      stream.send({ type: 'LAUNCH_GROUP', launch_group: { task_group: { tasks: [task] } } });
      stream.send({ type: 'KILL', kill: { task_id: task.task_id } });
      stream.send({ type: 'MESSAGE', message: { data: Uint8Array.from([7]) } });
      stream.send({ type: 'SHUTDOWN' });
      stream.end();
    });
    const seen: string[] = [];
    for await (const event of connect(agent)) seen.push(event.kind);
    expect(seen).toEqual([
      'subscribed',
      'launchGroup',
      'kill',
      'message',
      'shutdown',
      'disconnected',
      'stopped',
    ]);
  });

  test('an ERROR ends it', async () => {
    const agent = await fakeAgent((stream) =>
      stream.send({ type: 'ERROR', error: { message: 'no such executor' } }),
    );
    const { reason, problem } = await connect(agent).done;
    expect(reason).toBe('refused');
    expect(problem).toContain('no such executor');
  });
});

function never(): never {
  throw new Error('no status was told');
}

describe('the environment of an executor', () => {
  test('is read with the defaults of the original', () => {
    expect(
      executorEnvironment({
        MESOS_FRAMEWORK_ID: 'f',
        MESOS_EXECUTOR_ID: 'e',
        MESOS_AGENT_ENDPOINT: '127.0.0.1:5051',
        MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: '3secs',
        MESOS_DIRECTORY: '/d',
      }),
    ).toEqual({
      frameworkId: 'f',
      executorId: 'e',
      agent: '127.0.0.1:5051',
      checkpoint: false,
      recoveryTimeoutMs: 900_000,
      subscriptionBackoffMsMax: 2_000,
      shutdownGraceMs: 3_000,
      directory: '/d',
      token: undefined,
      speaksTls: false,
      tlsCaFile: undefined,
      tlsCertFile: undefined,
      tlsKeyFile: undefined,
    });
  });

  test.each([
    ['1', true],
    ['true', true],
    ['0', false],
    ['', false],
  ])('LIBPROCESS_SSL_ENABLED=%s: %s', (text, speaksTls) => {
    const environment = executorEnvironment({
      MESOS_FRAMEWORK_ID: 'f',
      MESOS_EXECUTOR_ID: 'e',
      MESOS_AGENT_ENDPOINT: '127.0.0.1:5051',
      LIBPROCESS_SSL_ENABLED: text,
      LIBPROCESS_SSL_CA_FILE: '/nowhere/ca',
    });
    expect(environment).toMatchObject({ speaksTls, tlsCaFile: '/nowhere/ca' });
    if (speaksTls)
      expect(() => connectExecutor({ logger: silentLogger, environment })).toThrow(
        'LIBPROCESS_SSL_CA_FILE=/nowhere/ca cannot be read',
      );
  });

  test('every problem is named', () => {
    expect(() =>
      executorEnvironment({ MESOS_EXECUTOR_ID: 'e', MESOS_RECOVERY_TIMEOUT: 'soon' }),
    ).toThrow(
      "MESOS_FRAMEWORK_ID is missing, MESOS_AGENT_ENDPOINT is missing, MESOS_RECOVERY_TIMEOUT is no duration: 'soon'",
    );
  });
});
