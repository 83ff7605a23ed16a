/**
 * A real master under random calls, valid by the schema or damaged: it never answers 5xx but the documented
 * 501, never dies, and a call that it refuses changes nothing.
 */

import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger, toUtf8, type Clock } from '@dcos/base';
import { openMemoryStore } from '@dcos/store';
import {
  decode,
  encode,
  masterApi,
  MEDIA_TYPES,
  scheduler,
  toJsonText,
  type Encoding,
  type MessageType,
} from '@dcos/wire';
import { messageArbitrary } from '@dcos/wire/testing/message-arbitrary';
import {
  registerAgent,
  openStream,
  postJson,
  send,
  type EventStream,
  type FakeAgent,
} from '../testing/http-client.ts';
import { frameworkInfo, resources } from '../testing/world.ts';
import { startMaster, type RunningMaster } from './start-master.ts';

/** Texts that stand for what exists at the time of the call. */
const NAMES = ['@framework', '@agent', '@offer'] as const;
const TEXTS = [...NAMES, 'cpus', 'mem', 'ports', '*', 'web', 't1', 't2', '/'];

interface Live {
  readonly stream: EventStream<scheduler.Event>;
  readonly agent: FakeAgent;
  readonly frameworkId: string;
  readonly streamId: string;
  readonly agentId: string;
}

/**
 * No period ever ends, so that nothing changes but by calls; what is due at once comes before the next request
 * is read.
 */
const stoppedClock: Clock = {
  now: () => 1_000_000,
  monotonicMs: () => 0,
  setTimer(delayMs, action) {
    if (delayMs > 0) return () => undefined;
    const pending = setImmediate(action);
    return () => clearImmediate(pending);
  },
};

let master: RunningMaster;
let fatal: unknown;
let live: Live | undefined;

beforeEach(async () => {
  fatal = undefined;
  live = undefined;
  master = await startMaster(
    { port: 0 },
    {
      logger: silentLogger,
      clock: stoppedClock,
      store: openMemoryStore(),
      onFatal: (error) => {
        fatal = error;
      },
    },
  );
});
afterEach(async () => {
  live?.stream.close();
  live?.agent.close();
  await master.close();
});

/** A framework with an offer of an agent, made anew when a call ended one of them. */
async function ensureLive(): Promise<Live> {
  if (live !== undefined && !live.stream.events.ended && !live.agent.frames.ended) {
    // What was refused is offered again.
    const call = { type: 'REVIVE', framework_id: { value: live.frameworkId } };
    const headers = { 'mesos-stream-id': live.streamId };
    const { status } = await postJson(`${master.url}/api/v1/scheduler`, call, headers);
    if (status === 202) return live;
  }
  live?.stream.close();
  live?.agent.close();
  const body = JSON.stringify({
    type: 'SUBSCRIBE',
    subscribe: { framework_info: frameworkInfo({ roles: ['*', 'web'] }) },
  });
  const options = { type: scheduler.EventType, encoding: 'json' } as const;
  const stream = await openStream(`${master.url}/api/v1/scheduler`, body, options);
  const subscribed = await stream.events.find('SUBSCRIBED', ({ type }) => type === 'SUBSCRIBED');
  const agent = await registerAgent(master.url, {
    agent_info: {
      hostname: 'host',
      resources: resources({ cpus: 64, mem: 65_536, ports: [31_000, 31_100] }),
    },
  });
  await stream.events.find('OFFERS', ({ type }) => type === 'OFFERS');
  live = {
    stream,
    agent,
    frameworkId: subscribed.subscribed?.framework_id.value ?? '',
    streamId: String(stream.headers['mesos-stream-id']),
    agentId: agent.id,
  };
  return live;
}

/** The call with names of what exists. */
function named<T>(value: T, { frameworkId, agentId, stream }: Live): T {
  const offer = stream.events.all.findLast(({ type }) => type === 'OFFERS')?.offers?.offers?.at(-1);
  const texts = new Map<string, string>([
    ['@framework', frameworkId],
    ['@agent', agentId],
    ['@offer', offer?.id.value ?? 'none'],
  ]);
  const walk = (item: unknown): unknown => {
    if (typeof item === 'string') return texts.get(item) ?? item;
    if (Array.isArray(item)) return item.map(walk);
    if (typeof item !== 'object' || item === null || item instanceof Uint8Array) return item;
    return Object.fromEntries(Object.entries(item).map(([key, inner]) => [key, walk(inner)]));
  };
  return walk(value) as T;
}

