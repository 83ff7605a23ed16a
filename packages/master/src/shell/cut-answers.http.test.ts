import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { masterApi, scheduler } from '@dcos/wire';
import {
  openStream,
  postJson,
  registerAgent,
  send,
  type EventStream,
} from '../testing/http-client.ts';
import { closeAfterTest, startTestMaster } from '../testing/running-master.ts';
import { frameworkInfo, resources } from '../testing/world.ts';

const folder = mkdtempSync(join(tmpdir(), 'cut-'));
const credentials = join(folder, 'credentials');
writeFileSync(credentials, 'ops top\nguest low\n');
afterAll(() => rmSync(folder, { recursive: true }));

const as = (principal: string, secret: string): { readonly authorization: string } => ({
  authorization: `Basic ${Buffer.from(`${principal}:${secret}`).toString('base64')}`,
});
const OPS = as('ops', 'top');
const GUEST = as('guest', 'low');

const GUEST_ONLY = { values: ['guest'] };
const NONE = { type: 'NONE' };
const byUser = [
  { principals: GUEST_ONLY, users: { values: ['guest'] } },
  { principals: GUEST_ONLY, users: NONE },
];
const byRole = [
  { principals: GUEST_ONLY, roles: { values: ['public'] } },
  { principals: GUEST_ONLY, roles: NONE },
];
const ACLS = JSON.stringify({
  view_frameworks: byUser,
  view_tasks: byUser,
  view_executors: byUser,
  view_roles: byRole,
  get_quotas: byRole,
  view_flags: [{ principals: GUEST_ONLY, flags: NONE }],
});

type Events = EventStream<masterApi.Event>;

/** An agent with something for a role that guests see, and for one that they do not. */
async function joinAgent(url: string, hostname: string): Promise<void> {
  const reserved = ['secret', 'public'].flatMap((role) =>
    resources({ cpus: 1 }).map((resource) => ({
      ...resource,
      reservations: [{ type: 'STATIC' as const, role }],
    })),
  );
  closeAfterTest(await registerAgent(url, { agent_info: { hostname, resources: reserved } }));
}

/** A master with one framework of each of two users, and who reads it; secret things are called `secret`. */
async function scene(): Promise<{
  readonly url: string;
  readonly watch: (who: typeof OPS, lastEvent?: string) => Promise<Events>;
  readonly subscribe: (name: string, user: string) => Promise<void>;
}> {
  const { url } = await startTestMaster({
    credentials,
    authenticateHttpFrameworks: true,
    authenticateHttpReadonly: true,
    authenticateHttpReadwrite: true,
    acls: ACLS,
  });
  const open = async <T>(
    path: string,
    body: object,
    type: Parameters<typeof openStream<T>>[2]['type'],
    headers: Readonly<Record<string, string>>,
  ): Promise<EventStream<T>> =>
    closeAfterTest(
      await openStream(url + path, JSON.stringify(body), { type, encoding: 'json', headers }),
    );
  const subscribe = async (name: string, user: string): Promise<void> => {
    const framework_info = frameworkInfo({ name, user, roles: [`${name}-role`] });
    const call = { type: 'SUBSCRIBE', subscribe: { framework_info } };
    const stream = await open('/api/v1/scheduler', call, scheduler.EventType, OPS);
    await stream.events.find('SUBSCRIBED', ({ type }) => type === 'SUBSCRIBED');
  };
  const watch = async (who: typeof OPS, lastEvent?: string): Promise<Events> => {
    const headers = {
      ...who,
      ...(lastEvent !== undefined && { 'Mesos-Last-Event-Sequence': lastEvent }),
    };
    const stream = await open('/api/v1', { type: 'SUBSCRIBE' }, masterApi.EventType, headers);
    await stream.events.find('HEARTBEAT', ({ type }) => type === 'HEARTBEAT');
    return stream;
  };
  const weight_infos = ['secret', 'public'].map((role) => ({ role, weight: 2 }));
  await postJson(
    `${url}/api/v1`,
    { type: 'UPDATE_WEIGHTS', update_weights: { weight_infos } },
    OPS,
  );
  const quota_configs = ['secret', 'public'].map((role) => ({
    role,
    limits: { cpus: { value: 1 } },
  }));
  const quota = { type: 'UPDATE_QUOTA', update_quota: { force: true, quota_configs } };
  expect((await postJson(`${url}/api/v1`, quota, OPS)).status).toBe(200);
  await joinAgent(url, 'open');
  await subscribe('open', 'guest');
  await subscribe('secret', 'root');
  return { url, watch, subscribe };
}

const texts = (stream: Events): string => JSON.stringify(stream.events.all);

const PATHS = [
  '/state',
  '/state-summary',
  '/frameworks',
  '/slaves',
  '/roles',
  '/weights',
  '/quota',
  '/tasks',
];
const CALLS = [
  'GET_STATE',
  'GET_FRAMEWORKS',
  'GET_AGENTS',
  'GET_ROLES',
  'GET_WEIGHTS',
  'GET_QUOTA',
];

test('every answer is cut to what its reader may see', async () => {
  const { url, watch } = await scene();
  for (const path of PATHS) {
    const guest = await send(url + path, { headers: GUEST });
    expect([guest.status, guest.text.includes('secret')], path).toEqual([200, false]);
    const ops = await send(url + path, { headers: OPS });
    expect([ops.status, ops.text.includes('secret')], path).toEqual([200, path !== '/tasks']);
  }
  for (const type of CALLS) {
    const guest = await postJson(`${url}/api/v1`, { type }, GUEST);
    expect([guest.status, guest.text.includes('secret')], type).toEqual([200, false]);
    expect(guest.text, type).toMatch(/open|public/);
    expect((await postJson(`${url}/api/v1`, { type }, OPS)).text, type).toContain('secret');
  }
  const state = async (headers: typeof OPS): Promise<unknown> =>
    JSON.parse((await send(`${url}/state`, { headers })).text) as unknown;
  expect(await state(OPS)).toHaveProperty('flags');
  expect(await state(GUEST)).not.toHaveProperty('flags');
  expect(texts(await watch(GUEST))).not.toContain('secret');
  expect(texts(await watch(OPS))).toContain('secret');
});

test('events are cut for each reader, also those that a reader missed', async () => {
  const { url, watch, subscribe } = await scene();
  const guest = await watch(GUEST, '0');
  const ops = await watch(OPS, '0');
  const from = String(guest.headers['mesos-event-sequence']);
  await joinAgent(url, 'later');
  await subscribe('secret-later', 'root');
  await subscribe('open-later', 'guest');
  const isLast = (event: masterApi.Event): boolean =>
    event.framework_added?.framework.framework_info.name === 'open-later';
  const last = await guest.events.find('open-later', isLast);
  await ops.events.find('open-later', isLast);
  expect(texts(guest)).not.toContain('secret');
  expect(texts(ops)).toContain('secret-later');
  const resumed = await watch(GUEST, from);
  expect(resumed.headers['mesos-event-stream-resumed']).toBe('true');
  const missed = await resumed.events.find('open-later', isLast);
  expect(missed.sequence).toBe(last.sequence);
  expect(texts(resumed)).not.toContain('secret');
  expect((await send(`${url}/health`)).status).toBe(200);
});
