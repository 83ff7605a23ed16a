import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { openMemoryStore, type Store } from '@dcos/store';
import { Gate, waitFor } from '@dcos/testkit';
import { masterApi, scheduler } from '@dcos/wire';
import { openStream, postJson, registerAgent, send, type Answer } from '../testing/http-client.ts';
import { closeAfterTest, startTestMaster } from '../testing/running-master.ts';
import { frameworkInfo } from '../testing/world.ts';
import type { MasterConfig } from './config.ts';
import { serveMaster, type ServingMaster } from './start-master.ts';

const WEIGHTS = JSON.stringify([{ role: 'dev', weight: 2 }]);
const NOT_TAKEN = { status: 503, headers: { 'dcos-not-taken': 'nobody-leads' } };

/** One of several masters, which share a store; it may never lead. */
async function serve(store: Store, config: MasterConfig = {}): Promise<ServingMaster> {
  const deps = { logger: silentLogger, store };
  return closeAfterTest(await serveMaster({ port: 0, ...config }, deps));
}

/** A store whose writes, or whose lists, a gate holds up. */
function gated(kind: 'commit' | 'list'): { readonly store: Store; readonly gate: Gate } {
  const memory = openMemoryStore();
  const gate = new Gate();
  const held: Partial<Store> =
    kind === 'commit'
      ? {
          async commit(...given) {
            await gate.pass();
            await memory.commit(...given);
          },
        }
      : {
          async list(prefix) {
            await gate.pass();
            return await memory.list(prefix);
          },
        };
  return { gate, store: { ...memory, ...held } };
}

const putWeights = (url: string): Promise<Answer> =>
  send(`${url}/weights`, { method: 'PUT', body: WEIGHTS });

function keepingConnection(): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  closeAfterTest({ close: () => agent.destroy() });
  return agent;
}

test.each([
  ['GET', '/state'],
  ['GET', '/redirect'],
  ['POST', '/api/v1'],
  ['POST', '/master/api/v1/scheduler'],
  ['PUT', '/weights'],
])('while nobody leads the answer to %s %s says that nothing was done', async (method, path) => {
  const nobody = { ...openMemoryStore(), elect: () => new Promise<never>(() => undefined) };
  const { url } = await serve(nobody);
  expect(await send(url + path, { method, body: '' })).toMatchObject({
    ...NOT_TAKEN,
    text: 'No leader elected',
  });
});

test('so does that of a master that reads the registry, and it leads no more when it is asked to end', async () => {
  const { store, gate } = gated('list');
  gate.shut();
  const master = await serve(store);
  await waitFor('its election', () => gate.waiting > 0);
  expect(await send(`${master.url}/state`)).toMatchObject({
    ...NOT_TAKEN,
    text: 'Master has not finished recovery',
  });
  const next = await serve(store);
  const steppedDown = master.stepDown();
  await waitFor('the next', () => gate.waiting > 1);
  gate.open();
  await next.leading;
  await expect(master.leading).rejects.toMatchObject({ code: 'MASTER_CLOSED' });
  expect(master.snapshot()).toBeUndefined();
  await steppedDown;
});