/** What the master holds, as text. */
async function view(): Promise<string> {
  const parts = await Promise.all(
    ['/state', '/weights', '/roles'].map(async (path) => (await send(master.url + path)).text),
  );
  return parts.join('\n');
}

/** How the bytes of a call are changed on their way. */
type Damage = readonly (readonly [at: number, byte: number])[];
const damage: fc.Arbitrary<Damage> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Damage>([]) },
  { weight: 1, arbitrary: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }) },
);
const encodings = fc.constantFrom<Encoding>('json', 'protobuf');

async function checkCall(
  path: string,
  call: { readonly bytes: Uint8Array; readonly encoding: Encoding; readonly damage: Damage },
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const bytes = Uint8Array.from(call.bytes);
  for (const [at, byte] of call.damage) if (bytes.length > 0) bytes[at % bytes.length] = byte;
  // An answer that does not end is another test's business.
  if (call.encoding === 'protobuf' && isSubscribe(bytes)) return;
  const before = await view();
  const answer = await send(master.url + path, {
    method: 'POST',
    headers: { 'content-type': MEDIA_TYPES[call.encoding], ...headers },
    body: bytes,
  });
  expect(fatal).toBeUndefined();
  expect([200, 202, 400, 403, 404, 406, 501], answer.text).toContain(answer.status);
  if (answer.status >= 400) expect(await view()).toBe(before);
  else expect(await view()).not.toBe('');
}

function isSubscribe(bytes: Uint8Array): boolean {
  try {
    return decode(masterApi.CallType, bytes).type === 'SUBSCRIBE';
  } catch {
    return false;
  }
}

function bytesOf<T>(type: MessageType<T>, call: T, encoding: Encoding): Uint8Array {
  return encoding === 'json' ? toUtf8(toJsonText(type, call)) : encode(type, call);
}

/** The message name of the part of a type: `ACCEPT` has `Call.Accept`. */
function partOf(api: string, type: string): MessageType<object> {
  const words = type.split('_').map((word) => word.charAt(0) + word.slice(1).toLowerCase());
  return { name: `mesos.v1.${api}.Call.${words.join('')}` };
}

function callsOf(api: string, bare: readonly string[], withPart: readonly string[]) {
  const options = { texts: TEXTS, oddNumbers: true, depthMax: 5 };
  const parts = fc.constantFrom(...withPart).chain((type) =>
    messageArbitrary(partOf(api, type), options).map((part) => ({
      type,
      [type.toLowerCase()]: part,
    })),
  );
  return fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom(...bare).map((type) => ({ type })) },
    { weight: 8, arbitrary: parts },
  );
}

/** Launches on the offer that there is, of tasks that are right in the parts that matter or not. */
const LAUNCHES = fc
  .tuple(
    messageArbitrary<object>({ name: 'mesos.v1.TaskInfo' }, { texts: TEXTS, oddNumbers: true }),
    fc.record(
      {
        task_id: fc.nat(20).map((number) => ({ value: `t${number}` })),
        agent_id: fc.constant({ value: '@agent' }),
        resources: fc
          .tuple(fc.double({ min: 0.001, max: 1 }), fc.nat(64))
          .map(([cpus, mem]) => resources({ cpus, mem })),
        command: fc.constant({ value: 'true' }),
        executor: fc.constant(undefined),
        health_check: fc.constant(undefined),
        check: fc.constant(undefined),
        limits: fc.constant(undefined),
      },
      { requiredKeys: ['task_id', 'agent_id'] },
    ),
    fc.double(),
  )
  .map(([any, valid, refuse_seconds]) => ({
    type: 'ACCEPT',
    accept: {
      offer_ids: [{ value: '@offer' }],
      operations: [{ type: 'LAUNCH', launch: { task_infos: [{ ...any, ...valid }] } }],
      filters: { refuse_seconds },
    },
  }));

