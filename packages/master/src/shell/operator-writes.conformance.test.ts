/**
 * What an operator did to the original, in the recorded order, done to ours: same status, same text, same
 * shape. Steps that the recording leaves out are played where they belong.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { present, silentLogger } from '@dcos/base';
import { openMemoryStore } from '@dcos/store';
import {
  recordings,
  recordingsFacility,
  shapeDifferences,
  waitFor,
  type Recording,
} from '@dcos/testkit';
import { scheduler } from '@dcos/wire';
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

/** Keys of the original that ours has not, by design. */
const IGNORED: ReadonlySet<string> = new Set([
  // The version control data of a build; ours is not built from a checkout.
  'git_sha',
  'git_branch',
  // Our log goes to the standard error stream.
  'log_dir',
  // Settings differ by nature.
  'flags',
  // Completed frameworks and tasks of earlier recordings.
  'completed_frameworks',
  // Tasks of earlier recordings.
  'tasks',
]);

/** Exchanges that are not played, with the reason. */
const LEFT_OUT: ReadonlyMap<RegExp, string> = new Map([
  [/^1[5-8]\d-agent|^19[4-8]|^20[0-4]/, 'asked of the agent'],
  [/^1\d\d-master|^0?[468]-weights|^10[68]-/, 'played in conformance.test.ts'],
  [/^(48|50|96)-.*agent/, 'asked of the agent'],
  [/^130-|^142-/, 'help pages and a profiler inside the process: not built in'],
]);

const RECORDED_AGENT = 'd8170191-1170-4bdf-b23c-f88c2f67a93d-S0';
const CAPABILITIES = [
  'MULTI_ROLE',
  'HIERARCHICAL_ROLE',
  'RESERVATION_REFINEMENT',
  'RESIZE_VOLUME',
  'AGENT_OPERATION_FEEDBACK',
  'AGENT_DRAINING',
] as const;

const OPS = [{ type: 'DYNAMIC', role: 'dev', principal: 'ops' }] as const;

let master: RunningMaster;
let agent: FakeAgent & { id: string };
let framework: EventStream<scheduler.Event> & { readonly id: string; readonly streamId: string };
const answered = new Set<object>();

beforeAll(async () => {
  master = await startMaster(
    { port: 0, hostname: 'localhost', cluster: 'reference' },
    { logger: silentLogger, store: openMemoryStore() },
  );
  await addAgent();
  framework = await subscribe();
});

afterAll(async () => {
  framework.close();
  agent.close();
  await master.close();
});

async function addAgent(id?: string): Promise<void> {
  agent = await registerAgent(master.url, {
    capabilities: CAPABILITIES.map((type) => ({ type })),
    agent_info: {
      hostname: 'localhost',
      port: 5051,
      resources: resources({ cpus: 4, mem: 4096, disk: 8192, ports: [31_000, 32_000] }),
      attributes: [
        { name: 'rack', type: 'TEXT', text: { value: 'r1' } },
        { name: 'zone', type: 'TEXT', text: { value: 'z1' } },
      ],
      ...(id !== undefined && { id: { value: id } }),
    },
    ...(id !== undefined && {
      total_resources: [
        ...resources({ cpus: 4, mem: 4032, disk: 8192, ports: [31_000, 32_000] }),
        ...resources({ mem: 64 }).map((resource) => ({ ...resource, reservations: OPS })),
      ],
    }),
  });
}

async function subscribe(): Promise<typeof framework> {
  const call = { type: 'SUBSCRIBE', subscribe: { framework_info: frameworkInfo() } };
  const stream = await openStream(`${master.url}/api/v1/scheduler`, JSON.stringify(call), {
    type: scheduler.EventType,
    encoding: 'json',
  });
  const event = await stream.events.find('SUBSCRIBED', ({ type }) => type === 'SUBSCRIBED');
  await stream.events.find('OFFERS', ({ type }) => type === 'OFFERS');
  return {
    ...stream,
    id: present(event.subscribed, 'subscribed').framework_id.value,
    streamId: String(stream.headers['mesos-stream-id']),
  };
}

/** The agent carries out what it was told since the last step. */
function carryOut(): void {
  for (const frame of agent.frames.all) {
    const operation = frame.apply_operation;
    if (operation === undefined || answered.has(frame)) continue;
    answered.add(frame);
    agent.send({
      type: 'OPERATION_UPDATE',
      operation_update: {
        operation_uuid: operation.operation_uuid,
        status: { state: 'OPERATION_FINISHED' },
      },
    });
  }
}

