import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { openMemoryStore, type Store } from '@dcos/store';
import { Gate } from '@dcos/testkit';
import { encode, masterApi, scheduler, type Encoding } from '@dcos/wire';
import {
  connectAgent,
  registerAgent,
  openStream,
  postJson,
  send,
  type EventStream,
  type FakeAgent,
} from '../testing/http-client.ts';
import { closeAfterTest, startTestMaster } from '../testing/running-master.ts';
import { frameworkInfo, resources, task, uuidOf } from '../testing/world.ts';
import { startMaster, type RunningMaster } from './start-master.ts';

async function subscribe(
  master: RunningMaster,
  encoding: Encoding = 'json',
  info = frameworkInfo(),
): Promise<EventStream<scheduler.Event> & { readonly id: string; readonly streamId: string }> {
  const call: scheduler.Call = {
    type: 'SUBSCRIBE',
    subscribe: { framework_info: info },
    ...(info.id !== undefined && { framework_id: info.id }),
  };
  const body = encoding === 'json' ? JSON.stringify(call) : encode(scheduler.CallType, call);
  const stream = await openStream(`${master.url}/api/v1/scheduler`, body, {
    type: scheduler.EventType,
    encoding,
  });
  closeAfterTest(stream);
  const subscribed = await stream.events.find('SUBSCRIBED', ({ type }) => type === 'SUBSCRIBED');
  return {
    ...stream,
    id: subscribed.subscribed?.framework_id.value ?? '',
    streamId: String(stream.headers['mesos-stream-id']),
  };
}

async function addAgent(master: RunningMaster): Promise<FakeAgent & { readonly id: string }> {
  return closeAfterTest(
    await registerAgent(master.url, {
      agent_info: { hostname: 'host', port: 5051, resources: resources({ cpus: 4, mem: 4096 }) },
    }),
  );
}

test.each<Encoding>(['json', 'protobuf'])(
  'a task runs through real sockets (%s)',
  async (encoding) => {
    const master = await startTestMaster();
    const framework = await subscribe(master, encoding);
    const agent = await addAgent(master);
    const offered = await framework.events.find('OFFERS', ({ type }) => type === 'OFFERS');
    const [offer] = offered.offers?.offers ?? [];
    const call = (body: Omit<scheduler.Call, 'framework_id'>) =>
      postJson(
        `${master.url}/api/v1/scheduler`,
        asJson({ ...body, framework_id: { value: framework.id } }),
        {
          'mesos-stream-id': framework.streamId,
        },
      );
    const accepted = await call({
      type: 'ACCEPT',
      accept: {
        offer_ids: offer === undefined ? [] : [offer.id],
        operations: [
          { type: 'LAUNCH', launch: { task_infos: [task('t', { id: agent.id, connection: 0 })] } },
        ],
      },
    });
    expect([accepted.status, accepted.text]).toEqual([202, '']);
    const run = await agent.frames.find('RUN_TASK', ({ type }) => type === 'RUN_TASK');
    expect(run.run_task?.task.task_id.value).toBe('t');
    agent.send({
      type: 'STATUS_UPDATE',
      status_update: {
        framework_id: { value: framework.id },
        latest_state: 'TASK_RUNNING',
        status: { task_id: { value: 't' }, state: 'TASK_RUNNING', uuid: uuidOf(1), timestamp: 1 },
      },
    });
    const update = await framework.events.find('UPDATE', ({ type }) => type === 'UPDATE');
    expect(update.update?.status).toMatchObject({
      state: 'TASK_RUNNING',
      agent_id: { value: agent.id },
    });
    const acknowledged = await call({
      type: 'ACKNOWLEDGE',
      acknowledge: { agent_id: { value: agent.id }, task_id: { value: 't' }, uuid: uuidOf(1) },
    });
    expect(acknowledged.status).toBe(202);
    await agent.frames.find('ACKNOWLEDGE', ({ type }) => type === 'ACKNOWLEDGE');
    const state = JSON.parse((await send(`${master.url}/state`)).text) as {
      frameworks: { tasks: { state: string }[] }[];
    };
    expect(state.frameworks[0]?.tasks[0]?.state).toBe('TASK_RUNNING');
  },
);

