/**
 * A framework that knows the v1 scheduler API and nothing of ours, against a real master and a real agent: from
 * its subscription over reservations, volumes, tasks and a task group to failover and teardown.
 */

import { afterEach, describe, expect, test } from 'vitest';
import { startAgent } from '@dcos/agent';
import { silentLogger } from '@dcos/base';
import { startMaster } from '@dcos/master';
import { openMemoryStore } from '@dcos/store';
import { temporaryDirectory, waitFor } from '@dcos/testkit';
import { at, jsonCodec, protobufCodec, RawStream, type Plain } from './testing/raw-framework.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A master and an agent. Returns the address of the master. */
async function startCluster(): Promise<string> {
  const directory = temporaryDirectory('raw-framework');
  closers.push(() => directory.remove());
  const options = { logger: silentLogger, store: openMemoryStore() };
  const master = await startMaster({ port: 0 }, options);
  closers.push(() => master.close());
  const agent = await startAgent(
    {
      masters: [master.url],
      port: 0,
      workDir: directory.path,
      resources: 'cpus:4;mem:4096;disk:8192;ports:[31000-32000]',
      registrationBackoffMs: 10,
    },
    { logger: silentLogger },
  );
  closers.push(async () => {
    await agent.shutdown({ killTasks: true });
    await agent.close();
  });
  await agent.registered;
  return master.url;
}

const ROLE = 'raw';
const INFO = {
  user: 'root',
  name: 'raw',
  roles: [ROLE],
  checkpoint: true,
  failover_timeout: 3600,
  capabilities: ['MULTI_ROLE', 'PARTITION_AWARE', 'RESERVATION_REFINEMENT'].map((type) => ({
    type,
  })),
};
const scalar = (name: string, value: number, rest: Plain = {}): Plain => ({
  name,
  type: 'SCALAR',
  scalar: { value },
  allocation_info: { role: ROLE },
  ...rest,
});
const RESERVED = { reservations: [{ type: 'DYNAMIC', role: ROLE }] };
const DISK = scalar('disk', 64, RESERVED);
const VOLUME = {
  ...DISK,
  disk: {
    persistence: { id: 'v1' },
    volume: { mode: 'RW', container_path: 'data' },
  },
};

/** Offers that were answered. */
const used = new Set<unknown>();

/** Takes offers until one has what is wanted; the others go back at once. */
async function offerWith(stream: RawStream, wanted: (resource: Plain) => boolean): Promise<Plain> {
  return await waitFor('an offer', async () => {
    for (const offer of stream.events.flatMap(
      (event) => (at(event, 'offers.offers') ?? []) as Plain[],
    )) {
      const id = at(offer, 'id.value');
      if (used.has(id)) continue;
      used.add(id);
      if ((offer['resources'] as Plain[]).some(wanted)) return offer;
      await stream.call({
        type: 'DECLINE',
        decline: { offer_ids: [offer['id']], filters: { refuse_seconds: 0 } },
      });
    }
    return undefined;
  });
}

const isFree = (resource: Plain): boolean =>
  resource['name'] === 'cpus' && resource['reservations'] === undefined;
const hasVolume = (resource: Plain): boolean => at(resource, 'disk.persistence.id') === 'v1';

async function accept(
  stream: RawStream,
  offer: Plain,
  operations: readonly Plain[],
): Promise<void> {
  const filters = { refuse_seconds: 0 };
  const accepted = { offer_ids: [offer['id']], operations, filters };
  expect(await stream.call({ type: 'ACCEPT', accept: accepted })).toBe(202);
}

/** Waits until a task is in that state, and acknowledges that update. */
async function untilTask(stream: RawStream, id: string, state: string): Promise<Plain> {
  const event = await stream.event(
    `${id} ${state}`,
    (each) =>
      at(each, 'update.status.task_id.value') === id && at(each, 'update.status.state') === state,
  );
  return event;
}

function acknowledgeAll(stream: RawStream): void {
  closers.push(stream.acknowledgeAll());
}