const SCHEDULER_CALLS = callsOf(
  'scheduler',
  ['TEARDOWN', 'REVIVE', 'SUPPRESS', 'UNKNOWN', 'ACCEPT', 'KILL'],
  [
    'ACCEPT',
    'ACCEPT',
    'ACCEPT',
    'DECLINE',
    'ACCEPT_INVERSE_OFFERS',
    'DECLINE_INVERSE_OFFERS',
    'REVIVE',
    'SUPPRESS',
    'KILL',
    'SHUTDOWN',
    'ACKNOWLEDGE',
    'ACKNOWLEDGE_OPERATION_STATUS',
    'RECONCILE',
    'RECONCILE_OPERATIONS',
    'MESSAGE',
    'REQUEST',
    'UPDATE_FRAMEWORK',
    'UPDATE_FRAMEWORK',
  ],
);

test('scheduler calls of all kinds', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(SCHEDULER_CALLS, LAUNCHES), encodings, damage, async (...given) => {
      const [call, encoding, bites] = given;
      const now = await ensureLive();
      const known = named({ framework_id: { value: '@framework' }, ...call }, now);
      const bytes = bytesOf(scheduler.CallType, known as scheduler.Call, encoding);
      const headers = { 'mesos-stream-id': now.streamId };
      await checkCall('/api/v1/scheduler', { bytes, encoding, damage: bites }, headers);
    }),
    { numRuns: 500 },
  );
});

const OPERATOR_CALLS = callsOf(
  'master',
  ['UNKNOWN', 'GET_STATE', 'GET_AGENTS', 'GET_OPERATIONS', 'GET_QUOTA', 'TEARDOWN', 'DRAIN_AGENT'],
  [
    'GET_METRICS',
    'SET_LOGGING_LEVEL',
    'LIST_FILES',
    'READ_FILE',
    'UPDATE_WEIGHTS',
    'UPDATE_WEIGHTS',
    'RESERVE_RESOURCES',
    'UNRESERVE_RESOURCES',
    'CREATE_VOLUMES',
    'DESTROY_VOLUMES',
    'GROW_VOLUME',
    'SHRINK_VOLUME',
    'UPDATE_MAINTENANCE_SCHEDULE',
    'START_MAINTENANCE',
    'STOP_MAINTENANCE',
    'DRAIN_AGENT',
    'DEACTIVATE_AGENT',
    'REACTIVATE_AGENT',
    'UPDATE_QUOTA',
    'SET_QUOTA',
    'REMOVE_QUOTA',
    'TEARDOWN',
    'MARK_AGENT_GONE',
  ],
);

test('operator calls of all kinds', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(OPERATOR_CALLS, encodings, damage, async (call, encoding, bites) => {
      const known = named(call, await ensureLive());
      const bytes = bytesOf(masterApi.CallType, known as masterApi.Call, encoding);
      await checkCall('/api/v1', { bytes, encoding, damage: bites }, {});
    }),
    { numRuns: 300 },
  );
});

test('subscriptions of any frameworks', { timeout: 120_000 }, async () => {
  const info = messageArbitrary<object>(
    { name: 'mesos.v1.FrameworkInfo' },
    { texts: TEXTS, oddNumbers: true },
  );
  const types = fc.constantFrom('SUBSCRIBE', 'SUBSCRIBE', 'KILL');
  await fc.assert(
    fc.asyncProperty(info, types, encodings, async (framework_info, type, encoding) => {
      const call = { type, subscribe: { framework_info } } as scheduler.Call;
      const bytes = bytesOf(scheduler.CallType, call, encoding);
      const options = { type: scheduler.EventType, encoding };
      const stream = await openStream(`${master.url}/api/v1/scheduler`, bytes, options);
      expect([200, 400]).toContain(stream.status);
      if (stream.status === 200) {
        await stream.events.find('an answer', (event) =>
          ['SUBSCRIBED', 'ERROR'].includes(event.type ?? ''),
        );
      }
      stream.close();
      expect(fatal).toBeUndefined();
      expect((await send(`${master.url}/health`)).status).toBe(200);
    }),
    { numRuns: 200 },
  );
});