async function operator(call: object): Promise<void> {
  const answer = await postJson(`${master.url}/api/v1`, call, { accept: 'application/json' });
  expect([call, answer.status, answer.text]).toEqual([call, 200, '']);
}

/** Answers the newest inverse offer. */
async function answerInverse(type: 'accept' | 'decline'): Promise<void> {
  const offers = await waitFor('an inverse offer that was not answered', () => {
    const all = framework.events.all.flatMap((event) => event.inverse_offers?.inverse_offers ?? []);
    return all.filter((offer) => !answered.has(offer)).at(-1);
  });
  answered.add(offers);
  const part = `${type}_inverse_offers`;
  const answer = await postJson(
    `${master.url}/api/v1/scheduler`,
    {
      framework_id: { value: framework.id },
      type: part.toUpperCase(),
      [part]: { inverse_offer_ids: [offers.id], filters: { refuse_seconds: 0 } },
    },
    { 'mesos-stream-id': framework.streamId },
  );
  expect(answer.status).toBe(202);
}

const WINDOW = {
  machine_ids: [{ hostname: 'localhost', ip: '127.0.0.1' }],
  unavailability: {
    start: { nanoseconds: 1_795_182_289_000_000_000 },
    duration: { nanoseconds: 600_000_000_000 },
  },
};

/** What happened between the recorded exchanges, before the one of this number. */
const BETWEEN: Readonly<Record<number, () => Promise<void>>> = {
  34: () =>
    operator({
      type: 'SET_QUOTA',
      set_quota: {
        quota_request: { role: 'legacy', force: true, guarantee: resources({ cpus: 1 }) },
      },
    }),
  58: async () => {
    // The volume that is created next lies on a reservation of its own.
    const answer = await postJson(`${master.url}/api/v1`, {
      type: 'RESERVE_RESOURCES',
      reserve_resources: {
        agent_id: { value: agent.id },
        resources: [
          ...resources({ cpus: 1 }).map((resource) => ({ ...resource, reservations: OPS })),
          ...resources({ disk: 320 }).map((resource) => ({ ...resource, reservations: OPS })),
        ],
      },
    });
    expect(answer.status).toBe(202);
  },
  64: () =>
    operator({
      type: 'UPDATE_MAINTENANCE_SCHEDULE',
      update_maintenance_schedule: { schedule: { windows: [WINDOW] } },
    }),
  76: () => answerInverse('accept'),
  78: () => answerInverse('decline'),
  80: () =>
    operator({ type: 'START_MAINTENANCE', start_maintenance: { machines: WINDOW.machine_ids } }),
  88: async () => {
    await addAgent(agent.id);
    await operator({
      type: 'DEACTIVATE_AGENT',
      deactivate_agent: { agent_id: { value: agent.id } },
    });
  },
};

const numberOf = ({ name }: Recording): number => Number.parseInt(name, 10);

const steps = [...recordings('operator-writes/v0'), ...recordings('operator-writes/v1')]
  .filter(({ name }) => ![...LEFT_OUT.keys()].some((pattern) => pattern.test(name)))
  .sort((left, right) => numberOf(left) - numberOf(right));

/** Recorded texts that end in the words of a JSON parser: ours says the same in other words. */
const PARSERS = /(request JSON '.*': |in the request body: ).*$/;

describe(`an operator's day${recordingsFacility.note}`, () => {
  test.each(steps)('$name', async (recording) => {
    await BETWEEN[numberOf(recording)]?.();
    carryOut();
    const ours = (text: string): string => text.replaceAll(RECORDED_AGENT, agent.id);
    const encoded = (text: string): string =>
      text.replaceAll(encodeURIComponent(RECORDED_AGENT), encodeURIComponent(agent.id));
    const headers = Object.fromEntries(
      Object.entries(recording.headers).filter(
        ([name]) => !['host', 'content-length', 'connection'].includes(name),
      ),
    );
    const answer = await send(master.url + recording.path, {
      method: recording.method,
      headers,
      ...(recording.method !== 'GET' && { body: encoded(ours(recording.body)) }),
    });
    expect([answer.status, answer.text]).toEqual([
      recording.status,
      recording.status < 300
        ? answer.text
        : expect.stringContaining(meaningOf(ours(recording.answer))),
    ]);
    expect(answer.headers['content-type']).toBe(recording.contentType);
    if (recording.contentType !== 'application/json') return;
    const differences = shapeDifferences(
      JSON.parse(recording.answer),
      JSON.parse(answer.text),
      IGNORED,
    );
    expect(differences).toEqual([]);
  });
});

function meaningOf(text: string): string {
  return text.replace(PARSERS, '$1');
}
