import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { decodeAs, encode, masterApi, MEDIA_TYPES, type Encoding } from '@dcos/wire';
import {
  registerAgent,
  openStream,
  postJson,
  send,
  type EventStream,
  type FakeAgent,
} from '../testing/http-client.ts';
import { closeAfterTest, startTestMaster } from '../testing/running-master.ts';
import { resources } from '../testing/world.ts';
import { type RunningMaster } from './start-master.ts';

type Stream = EventStream<masterApi.Event>;

async function subscribe(
  master: RunningMaster,
  lastEvent?: string,
  encoding: Encoding = 'json',
): Promise<Stream> {
  const call: masterApi.Call = { type: 'SUBSCRIBE' };
  const body = encoding === 'json' ? JSON.stringify(call) : encode(masterApi.CallType, call);
  const stream = await openStream(`${master.url}/api/v1`, body, {
    type: masterApi.EventType,
    encoding,
    ...(lastEvent !== undefined && { headers: { 'Mesos-Last-Event-Sequence': lastEvent } }),
  });
  closeAfterTest(stream);
  await stream.events.find('HEARTBEAT', ({ type }) => type === 'HEARTBEAT');
  return stream;
}

async function register(master: RunningMaster, hostname: string): Promise<FakeAgent> {
  return closeAfterTest(
    await registerAgent(master.url, {
      agent_info: { hostname, resources: resources({ cpus: 4, mem: 4096 }) },
    }),
  );
}

const hostOf = (event: masterApi.Event): string | undefined =>
  event.agent_added?.agent.agent_info.hostname;

async function added(stream: Stream, hostname: string): Promise<masterApi.Event> {
  return await stream.events.find(hostname, (event) => hostOf(event) === hostname);
}

/** Types and numbers of what arrived, and which hosts. */
const seen = (stream: Stream): readonly (readonly unknown[])[] =>
  stream.events.all.map((event) => [event.type, event.sequence, hostOf(event)]);

function hostsOfSnapshot(stream: Stream): readonly string[] {
  const agents = stream.events.all[0]?.subscribed?.get_state?.get_agents?.agents ?? [];
  return agents.map(({ agent_info }) => agent_info.hostname);
}

describe.each<Encoding>(['json', 'protobuf'])('a subscriber that comes back (%s)', (encoding) => {
  test('gets what it missed instead of a snapshot', async () => {
    const master = await startTestMaster();
    await register(master, 'a');
    const first = await subscribe(master, '0', encoding);
    expect(first.headers['mesos-event-sequence']).toBe(`${master.masterId}:1`);
    expect(first.headers['mesos-event-stream-resumed']).toBe('false');
    await register(master, 'b');
    await added(first, 'b');
    expect(seen(first)).toEqual([
      ['SUBSCRIBED', 1, undefined],
      ['HEARTBEAT', undefined, undefined],
      ['AGENT_ADDED', 2, 'b'],
    ]);
    first.close();
    await register(master, 'c');
    const second = await subscribe(master, `${master.masterId}:2`, encoding);
    expect(second.headers['mesos-event-sequence']).toBe(`${master.masterId}:2`);
    expect(second.headers['mesos-event-stream-resumed']).toBe('true');
    await register(master, 'd');
    await added(second, 'd');
    expect(seen(second)).toEqual([
      ['HEARTBEAT', undefined, undefined],
      ['AGENT_ADDED', 3, 'c'],
      ['AGENT_ADDED', 4, 'd'],
    ]);
  });
});

test.each([
  { what: 'events that it missed are no longer kept', position: (id: string) => `${id}:0` },
  { what: 'the number is of the future', position: (id: string) => `${id}:9` },
  { what: 'the number is of another master', position: () => 'somebody-else:3' },
])('a subscriber begins with a snapshot when $what', async ({ position }) => {
  const master = await startTestMaster({ operatorEventsKeptMax: 2 });
  for (const name of ['a', 'b', 'c']) await register(master, name);
  const stream = await subscribe(master, position(master.masterId));
  expect(stream.headers['mesos-event-sequence']).toBe(`${master.masterId}:3`);
  expect(stream.headers['mesos-event-stream-resumed']).toBe('false');
  expect(hostsOfSnapshot(stream)).toEqual(['a', 'b', 'c']);
  expect(stream.events.all[0]?.sequence).toBe(3);
});

