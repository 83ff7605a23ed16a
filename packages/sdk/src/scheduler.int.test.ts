import { afterEach, describe, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import type { FrameworkInfo } from '@dcos/wire';
import { connectScheduler } from './scheduler.ts';
import type { SchedulerConnection, SchedulerOptions } from './scheduler-connection.ts';
import type { SchedulerEvent } from './scheduler-events.ts';
import { FakeMaster, type FakeStream } from './testing/fake-master.ts';

const framework: FrameworkInfo = { user: 'nobody', name: 'test', roles: ['*'] };
const subscribed = {
  type: 'SUBSCRIBED',
  subscribed: { framework_id: { value: 'f-0000' } },
} as const;

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

async function fakeMaster(
  greeting: (stream: FakeStream) => void = (stream) => stream.send(subscribed),
) {
  const master = await FakeMaster.start();
  master.onStream = greeting;
  opened.push(master);
  return master;
}

function connect(masters: readonly FakeMaster[], options: Partial<SchedulerOptions> = {}) {
  const connection = connectScheduler({
    masters: masters.map(({ url }) => url),
    framework,
    logger: silentLogger,
    ...options,
  });
  opened.push(connection);
  return connection;
}

/** Reads events up to the first of a kind. */
async function next<Kind extends SchedulerEvent['kind']>(
  events: AsyncIterator<SchedulerEvent>,
  kind: Kind,
): Promise<SchedulerEvent & { readonly kind: Kind }> {
  for (;;) {
    const { value, done } = await events.next();
    if (done === true) throw new Error(`the events ended before ${kind}`);
    if (value.kind === kind) return value as SchedulerEvent & { readonly kind: Kind };
  }
}

const iterate = (connection: SchedulerConnection) => connection[Symbol.asyncIterator]();

describe.each(['json', 'protobuf'] as const)('scheduler client in %s', (encoding) => {
  test('subscribes, reads offers and makes calls with the id of its stream', async () => {
    const master = await fakeMaster((stream) => {
      stream.send(subscribed);
      stream.send({ type: 'HEARTBEAT' });
      const offer = {
        id: { value: 'o1' },
        framework_id: { value: 'f-0000' },
        agent_id: { value: 'a1' },
        hostname: 'h',
      };
      stream.send({ type: 'OFFERS', offers: { offers: [offer] } });
    });
    const connection = connect([master], { encoding });
    const events = iterate(connection);
    expect((await next(events, 'subscribed')).frameworkId).toBe('f-0000');
    const { offers } = await next(events, 'offers');
    await connection.decline(
      offers.map(({ id }) => id),
      { refuse_seconds: 1 },
    );
    expect(master.calls).toEqual([
      {
        streamId: 'stream-1',
        call: {
          framework_id: { value: 'f-0000' },
          type: 'DECLINE',
          decline: { offer_ids: [{ value: 'o1' }], filters: { refuse_seconds: 1 } },
        },
      },
    ]);
  });
});

describe('scheduler client', () => {
  test('follows the redirect to the leader and sends the body again', async () => {
    const leader = await fakeMaster();
    const other = await fakeMaster();
    other.refusals.push({
      status: 307,
      headers: { location: `${leader.url.replace('http:', '')}/api/v1/scheduler` },
    });
    const event = await next(iterate(connect([other])), 'subscribed');
    expect(event.masterUrl).toBe(leader.url);
    expect(leader.subscribes[0]?.subscribe?.framework_info.name).toBe('test');
  });

  test('subscribes again under its id after the stream broke, past a master without a leader', async () => {
    const master = await fakeMaster();
    const events = iterate(connect([master], { retryMsMax: 10 }));
    await next(events, 'subscribed');
    master.refusals.push({ status: 503, body: 'no leader' });
    master.streams[0]?.end();
    await next(events, 'disconnected');
    await next(events, 'subscribed');
    expect(master.subscribes.length).toBe(3);
    const again = master.subscribes[2];
    expect(again?.framework_id).toEqual({ value: 'f-0000' });
    expect(again?.subscribe?.framework_info.id).toEqual({ value: 'f-0000' });
  });

  test('a call on a stale stream fails with the answer and leads to a new subscription', async () => {
    const master = await fakeMaster();
    const connection = connect([master]);
    const events = iterate(connection);
    await next(events, 'subscribed');
    master.onCall = () => ({
      status: 400,
      body: "The stream ID 'x' included in this request didn't match",
    });
    await expect(connection.revive()).rejects.toMatchObject({
      code: 'SDK_CALL_REFUSED',
      retry: 'later',
      details: { status: 400 },
    });
    master.onCall = undefined;
    await next(events, 'disconnected');
    await next(events, 'subscribed');
    await connection.revive();
    expect(master.calls.at(-1)?.streamId).toBe('stream-2');
  });

  test('an ordinary refusal leaves the stream alone', async () => {
    const master = await fakeMaster();
    const connection = connect([master]);
    await next(iterate(connection), 'subscribed');
    master.onCall = () => ({ status: 400, body: 'Failed to validate scheduler::Call' });
    await expect(connection.suppress()).rejects.toMatchObject({
      code: 'SDK_CALL_REFUSED',
      retry: 'never',
    });
    expect(connection.phase).toBe('open');
  });

  test('calls arrive in order, and acknowledgements do not wait behind them', async () => {
    const master = await fakeMaster();
    const connection = connect([master]);
    await next(iterate(connection), 'subscribed');
    const held = Promise.withResolvers<void>();
    master.onCall = async (call) => {
      if (call.type !== 'ACKNOWLEDGE') await held.promise;
      return { status: 202 };
    };
    const kills = Array.from({ length: 5 }, (_, index) => connection.kill({ value: `t${index}` }));
    await connection.acknowledge({
      task_id: { value: 't9' },
      state: 'TASK_RUNNING',
      agent_id: { value: 'a' },
      uuid: new Uint8Array(16),
    });
    held.resolve();
    await Promise.all(kills);
    const order = master.calls.flatMap(({ call }) => call.kill?.task_id.value ?? []);
    expect(order).toEqual(['t0', 't1', 't2', 't3', 't4']);
  });

  test('calls beyond the bound are refused, calls of a lost stream fail', async () => {
    const master = await fakeMaster();
    const connection = connect([master], { callsWaitingMax: 2 });
    const events = iterate(connection);
    await next(events, 'subscribed');
    const held = Promise.withResolvers<{ readonly status: number }>();
    master.onCall = () => held.promise;
    const waiting = [connection.revive(), connection.revive()];
    await expect(connection.revive()).rejects.toMatchObject({ code: 'SDK_QUEUE_FULL' });
    const failures = Promise.allSettled(waiting);
    master.streams[0]?.end();
    for (const outcome of await failures) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'SDK_DISCONNECTED' } });
    }
    held.resolve({ status: 202 });
  });

  test('teardown: the stream ends before the answer comes', async () => {
    const master = await fakeMaster();
    const connection = connect([master]);
    const events = iterate(connection);
    await next(events, 'subscribed');
    master.onCall = () => {
      master.streams[0]?.end();
      return { status: 202 };
    };
    await connection.teardown();
    expect((await connection.done).reason).toBe('closed');
    expect(master.calls.map(({ call }) => call.type)).toEqual(['TEARDOWN']);
  });

  test('teardown: without an answer the next subscription tells', async () => {
    const master = await fakeMaster();
    const connection = connect([master], { callMsMax: 200 });
    await next(iterate(connection), 'subscribed');
    master.onCall = () => {
      master.onStream = (stream) => {
        stream.send({ type: 'ERROR', error: { message: 'Framework has been removed' } });
      };
      master.streams[0]?.end();
      return new Promise(() => undefined);
    };
    await connection.teardown();
    expect((await connection.done).reason).toBe('removed');
  });

  test('an unsubscribed connection says so', async () => {
    const master = await fakeMaster(() => undefined);
    await expect(connect([master]).revive()).rejects.toMatchObject({ code: 'SDK_NOT_SUBSCRIBED' });
  });

  test.each([
    ['Framework failed over', 'failedOver'],
    ['Framework has been removed', 'removed'],
  ] as const)('"%s" surfaces and ends the connection', async (message, reason) => {
    const master = await fakeMaster((stream) => {
      stream.send({ type: 'ERROR', error: { message } });
    });
    const connection = connect([master]);
    const seen: string[] = [];
    for await (const event of connection) seen.push(event.kind);
    expect(seen).toEqual(['error', 'stopped']);
    expect((await connection.done).reason).toBe(reason);
  });

  test('a refused SUBSCRIBE ends the connection with the master’s words', async () => {
    const master = await fakeMaster();
    master.refusals.push({ status: 400, body: "'framework_id' differs" });
    const { reason, problem } = await connect([master]).done.then((done) => done);
    expect(reason).toBe('refused');
    expect(problem).toContain("'framework_id' differs");
  });

  test('a listener holds the stream back until it is done', async () => {
    const master = await fakeMaster((stream) => {
      stream.send(subscribed);
      stream.send({ type: 'HEARTBEAT' });
      stream.send({ type: 'RESCIND', rescind: { offer_id: { value: 'o' } } });
    });
    const gate = Promise.withResolvers<void>();
    const finished = Promise.withResolvers<void>();
    const seen: string[] = [];
    connect([master], {
      async listener(event) {
        seen.push(event.kind);
        if (event.kind === 'subscribed') await gate.promise;
        if (event.kind === 'rescind') finished.resolve();
      },
    });
    await master.until(() => master.streams.length === 1);
    gate.resolve();
    await finished.promise;
    expect(seen).toEqual(['subscribed', 'heartbeat', 'rescind']);
  });

  test('a listener that throws closes the connection and rejects done', async () => {
    const master = await fakeMaster();
    const connection = connect([master], {
      listener(event) {
        if (event.kind === 'subscribed') throw new TypeError('a bug');
      },
    });
    await expect(connection.done).rejects.toThrow('a bug');
    expect(connection.phase).toBe('stopped');
  });

  test('leaving the loop closes the connection', async () => {
    const master = await fakeMaster();
    const connection = connect([master]);
    for await (const event of connection) if (event.kind === 'subscribed') break;
    expect((await connection.done).reason).toBe('closed');
  });

  const status = {
    task_id: { value: 't' },
    state: 'TASK_RUNNING',
    agent_id: { value: 'a' },
    uuid: new Uint8Array(16),
  } as const;
  const operation = {
    operation_id: { value: 'op' },
    state: 'OPERATION_FINISHED',
    agent_id: { value: 'a' },
    uuid: { value: new Uint8Array(16).fill(7) },
  } as const;
  const updates = (stream: FakeStream): void => {
    stream.send(subscribed);
    stream.send({ type: 'UPDATE', update: { status } });
    stream.send({
      type: 'UPDATE_OPERATION_STATUS',
      update_operation_status: { status: operation },
    });
    stream.send({ type: 'HEARTBEAT' });
  };

  test('an update is acknowledged when the listener is done with it, not before', async () => {
    const master = await fakeMaster(updates);
    const gate = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const connection = connect([master], {
      async listener(event) {
        if (event.kind !== 'update') return;
        reached.resolve();
        await gate.promise;
      },
    });
    await reached.promise;
    await connection.revive();
    expect(master.calls.map(({ call }) => call.type)).toEqual(['REVIVE']);
    gate.resolve();
    await master.until(() => master.calls.length === 3);
    expect(master.calls.slice(1).map(({ call }) => call)).toEqual([
      {
        type: 'ACKNOWLEDGE',
        framework_id: { value: 'f-0000' },
        acknowledge: { task_id: status.task_id, agent_id: status.agent_id, uuid: status.uuid },
      },
      {
        type: 'ACKNOWLEDGE_OPERATION_STATUS',
        framework_id: { value: 'f-0000' },
        acknowledge_operation_status: {
          operation_id: operation.operation_id,
          agent_id: operation.agent_id,
          uuid: operation.uuid.value,
        },
      },
    ]);
  });

  test('acknowledging can be left to the framework', async () => {
    const master = await fakeMaster(updates);
    const connection = connect([master], { acknowledge: 'manual' });
    const events = iterate(connection);
    await next(events, 'heartbeat');
    await connection.revive();
    expect(master.calls.map(({ call }) => call.type)).toEqual(['REVIVE']);
  });

  test('reconciles what it believes to have before anything the listener asks for', async () => {
    const master = await fakeMaster();
    const connection = connect([master], {
      tasks: () => [{ task_id: { value: 't' } }],
      listener: async (event) => {
        if (event.kind === 'subscribed') await connection.revive();
      },
    });
    await master.until(() => master.calls.length === 3);
    expect(master.calls.map(({ call }) => [call.type, call.reconcile?.tasks?.length])).toEqual([
      ['RECONCILE', 1],
      ['RECONCILE', undefined],
      ['REVIVE', undefined],
    ]);
  });
});