function asJson(call: scheduler.Call): unknown {
  return JSON.parse(
    JSON.stringify(call, (_key, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
    ),
  );
}

test('an operator follows what happens from a snapshot on', async () => {
  const master = await startTestMaster();
  const agent = await addAgent(master);
  const operator = await openStream(`${master.url}/api/v1`, JSON.stringify({ type: 'SUBSCRIBE' }), {
    type: masterApi.EventType,
    encoding: 'json',
  });
  closeAfterTest(operator);
  const first = await operator.events.find('SUBSCRIBED', ({ type }) => type === 'SUBSCRIBED');
  expect(first.subscribed?.get_state?.get_agents?.agents?.[0]?.agent_info.id?.value).toBe(agent.id);
  await subscribe(master);
  await operator.events.find('FRAMEWORK_ADDED', ({ type }) => type === 'FRAMEWORK_ADDED');
});

test('a second subscription takes over, the first hears why', async () => {
  const master = await startTestMaster();
  const first = await subscribe(master);
  const second = await subscribe(master, 'json', frameworkInfo({ id: { value: first.id } }));
  expect(second.id).toBe(first.id);
  const error = await first.events.find('ERROR', ({ type }) => type === 'ERROR');
  expect(error.error?.message).toBe('Framework failed over');
  await first.events.untilEnd();
});

test('agents and frameworks outlive the master', async () => {
  const store = openMemoryStore();
  const before = await startTestMaster({}, store);
  const framework = await subscribe(before);
  const agent = await addAgent(before);
  await before.close();
  const after = await startTestMaster({}, store);
  const summary = await send(`${after.url}/master/slaves`);
  expect(JSON.parse(summary.text)).toMatchObject({
    slaves: [],
    recovered_slaves: [{ id: agent.id }],
  });
  const again = await subscribe(after, 'json', frameworkInfo({ id: { value: framework.id } }));
  expect(again.id).toBe(framework.id);
});

test('a body over the limit is refused and changes nothing', async () => {
  const master = await startTestMaster({ bodyBytesMax: 1000 });
  const answer = await postJson(`${master.url}/api/v1/scheduler`, {
    type: 'SUBSCRIBE',
    filler: 'x'.repeat(2000),
  });
  expect(answer.status).toBe(413);
});

test('an agent that sends nonsense is cut off, others go on', async () => {
  const master = await startTestMaster();
  const good = await addAgent(master);
  const bad = await connectAgent(master.url);
  bad.sendRaw(Uint8Array.from([0xff, 0xff, 0xff]));
  await bad.frames.untilEnd();
  expect(good.frames.ended).toBe(false);
});

test('a scheduler that stops reading is cut off at the bound and is disconnected then', async () => {
  const master = await startTestMaster({ streamBufferedBytesMax: 100_000 });
  const body = JSON.stringify({
    type: 'SUBSCRIBE',
    subscribe: { framework_info: frameworkInfo() },
  });
  const { port } = new URL(master.url);
  const socket = connect(Number(port), '127.0.0.1');
  closeAfterTest({ close: () => void socket.destroy() });
  socket.write(
    `POST /api/v1/scheduler HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  const [head] = (await once(socket, 'data')) as [Buffer];
  socket.pause();
  const streamId = /mesos-stream-id: (\S+)/i.exec(head.toString())?.[1] ?? '';
  const id = { value: `${master.masterId}-0000` };
  const tasks = Array.from({ length: 2_000 }, (_, index) => ({
    task_id: { value: `${'x'.repeat(200)}${index}` },
  }));
  // Each call causes 2,000 events; the kernel takes some megabytes before ours have to wait.
  const statuses: number[] = [];
  while (statuses.length < 200 && statuses.at(-1) !== 403) {
    const answer = await postJson(
      `${master.url}/api/v1/scheduler`,
      { type: 'RECONCILE', framework_id: id, reconcile: { tasks } },
      { 'mesos-stream-id': streamId },
    );
    statuses.push(answer.status);
  }
  expect(statuses[0]).toBe(202);
  expect(statuses.at(-1)).toBe(403);
});

test('the oldest operator stream gives way when there are too many', async () => {
  const master = await startTestMaster({ operatorSubscribersMax: 2 });
  const open = async (): Promise<EventStream<masterApi.Event>> => {
    const stream = await openStream(`${master.url}/api/v1`, JSON.stringify({ type: 'SUBSCRIBE' }), {
      type: masterApi.EventType,
      encoding: 'json',
    });
    closeAfterTest(stream);
    await stream.events.find('SUBSCRIBED', ({ type }) => type === 'SUBSCRIBED');
    return stream;
  };
  const [first, second, third] = [await open(), await open(), await open()];
  await first.events.untilEnd();
  expect([second.events.ended, third.events.ended]).toEqual([false, false]);
});

test('a write that fails ends the master before anybody hears of what it was for', async () => {
  const store = openMemoryStore();
  const errors: unknown[] = [];
  const master = await startMaster(
    { port: 0 },
    {
      logger: silentLogger,
      store: { ...store, commit: () => Promise.reject(new Error('disk full')) },
      onFatal: (error) => errors.push(error),
    },
  );
  closeAfterTest(master);
  const agent = await connectAgent(master.url);
  agent.send({
    type: 'REGISTER',
    register: { protocol: 1, version: '1', ip: '127.0.0.1', agent_info: { hostname: 'host' } },
  });
  await agent.frames.untilEnd();
  expect(agent.frames.all).toEqual([]);
  expect(errors).toHaveLength(1);
});

test('a master that is deposed stops', async () => {
  const store = openMemoryStore();
  let depose = (): void => undefined;
  let fail = (_error: unknown): void => undefined;
  const failed = new Promise<unknown>((resolve) => {
    fail = resolve;
  });
  const master = await startMaster(
    { port: 0 },
    {
      logger: silentLogger,
      store: {
        ...store,
        elect: async (...given) => {
          const lease = await store.elect(...given);
          depose = () => void lease.release();
          return lease;
        },
      },
      onFatal: (error) => fail(error),
    },
  );
  closeAfterTest(master);
  depose();
  expect(await failed).toMatchObject({ code: 'MASTER_DEPOSED' });
  await expect(send(`${master.url}/health`)).rejects.toThrow();
});

test('a master whose lease ran out unheard takes nothing in and sends nothing out', async () => {
  const store = openMemoryStore();
  let isHeld = true;
  const errors: unknown[] = [];
  const master = await startMaster(
    { port: 0 },
    {
      logger: silentLogger,
      store: {
        ...store,
        // As for a process that was frozen: the clock says that it is over before any news does.
        elect: async (...given) => ({ ...(await store.elect(...given)), isHeld: () => isHeld }),
      },
      onFatal: (error) => errors.push(error),
    },
  );
  closeAfterTest(master);
  const agent = await connectAgent(master.url);
  isHeld = false;
  expect((await send(`${master.url}/state`)).status).toBe(503);
  expect((await send(`${master.url}/weights`)).status).toBe(503);
  agent.send({
    type: 'REGISTER',
    register: { protocol: 1, version: '1', ip: '127.0.0.1', agent_info: { hostname: 'host' } },
  });
  await agent.frames.untilEnd();
  expect(agent.frames.all).toEqual([]);
  expect(errors).toMatchObject([{ code: 'MASTER_DEPOSED' }]);
  expect((await store.list('')).filter(({ key }) => key.includes('agent'))).toEqual([]);
});

test('every JSON document is also served as a function call, for old pages', async () => {
  const master = await startTestMaster();
  const good = await send(`${master.url}/version?jsonp=cb`);
  expect([good.status, good.headers['content-type']]).toEqual([200, 'text/javascript']);
  expect(good.text).toMatch(/^cb\(\{.*\}\)$/);
  expect((await send(`${master.url}/version?jsonp=alert(1)//`)).status).toBe(400);
});

test('a scheduler that leaves while its subscription is being written down is disconnected', async () => {
  const gate = new Gate();
  const memory = openMemoryStore();
  const commit: Store['commit'] = async (...given) => {
    await gate.pass();
    await memory.commit(...given);
  };
  const master = await startTestMaster({}, { ...memory, commit });
  gate.shut();
  // The first subscription holds up the effects behind it, the opening of the second stream among them.
  const first = subscribe(master);
  const body = JSON.stringify({
    type: 'SUBSCRIBE',
    subscribe: { framework_info: frameworkInfo({ name: 'leaver' }) },
  });
  const socket = connect(Number(new URL(master.url).port), '127.0.0.1');
  await once(socket, 'connect');
  const summary = async (): Promise<readonly { name: string; connected: boolean }[]> =>
    JSON.parse((await send(`${master.url}/frameworks`)).text).frameworks;
  const until = async (what: () => Promise<boolean>): Promise<void> => {
    const deadline = Date.now() + 5_000;
    while (!(await what())) if (Date.now() > deadline) throw new Error('it never came to that');
  };
  await until(async () => (await summary()).length === 1);
  socket.write(
    `POST /api/v1/scheduler HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  await until(async () => (await summary()).length === 2);
  socket.destroy();
  await once(socket, 'close');
  // Round trips, after which the server has seen the end of the other connection.
  await summary();
  await summary();
  gate.open();
  await first;
  await until(async () =>
    (await summary()).every(({ name, connected }) => name !== 'leaver' || !connected),
  );
});

test('a role and a framework can be asked why they have no offer', async () => {
  const master = await startTestMaster();
  const agent = await addAgent(master);
  const holder = await subscribe(master);
  await holder.events.find('OFFERS', ({ type }) => type === 'OFFERS');
  const hungry = await subscribe(master, 'json', frameworkInfo({ name: 'hungry' }));

  const explain = async (query: string): Promise<unknown> => {
    const answer = await send(`${master.url}/api/v1/explain${query}`);
    expect(answer.status).toBe(200);
    return JSON.parse(answer.text);
  };
  expect(await explain('?role=*')).toMatchObject({
    role: '*',
    weight: 1,
    frameworks: [
      { id: holder.id, active: true, outstanding_offers: 1, share: 1 },
      {
        id: hungry.id,
        name: 'hungry',
        share: 0,
        agents_examined: 1,
        agents_that_would_be_offered: 0,
        reasons: [
          {
            reason: 'everything on the agent is offered or used',
            agents: 1,
            example_agent_id: agent.id,
          },
        ],
      },
    ],
  });
  expect(await explain(`?framework=${hungry.id}`)).toMatchObject({
    name: 'hungry',
    connected: true,
    roles: [{ role: '*', framework: { suppressed: false } }],
  });
  expect(await explain('')).toMatchObject({ agents: 1, frameworks: 2, roles: [{ role: '*' }] });
  const quota = { role: 'late', guarantees: { cpus: { value: 1 } } };
  await postJson(`${master.url}/api/v1`, {
    type: 'UPDATE_QUOTA',
    update_quota: { quota_configs: [quota], force: true },
  });
  expect(await explain('?role=late')).toMatchObject({
    role: 'late',
    quota: { guarantees: { cpus: 1 }, consumed: {} },
    frameworks: [],
  });
  for (const query of ['?role=nobody', '?framework=nope'])
    expect((await send(`${master.url}/api/v1/explain${query}`)).status).toBe(404);
  expect((await postJson(`${master.url}/api/v1/explain`, {})).status).toBe(405);
});
