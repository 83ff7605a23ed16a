import { expect, test } from 'vitest';
import { frameworkId, seededRandom, silentLogger } from '@dcos/base';
import { systemClock } from '@dcos/sdk';
import { DEFAULT_SETTINGS, restoreMarathon, type BusEvent } from '../core/index.ts';
import { Engine, type EnginePorts } from './engine.ts';

const ORIGIN = { clientIp: '', uri: '' };
const BODY = JSON.stringify({ id: '/a', cmd: 'sleep 1' });

function engine(ports: Partial<EnginePorts>): Engine {
  const state = restoreMarathon({
    settings: DEFAULT_SETTINGS,
    random: seededRandom(1),
    now: Date.now(),
    records: [],
  });
  return new Engine(state, {
    clock: systemClock,
    logger: silentLogger,
    commit: async () => undefined,
    scheduler: { perform: async () => undefined },
    probe: async () => ({ kind: 'connected' }),
    publish: () => undefined,
    failed: () => undefined,
    ...ports,
  });
}

test('nothing leaves before the records are durable, and readers wait for them too', async () => {
  const order: string[] = [];
  const durable = Promise.withResolvers<void>();
  const made = engine({
    commit: async () => {
      await durable.promise;
      order.push('durable');
    },
    publish: ({ eventType }: BusEvent) => void order.push(eventType),
  });
  const reply = made
    .command({ kind: 'createApp', body: BODY, force: false, origin: ORIGIN })
    .then(() => order.push('reply'));
  await Promise.resolve();
  const read = made
    .read((state) => state.history.appCount)
    .then((count) => order.push(`read ${count}`));
  durable.resolve();
  await Promise.all([reply, read]);
  expect(order[0]).toBe('durable');
  expect(order).toEqual(expect.arrayContaining(['reply', 'read 1', 'group_change_success']));
});

test('a commit that fails ends the engine and its clients are told', async () => {
  const failures: unknown[] = [];
  const made = engine({
    commit: async () => await Promise.reject(new Error('fenced')),
    failed: (error) => void failures.push(error),
  });
  const reply = await made.command({ kind: 'createApp', body: BODY, force: false, origin: ORIGIN });
  expect(reply).toMatchObject({ statusCode: 500 });
  expect(failures).toHaveLength(1);
  expect(
    await made.command({ kind: 'createApp', body: BODY, force: false, origin: ORIGIN }),
  ).toMatchObject({ statusCode: 503 });
});

test('many events of one change leave in parts, in order, with turns of the event loop between them', async () => {
  const turns: number[] = [];
  const ids: unknown[] = [];
  let turn = 0;
  let isDone = false;
  const count = (): void => {
    turn += 1;
    if (!isDone) setImmediate(count);
  };
  const made = engine({
    publish: ({ eventType, data }: BusEvent) => {
      if (eventType !== 'api_post_event') return;
      turns.push(turn);
      ids.push((data.appDefinition as { readonly id: string }).id);
    },
  });
  const apps = Array.from({ length: 1000 }, (_, index) => ({
    id: `/a-${String(index).padStart(4, '0')}`,
    cmd: 'sleep 1',
    portDefinitions: [],
  }));
  count();
  await made.command({
    kind: 'updateApps',
    body: JSON.stringify(apps),
    force: false,
    partial: true,
    mayCreate: true,
    origin: ORIGIN,
  });
  isDone = true;
  expect(ids).toEqual(apps.map(({ id }) => id));
  expect(new Set(turns).size).toBeGreaterThanOrEqual(4);
});

test('a reader that waits when the engine fails is told', async () => {
  const made = engine({ commit: async () => await Promise.reject(new Error('fenced')) });
  const command = made.command({ kind: 'createApp', body: BODY, force: false, origin: ORIGIN });
  await Promise.resolve();
  const reads = [made.read(() => 1), made.read(() => 2)];
  await command;
  await Promise.all(reads.map(async (read) => await expect(read).rejects.toThrow(/has stopped/)));
});

test('an engine that finishes carries out what came before, makes its calls, and takes nothing else', async () => {
  const durable = Promise.withResolvers<void>();
  const called = Promise.withResolvers<void>();
  const calls: string[] = [];
  const made = engine({
    commit: async () => await durable.promise,
    scheduler: {
      async perform({ kind }) {
        calls.push(kind);
        await called.promise;
      },
    },
  });
  made.post({ kind: 'subscribed', frameworkId: frameworkId('f-1'), master: '127.0.0.1:5050' });
  const command = { kind: 'createApp', body: BODY, force: false, origin: ORIGIN } as const;
  const taken = made.command(command);
  let isFinished = false;
  const finished = made.finish().then(() => (isFinished = true));
  expect(await made.command(command)).toMatchObject({
    statusCode: 503,
    headers: { 'dcos-not-taken': 'nobody-leads' },
  });
  durable.resolve();
  expect(await taken).toMatchObject({ statusCode: 201 });
  expect(calls).toContain('revive');
  expect(isFinished).toBe(false);
  called.resolve();
  await finished;
});
