import { afterEach, beforeEach, expect, test } from 'vitest';
import { request, type Dispatcher } from 'undici';
import { silentLogger } from '@dcos/base';
import { NOBODY_LEADS, NOT_TAKEN_HEADER } from '@dcos/http';
import { openMemoryStore, type Store } from '@dcos/store';
import { waitFor } from '@dcos/testkit';
import { FakeMaster } from '../testing/fake-master.ts';
import { ELECTION } from './candidacy.ts';
import { marathonConfigSchema } from './config.ts';
import { startMarathon, type RunningMarathon } from './start-marathon.ts';

const AGENTS = [
  { id: 'S0', hostname: '127.0.0.11', cpus: 4, mem: 4096, ports: [31_000, 31_099] as const },
];
const SLEEP = { id: '/sleep', cmd: 'sleep 1000', cpus: 0.1, mem: 32, instances: 2 };

let store: Store;
let master: FakeMaster;
const started: RunningMarathon[] = [];
const failures: unknown[] = [];

beforeEach(() => {
  store = openMemoryStore();
  master = new FakeMaster(AGENTS);
});

afterEach(async () => {
  await Promise.all(started.splice(0).map(async (marathon) => await marathon.close()));
  await store.close();
  failures.length = 0;
});

async function start(abdicate?: () => void): Promise<RunningMarathon> {
  const config = marathonConfigSchema.parse({ httpPort: 0, drainMs: 0, settleMs: 0 });
  const marathon = await startMarathon(config, {
    logger: silentLogger,
    store,
    connect: master.connect,
    onFailure: (error) => failures.push(error),
    ...(abdicate !== undefined && { abdicate }),
  });
  started.push(marathon);
  return marathon;
}

type Options = NonNullable<Parameters<typeof request>[1]>;

interface Answer extends Pick<Dispatcher.ResponseData, 'statusCode' | 'headers'> {
  readonly text: string;
}

async function call(
  marathon: RunningMarathon,
  path: string,
  options: Options = {},
): Promise<Answer> {
  const answer = await request(`${marathon.url}${path}`, options);
  const { statusCode, headers } = answer;
  return { statusCode, headers, text: await answer.body.text() };
}

const post = (body: unknown): Options => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

test('a standby passes everything on to the leader, and says so', async () => {
  const leader = await start();
  await leader.leading;
  const standby = await start();
  const own = `127.0.0.1:${standby.port}`;

  const created = await call(standby, '/v2/apps', post(SLEEP));
  expect([created.statusCode, created.headers['x-marathon-via']]).toEqual([201, `1.1 ${own}`]);
  for (const path of ['/v2/apps', '/v2/leader', '/v2/info', '/ping', '/no/such/path']) {
    const [direct, passed] = [await call(leader, path), await call(standby, path)];
    expect([passed.statusCode, passed.text], path).toEqual([direct.statusCode, direct.text]);
    expect(passed.headers['x-marathon-leader']).toBe(`http://127.0.0.1:${leader.port}`);
  }
});

test('streams of events are redirected, a loop is refused', async () => {
  await (
    await start()
  ).leading;
  const standby = await start();
  const events = await call(standby, '/v2/events?event_type=x', {
    headers: { accept: 'text/event-stream' },
  });
  const [leader] = started;
  expect([events.statusCode, events.headers['location']]).toEqual([
    302,
    `${leader?.url}/v2/events?event_type=x`,
  ]);
  const loop = await call(standby, '/v2/apps', {
    headers: { 'x-marathon-via': `1.1 elsewhere:1, 1.1 127.0.0.1:${standby.port}` },
  });
  expect([loop.statusCode, loop.text]).toEqual([502, expect.stringContaining('proxying loop')]);
});

test('a leader that cannot be reached is a bad gateway', async () => {
  const lease = await store.elect(ELECTION, '127.0.0.1:1');
  const standby = await start();
  const answer = await call(standby, '/ping');
  expect([answer.statusCode, answer.text]).toEqual([
    502,
    expect.stringContaining('127.0.0.1:1 does not answer'),
  ]);
  await lease.release();
});

test('a store that says nothing of the leader keeps nobody waiting', async () => {
  await (
    await start()
  ).leading;
  store = { ...store, leader: () => new Promise(() => undefined) };
  const answer = await call(await start(), '/v2/apps');
  expect([answer.statusCode, answer.headers[NOT_TAKEN_HEADER]]).toEqual([502, NOBODY_LEADS]);
});

test('the next in line takes over what the leader had', async () => {
  const first = await start();
  await first.leading;
  const second = await start();
  await call(first, '/v2/apps', post(SLEEP));
  await waitFor('both tasks', () => master.tasks.size === 2);
  const before = [...master.tasks.keys()];
  await first.close();
  await second.leading;
  const tasks = JSON.parse((await call(second, '/v2/tasks')).text) as {
    readonly tasks: readonly { readonly id: string }[];
  };
  expect(tasks.tasks.map(({ id }) => id).toSorted()).toEqual(before.toSorted());
  expect([...master.tasks.keys()]).toEqual(before);
  expect(failures).toEqual([]);
});

test('a scheduler whose lease is gone fails, and writes nothing any more', async () => {
  const marathon = await start();
  await marathon.leading;
  // As when the session in the store expires.
  await store.close();
  await waitFor('the failure', () => failures.length > 0);
  expect(failures[0]).toMatchObject({ code: 'MARATHON_LEADERSHIP_LOST' });
});

test('abdication is answered before the leader goes', async () => {
  let abdicated = false;
  const marathon = await start(() => (abdicated = true));
  await marathon.leading;
  const answer = await call(marathon, '/v2/leader', { method: 'DELETE' });
  expect([answer.statusCode, JSON.parse(answer.text)]).toEqual([
    200,
    { message: 'Leadership abdicated' },
  ]);
  await waitFor('the abdication', () => abdicated);
  const asked = await call(marathon, '/v2/leader?backup=file:///x', { method: 'DELETE' });
  expect(asked.statusCode).toBe(501);
});