test('clients of the original see neither numbers nor headers', async () => {
  const master = await startTestMaster();
  const stream = await subscribe(master);
  await register(master, 'a');
  await added(stream, 'a');
  expect(stream.events.all.map(({ sequence }) => sequence)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(Object.keys(stream.headers).filter((name) => name.startsWith('mesos-'))).toEqual([]);
});

test.each<Encoding>(['json', 'protobuf'])('a big answer arrives whole (%s)', async (encoding) => {
  const master = await startTestMaster();
  // Not ASCII, so that a piece cut in the middle of a character would show.
  const hosts = Array.from({ length: 30 }, (_, index) => `${'größer☕'.repeat(1_000)}-${index}`);
  for (const host of hosts) await register(master, host);
  const answer = await send(`${master.url}/api/v1`, {
    method: 'POST',
    headers: { 'content-type': MEDIA_TYPES.json, accept: MEDIA_TYPES[encoding] },
    body: JSON.stringify({ type: 'GET_STATE' }),
  });
  const state = decodeAs(encoding, masterApi.ResponseType, answer.body, (bytes) =>
    Buffer.from(bytes).toString(),
  );
  const agents = state.get_state?.get_agents?.agents ?? [];
  expect(answer.headers['content-type']).toBe(MEDIA_TYPES[encoding]);
  expect(agents.map(({ agent_info }) => agent_info.hostname)).toEqual(hosts);
});

test('a position that is none is refused', async () => {
  const master = await startTestMaster();
  const answer = await postJson(
    `${master.url}/api/v1`,
    { type: 'SUBSCRIBE' },
    { 'mesos-last-event-sequence': '17' },
  );
  expect([answer.status, answer.text]).toEqual([
    400,
    "Expecting 'Mesos-Last-Event-Sequence' to be '<master id>:<number>', or '0' to begin",
  ]);
});

test('subscribers that come while much happens get each event once, in order', async () => {
  const master = await startTestMaster();
  const early = await subscribe(master, '0');
  const streams: Stream[] = [];
  for (let index = 0; index < 20; index++) {
    void register(master, `host-${index}`).catch(() => undefined);
    streams.push(await subscribe(master, '0'));
  }
  await register(master, 'last');
  for (const stream of [early, ...streams]) {
    await added(stream, 'last');
    const numbers = stream.events.all
      .map(({ sequence }) => sequence)
      .filter((sequence) => sequence !== undefined);
    const [snapshot = -1] = numbers;
    expect(hostsOfSnapshot(stream)).toHaveLength(snapshot);
    expect(numbers).toEqual(Array.from({ length: 22 - snapshot }, (_, index) => snapshot + index));
  }
});

test('a subscriber that does not read its snapshot is cut when too much waits, others go on', async () => {
  const master = await startTestMaster({ streamBufferedBytesMax: 200_000 });
  // More than the kernel takes for a reader that does not read.
  const padding = 'x'.repeat(400_000);
  for (let index = 0; index < 40; index++) await register(master, `${padding}-${index}`);
  const slow = await subscribeSilently(master);
  const closed = new Promise<void>((resolve) => slow.on('close', () => resolve()));
  const good = await subscribe(master);
  for (let index = 0; index < 100; index++) await register(master, `${'y'.repeat(4_000)}-${index}`);
  slow.resume();
  await closed;
  await register(master, 'last');
  await added(good, 'last');
  expect(good.events.ended).toBe(false);
});

async function subscribeSilently(master: RunningMaster): Promise<Socket> {
  const body = JSON.stringify({ type: 'SUBSCRIBE' });
  const socket = connect(Number(new URL(master.url).port), '127.0.0.1');
  closeAfterTest({ close: () => void socket.destroy() });
  socket.on('error', () => undefined);
  socket.write(
    `POST /api/v1 HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  await new Promise((resolve) => socket.once('data', resolve));
  socket.pause();
  return socket;
}
