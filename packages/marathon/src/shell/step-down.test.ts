import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Agent as KeepAlive, request as ask, type IncomingMessage } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { openMemoryStore, type Store } from '@dcos/store';
import { Gate, waitFor } from '@dcos/testkit';
import { FakeMaster } from '../testing/fake-master.ts';
import { ELECTION } from './candidacy.ts';
import { marathonConfigSchema } from './config.ts';
import { startMarathon, type RunningMarathon } from './start-marathon.ts';

const AGENTS = [
  { id: 'S0', hostname: '127.0.0.11', cpus: 4, mem: 4096, ports: [31_000, 31_099] as const },
];
const closers: (() => Promise<void> | void)[] = [];
let memory: Store;
let master: FakeMaster;
let failures: unknown[];

beforeEach(() => {
  memory = openMemoryStore();
  master = new FakeMaster(AGENTS);
  failures = [];
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await memory.close();
  expect(failures).toEqual([]);
});

async function start(store = memory): Promise<RunningMarathon> {
  const config = marathonConfigSchema.parse({ httpPort: 0, drainMs: 0, settleMs: 0 });
  const marathon = await startMarathon(config, {
    logger: silentLogger,
    store,
    connect: master.connect,
    onFailure: (error) => failures.push(error),
  });
  closers.push(async () => await marathon.close());
  return marathon;
}

/** Which holds up what is written. */
function slowStore(): { readonly store: Store; readonly gate: Gate } {
  const gate = new Gate();
  const commit: Store['commit'] = async (...given) => {
    await gate.pass();
    await memory.commit(...given);
  };
  return { gate, store: { ...memory, commit } };
}

function keptConnection(): KeepAlive {
  const agent = new KeepAlive({ keepAlive: true, maxSockets: 1 });
  closers.push(() => agent.destroy());
  return agent;
}

interface Answer extends Pick<IncomingMessage, 'headers'> {
  readonly status: number;
  readonly body: string;
}

async function send(
  { url }: Pick<RunningMarathon, 'url'>,
  path: string,
  { body, agent = false }: { readonly body?: object; readonly agent?: KeepAlive | false } = {},
): Promise<Answer> {
  const method = body === undefined ? 'GET' : 'POST';
  const asked = ask(url + path, { method, agent });
  asked.end(body === undefined ? undefined : JSON.stringify(body));
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    body: await text(answer),
  };
}

const app = (id: string): object => ({ id, cmd: 'sleep 1000', cpus: 0.1, mem: 32 });

async function idsOf(marathon: RunningMarathon): Promise<readonly string[]> {
  const { apps } = JSON.parse((await send(marathon, '/v2/apps')).body) as {
    readonly apps: readonly { readonly id: string }[];
  };
  return apps.map(({ id }) => id).toSorted();
}