test('what was taken is answered, what comes later is not taken, and then the next master leads', async () => {
  const { store, gate } = gated('commit');
  const master = await serve(store);
  await master.leading;
  const next = await serve(store);
  const agent = keepingConnection();
  await send(`${master.url}/health`, { agent });
  const operator = await openStream(`${master.url}/api/v1`, JSON.stringify({ type: 'SUBSCRIBE' }), {
    type: masterApi.EventType,
    encoding: 'json',
  });
  const framework = await openStream(
    `${master.url}/api/v1/scheduler`,
    JSON.stringify({ type: 'SUBSCRIBE', subscribe: { framework_info: frameworkInfo() } }),
    { type: scheduler.EventType, encoding: 'json' },
  );
  await framework.events.find('SUBSCRIBED', ({ type }) => type === 'SUBSCRIBED');
  const mesosAgent = await registerAgent(master.url, { agent_info: { hostname: 'host' } });
  gate.shut();
  const taken = putWeights(master.url);
  await waitFor('the write', () => gate.waiting > 0);

  const steppedDown = master.stepDown();
  expect(await putWeights(master.url)).toMatchObject({ ...NOT_TAKEN, text: 'No leader elected' });
  expect(await send(`${master.url}/state`)).toMatchObject(NOT_TAKEN);
  expect((await send(`${master.url}/health`)).status).toBe(200);
  expect(operator.events.ended || framework.events.ended).toBe(false);
  gate.open();
  expect((await taken).status).toBe(200);

  await next.leading;
  const answer = await send(`${master.url}/state?a=b`, { agent });
  expect([answer.status, answer.headers.location]).toEqual([
    307,
    `${next.url.slice('http:'.length)}/state?a=b`,
  ]);
  expect(answer.headers.connection).toBe('close');
  for (const { events } of [operator, framework]) await events.untilEnd();
  await mesosAgent.frames.untilEnd();
  await steppedDown;
  await expect(send(`${master.url}/health`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(JSON.parse((await send(`${next.url}/weights`)).text)).toEqual(JSON.parse(WEIGHTS));
});

test('a request whose body comes after the beginning of the end is not taken', async () => {
  const { store, gate } = gated('commit');
  const master = await startTestMaster({}, store);
  gate.shut();
  const taken = putWeights(master.url);
  await waitFor('the write', () => gate.waiting > 0);
  const socket = connect(master.port, '127.0.0.1');
  closeAfterTest({ close: () => void socket.destroy() });
  socket.write(
    `PUT /weights HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: ${WEIGHTS.length}\r\n\r\n`,
  );
  await seen(socket, master);
  const steppedDown = master.stepDown();
  socket.write(WEIGHTS);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 503 [^]*dcos-not-taken: nobody-leads/);
  gate.open();
  expect((await taken).status).toBe(200);
  await steppedDown;
});

/** Resolves when the server has read what a connection has sent so far: others after it have been answered. */
async function seen(socket: Socket, { url }: { readonly url: string }): Promise<void> {
  if (socket.connecting) await once(socket, 'connect');
  for (let count = 0; count < 3; count++) await send(`${url}/health`);
}

test('calls that are held back by their rate are not taken', async () => {
  const limits = [{ principal: 'slow', qps: 0.001 }];
  const master = await startTestMaster({ rateLimits: JSON.stringify({ limits }) });
  const framework_info = frameworkInfo({ principal: 'slow' });
  const call = { type: 'SUBSCRIBE', subscribe: { framework_info } };
  const { events } = await openStream(`${master.url}/api/v1/scheduler`, JSON.stringify(call), {
    type: scheduler.EventType,
    encoding: 'json',
  });
  const subscribed = await events.find('SUBSCRIBED', ({ type }) => type === 'SUBSCRIBED');
  const { framework_id } = subscribed.subscribed ?? {};
  const waiting = postJson(`${master.url}/api/v1/scheduler`, { type: 'REVIVE', framework_id });
  const received = 'frameworks/slow/messages_received';
  await waitFor('the call', async () => {
    const { text: snapshot } = await send(`${master.url}/metrics/snapshot`);
    return (JSON.parse(snapshot) as Readonly<Record<string, number>>)[received] === 2;
  });
  await master.stepDown();
  expect(await waiting).toMatchObject(NOT_TAKEN);
});

test('a master that nobody can follow ends as soon as it has answered, whoever keeps a connection', async () => {
  const master = await startTestMaster();
  await send(`${master.url}/state`, { agent: keepingConnection() });
  const began = performance.now();
  await master.stepDown();
  // Far below what it would wait for.
  expect(performance.now() - began).toBeLessThan(4_000);
  expect(await send(`${master.url}/state`)).toMatchObject(NOT_TAKEN);
});

test('a master that waits for its turn gives its place up, and sends on who has a connection', async () => {
  const store = openMemoryStore();
  const leader = await serve(store);
  await leader.leading;
  const standby = await serve(store);
  const agent = keepingConnection();
  const elsewhere = async (): Promise<string | undefined> =>
    (await send(`${standby.url}/state`, { agent })).headers.location;
  expect(await elsewhere()).toBe(`//127.0.0.1:${leader.port}/state`);
  const steppedDown = standby.stepDown();
  await expect(standby.leading).rejects.toMatchObject({ code: 'STORE_CANDIDACY_WITHDRAWN' });
  expect(await store.candidates('master')).toHaveLength(1);
  expect(await elsewhere()).toBe(`//127.0.0.1:${leader.port}/state`);
  await steppedDown;
});

test('a master that is closed while it steps down does not wait any more', async () => {
  const { store, gate } = gated('commit');
  const master = await startTestMaster({}, store);
  gate.shut();
  const taken = putWeights(master.url);
  await waitFor('the write', () => gate.waiting > 0);
  const steppedDown = master.stepDown();
  await master.close();
  await steppedDown;
  await taken.catch(() => undefined);
  gate.open();
});

test('a master whose lease is lost while it finishes what it took fails', async () => {
  const { store, gate } = gated('commit');
  const failures: unknown[] = [];
  const onFatal = (error: unknown): void => void failures.push(error);
  const deps = { logger: silentLogger, store, onFatal };
  const master = closeAfterTest(await serveMaster({ port: 0 }, deps));
  await master.leading;
  gate.shut();
  const taken = putWeights(master.url).catch(() => undefined);
  await waitFor('the write', () => gate.waiting > 0);
  const steppedDown = master.stepDown();
  // As when the session in the store expires.
  await store.close();
  await waitFor('the failure', () => failures.length > 0);
  expect(failures).toMatchObject([{ code: 'MASTER_DEPOSED' }]);
  await Promise.all([steppedDown, taken]);
  gate.open();
});