describe.each([
  ['JSON', () => jsonCodec],
  ['protobuf', protobufCodec],
])('a stranger in %s', (_name, codecOf) => {
  test('subscribes, reserves, launches, fails over and leaves', { timeout: 60_000 }, async () => {
    const url = await startCluster();
    const codec = codecOf();
    const subscribe = { type: 'SUBSCRIBE', subscribe: { framework_info: INFO } };
    const first = await RawStream.subscribe(url, codec, subscribe);
    expect(first.status).toBe(200);
    await first.event('a heartbeat', ({ type }) => type === 'HEARTBEAT');
    expect(first.events.slice(0, 2).map(({ type }) => type)).toEqual(['SUBSCRIBED', 'HEARTBEAT']);
    acknowledgeAll(first);

    // A reservation and a volume on it in one call; the next offer has both.
    const offer = await offerWith(first, isFree);
    await accept(first, offer, [
      { type: 'RESERVE', reserve: { resources: [DISK] } },
      { type: 'CREATE', create: { volumes: [VOLUME] } },
    ]);
    const held = await offerWith(first, hasVolume);

    // A task that writes to the volume.
    const { agent_id } = held;
    const own = [scalar('cpus', 0.5), scalar('mem', 64)];
    const task = {
      name: 'writer',
      task_id: { value: 'writer' },
      agent_id,
      resources: [...own, VOLUME],
      command: { value: 'echo kept > data/file && cat data/file && exec sleep 1000' },
    };
    await accept(first, held, [{ type: 'LAUNCH', launch: { task_infos: [task] } }]);
    await untilTask(first, 'writer', 'TASK_RUNNING');

    // A group of two.
    const rest = await offerWith(first, isFree);
    const member = (id: string): Plain => ({
      name: id,
      task_id: { value: id },
      agent_id,
      resources: own,
      command: { value: 'exec sleep 1000' },
    });
    const executor = {
      type: 'DEFAULT',
      executor_id: { value: 'pod' },
      framework_id: at(first.events[0], 'subscribed.framework_id'),
      resources: [scalar('cpus', 0.1), scalar('mem', 32), scalar('disk', 10)],
    };
    const task_group = { tasks: [member('one'), member('two')] };
    await accept(first, rest, [{ type: 'LAUNCH_GROUP', launch_group: { executor, task_group } }]);
    await untilTask(first, 'one', 'TASK_RUNNING');
    await untilTask(first, 'two', 'TASK_RUNNING');

    // A second subscription of the same framework takes over.
    const framework_id = at(first.events[0], 'subscribed.framework_id');
    const second = await RawStream.subscribe(url, codec, {
      ...subscribe,
      framework_id,
      subscribe: { framework_info: { ...INFO, id: framework_id } },
    });
    await waitFor('the end of the first stream', () => (first.ended ? true : undefined));
    expect(at(first.events.at(-1), 'error.message')).toBe('Framework failed over');
    expect(at(second.events[0], 'subscribed.framework_id')).toEqual(framework_id);
    expect(await first.call({ type: 'REVIVE' })).toBe(400);
    acknowledgeAll(second);
    expect(await second.call({ type: 'RECONCILE', reconcile: {} })).toBe(202);
    for (const id of ['writer', 'one', 'two']) await untilTask(second, id, 'TASK_RUNNING');

    // The volume outlives its task, and is given up with its reservation.
    expect(await second.call({ type: 'KILL', kill: { task_id: { value: 'writer' } } })).toBe(202);
    await untilTask(second, 'writer', 'TASK_KILLED');
    const back = await offerWith(second, hasVolume);
    await accept(second, back, [
      { type: 'DESTROY', destroy: { volumes: [VOLUME] } },
      { type: 'UNRESERVE', unreserve: { resources: [DISK] } },
    ]);
    const isWhole = (resource: Plain): boolean =>
      resource['name'] === 'disk' &&
      resource['reservations'] === undefined &&
      Number(at(resource, 'scalar.value')) > 8_000;
    await offerWith(second, isWhole);

    expect(await second.call({ type: 'TEARDOWN' })).toBe(202);
    await waitFor('the end of the stream', () => (second.ended ? true : undefined));
    const gone = await RawStream.subscribe(url, codec, {
      ...subscribe,
      framework_id,
      subscribe: { framework_info: { ...INFO, id: framework_id } },
    });
    await gone.event('a refusal', ({ type }) => type === 'ERROR');
    expect(at(gone.events[0], 'error.message')).toBe('Framework has been removed');
  });
});