test('what was taken is answered, what comes later is passed on to the next scheduler', async () => {
  const { store, gate } = slowStore();
  const first = await start(store);
  await first.leading;
  const second = await start(store);
  const agent = keptConnection();
  await send(first, '/ping', { agent });
  const accept = 'text/event-stream';
  const streamed = ask(`${first.url}/v2/events`, { headers: { accept }, agent: false }).end();
  const [stream] = (await once(streamed, 'response')) as [IncomingMessage];
  const streamEnds = text(stream);

  gate.shut();
  const taken = send(first, '/v2/apps', { body: app('/taken') });
  await waitFor('the write', () => gate.waiting > 0);
  const steppedDown = first.stepDown();
  const late = send(first, '/v2/apps', { body: app('/late'), agent });
  gate.open();

  expect(await taken).toMatchObject({ status: 201 });
  const { status, headers } = await late;
  expect([status, headers['x-marathon-via']]).toEqual([201, `1.1 127.0.0.1:${first.port}`]);
  agent.destroy();
  await second.leading;
  expect(await streamEnds).toContain('event: event_stream_attached');
  expect(await idsOf(second)).toEqual(['/late', '/taken']);
  await steppedDown;
  await expect(send(first, '/ping')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('a request whose body comes after the beginning of the end is not taken', async () => {
  const { store, gate } = slowStore();
  const marathon = await start(store);
  await marathon.leading;
  gate.shut();
  const taken = send(marathon, '/v2/apps', { body: app('/taken') });
  await waitFor('the write', () => gate.waiting > 0);
  const body = JSON.stringify(app('/late'));
  const socket = connect(marathon.port, '127.0.0.1');
  socket.write(
    `POST /v2/apps HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n`,
  );
  // Its head has been read when those that came after it are answered.
  for (let count = 0; count < 3; count++) await send(marathon, '/no/such/path');
  const steppedDown = marathon.stepDown();
  socket.write(body);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 503 [^]*dcos-not-taken: nobody-leads/);
  gate.open();
  expect(await taken).toMatchObject({ status: 201 });
  await steppedDown;
});

test('a scheduler that nobody can follow ends as soon as it has answered, and takes nothing', async () => {
  const marathon = await start();
  await marathon.leading;
  await send(marathon, '/ping', { agent: keptConnection() });
  const began = performance.now();
  await marathon.stepDown();
  // Far below what it would wait for.
  expect(performance.now() - began).toBeLessThan(4_000);
  const answer = await send(marathon, '/v2/apps', { body: app('/late') });
  expect([answer.status, answer.headers['dcos-not-taken']]).toEqual([502, 'nobody-leads']);
});

test('one that waits for its turn gives its place up, and passes on until it ends', async () => {
  const leader = await start();
  await leader.leading;
  const standby = await start();
  const agent = keptConnection();
  await send(standby, '/ping', { agent });
  const steppedDown = standby.stepDown();
  await expect(standby.leading).rejects.toMatchObject({ code: 'STORE_CANDIDACY_WITHDRAWN' });
  expect(await memory.candidates(ELECTION)).toEqual([`127.0.0.1:${leader.port}`]);
  expect((await send(standby, '/v2/apps', { body: app('/a'), agent })).status).toBe(201);
  await steppedDown;
});

test('one that still reads what is stored never leads, and lets the next one', async () => {
  const gate = new Gate();
  gate.shut();
  const list: Store['list'] = async (prefix) => {
    await gate.pass();
    return await memory.list(prefix);
  };
  const first = await start({ ...memory, list });
  await waitFor('its election', () => gate.waiting > 0);
  const second = await start();
  const steppedDown = first.stepDown();
  await second.leading;
  gate.open();
  await steppedDown;
  expect(await idsOf(second)).toEqual([]);
  expect(master.frameworks).toHaveLength(1);
});

test('one that is closed while it steps down does not wait any more', async () => {
  const { store, gate } = slowStore();
  const marathon = await start(store);
  await marathon.leading;
  gate.shut();
  const taken = send(marathon, '/v2/apps', { body: app('/taken') }).catch(() => undefined);
  await waitFor('the write', () => gate.waiting > 0);
  const steppedDown = marathon.stepDown();
  const closed = marathon.close();
  await steppedDown;
  gate.open();
  await closed;
  await taken;
});

test('one whose lease is lost while it carries out what it took fails', async () => {
  const { store, gate } = slowStore();
  const marathon = await start(store);
  await marathon.leading;
  gate.shut();
  const taken = send(marathon, '/v2/apps', { body: app('/taken') }).catch(() => undefined);
  await waitFor('the write', () => gate.waiting > 0);
  const steppedDown = marathon.stepDown();
  // As when the session in the store expires.
  await store.close();
  await waitFor('the failure', () => failures.length > 0);
  expect(failures).toMatchObject([{ code: 'MARATHON_LEADERSHIP_LOST' }]);
  const closed = marathon.close();
  gate.open();
  await Promise.all([steppedDown, closed, taken]);
  // The write that was held up has failed too.
  failures.length = 0;
});

test.each([
  { what: 'refuses the connection', listens: false, mark: 'nobody-leads', status: 502 },
  { what: 'breaks it without an answer', listens: true, mark: undefined, status: 500 },
])('the answer of a standby whose leader $what', async ({ listens, mark, status }) => {
  const server = createServer((socket) => socket.once('data', () => socket.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const closed = async (): Promise<void> => {
    server.close();
    await once(server, 'close');
  };
  if (listens) closers.push(closed);
  else await closed();
  await memory.elect(ELECTION, `127.0.0.1:${port}`);
  const answer = await send(await start(), '/v2/apps', { body: app('/a') });
  expect([answer.status, answer.headers['dcos-not-taken']]).toEqual([status, mark]);
});
