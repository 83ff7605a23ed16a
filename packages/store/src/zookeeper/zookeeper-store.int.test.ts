/** The store on three real servers, which are killed, frozen and brought back. */

import { seededRandom, silentLogger, type Logger } from '@dcos/base';
import {
  startZooKeeperEnsemble,
  waitFor,
  zooKeeper,
  ZOOKEEPER_TICK_MS,
  type ZooKeeperEnsemble,
  type ZooKeeperServer,
} from '@dcos/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseZooKeeperAddress } from '../core/zookeeper/index.ts';
import {
  BATCH_WRITES_MAX,
  VALUE_BYTES_MAX,
  type Change,
  type Store,
  type Write,
} from '../store.ts';
import { bytes, describeStore } from '../testing/store-contract.ts';
import { realClock } from '../testing/real-clock.ts';
import { detectMaster, masterElectionLayout, type MasterAddress } from './detector.ts';
import { openZooKeeperStore } from './zookeeper-store.ts';

/** Short, for tests that wait for its end. */
const SESSION_TIMEOUT_MS = 4_000;
/** Long, for tests in which it must last: a third of it is left when a silent server is given up. */
const LASTING_SESSION_MS = 12_000;
const facility = zooKeeper();

describe.skipIf(!facility.available)(`on an ensemble${facility.note}`, () => {
  let ensemble: ZooKeeperEnsemble;
  let root = 0;
  const opened: Store[] = [];

  beforeAll(async () => {
    ensemble = await startZooKeeperEnsemble(3);
  });
  afterAll(async () => {
    await ensemble?.stop();
  });
  beforeEach(() => void (root += 1));
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
  });

  /** A store on what this test has for itself. */
  async function open({
    login = '',
    hosts = ensemble.address('').slice('zk://'.length),
    sessionTimeoutMs = SESSION_TIMEOUT_MS,
    tickMs,
    logger = silentLogger,
  }: {
    readonly login?: string;
    readonly hosts?: string;
    readonly sessionTimeoutMs?: number;
    readonly tickMs?: number;
    readonly logger?: Logger;
  } = {}): Promise<Store> {
    const address = parseZooKeeperAddress(`zk://${login}${hosts}/tests/${root}`);
    if (!address.ok) throw new Error(address.error);
    const store = await openZooKeeperStore({
      address: address.value,
      sessionTimeoutMs,
      tickMs,
      clock: realClock,
      random: seededRandom(root),
      logger,
    });
    opened.push(store);
    return store;
  }

  const put = (key: string, value = '1'): Write => ({ kind: 'put', key, value: bytes(value) });
  const keysOf = async (store: Store): Promise<readonly string[]> =>
    (await store.list('')).map(({ key }) => key);

  describeStore('zookeeper', () => open());

  test('what one store writes, another reads and is told of', async () => {
    const [one, two] = [await open(), await open()];
    const seen: Change[] = [];
    await one.commit([put('before')]);
    two.watch('p/', (changes) => seen.push(...changes));
    await two.commit([put('ready')]);
    await one.commit([put('p/a'), put('q')]);
    await one.commit([put('p/b')]);
    await one.commit([{ kind: 'delete', key: 'p/a' }]);
    await waitFor('the end of p/a', () => seen.some(({ kind }) => kind === 'delete'));
    expect(await keysOf(two)).toEqual(['before', 'p/b', 'q', 'ready']);
    expect(seen.at(-1)).toEqual({ kind: 'delete', key: 'p/a' });
    expect(seen).toContainEqual({
      kind: 'put',
      entry: { key: 'p/b', value: bytes('1'), version: 1 },
    });
  });

  test('writers who race get conflicts, never a lost update', async () => {
    const stores = [await open(), await open(), await open()];
    const add = async (store: Store): Promise<void> => {
      for (;;) {
        const entry = await store.get('sum');
        const sum = Number(new TextDecoder().decode(entry?.value ?? bytes('0'))) + 1;
        const write = { ...put('sum', String(sum)), expect: entry?.version ?? 0 };
        try {
          return await store.commit([write]);
        } catch (error) {
          expect(error).toMatchObject({ code: 'STORE_CONFLICT' });
        }
      }
    };
    await Promise.all(stores.flatMap((store) => Array.from({ length: 5 }, () => add(store))));
    expect((await stores[0]?.get('sum'))?.version).toBe(15);
  });

  test('a list of more entries than one exchange holds is whole', async () => {
    const store = await open();
    const keys = Array.from({ length: 1_234 }, (_, index) => `p/${String(index).padStart(4, '0')}`);
    await store.commit(keys.map((key) => put(key, key)));
    expect(await store.list('p/')).toEqual(
      keys.map((key) => ({ key, value: bytes(key), version: 1 })),
    );
  });

  test('ephemeral keys go with their store, lasting ones stay', async () => {
    const [one, two] = [await open(), await open()];
    await one.commit([{ ...put('here'), ephemeral: true } as Write, put('lasting')]);
    expect(await keysOf(two)).toEqual(['here', 'lasting']);
    await one.close();
    expect(await keysOf(two)).toEqual(['lasting']);
  });

  test('the servers refuse a deposed leader, whatever it believes', async () => {
    const [one, two] = [await open(), await open()];
    const lease = await one.elect('boss', 'one');
    await one.commit([put('a', 'one')], { lease });
    const next = two.elect('boss', 'two');
    await lease.release();
    const second = await next;
    expect(second.epoch).toBeGreaterThan(lease.epoch);
    const stubborn = { ...lease, isHeld: () => true };
    const late = [
      one.commit([put('a', 'late')], { lease: stubborn }),
      one.commit([put('b', 'no lease')]),
      one.commit([{ kind: 'delete', key: 'none' }], { lease: stubborn }),
    ];
    const outcomes = await Promise.allSettled(late);
    expect(outcomes).toMatchObject([
      { reason: { code: 'STORE_FENCED' } },
      { status: 'fulfilled' },
      { reason: { code: 'STORE_FENCED' } },
    ]);
    await two.commit([put('c')], { lease: second });
    expect((await two.get('a'))?.value).toEqual(bytes('one'));
    expect(await keysOf(two)).toEqual(['a', 'b', 'c']);
  });

  test('a leader whose process ends is followed at once', async () => {
    const [one, two, three] = [await open(), await open(), await open()];
    const lease = await one.elect('boss', 'one');
    const waiting = [
      { name: 'two', store: two, lease: two.elect('boss', 'two') },
      { name: 'three', store: three, lease: three.elect('boss', 'three') },
    ];
    await one.close();
    await lease.lost;
    // Which of the two came first is for the servers to say.
    const next = await Promise.race(waiting.map((each) => each.lease.then(() => each)));
    expect((await next.lease).isHeld()).toBe(true);
    expect(await three.leader('boss')).toMatchObject({ candidate: next.name });
    const last = waiting.find((each) => each !== next);
    await next.store.close();
    expect((await last?.lease)?.isHeld()).toBe(true);
  });

  test('a candidate that is known to have ended is not waited for', async () => {
    const [one, two] = [await open(), await open()];
    const lease = await one.elect('boss', 'one');
    let ended = (): void => undefined;
    const guarded: string[] = [];
    const waiting = two.elect('boss', 'two', {
      guard(candidate, gone) {
        guarded.push(candidate);
        ended = gone;
        return () => undefined;
      },
    });
    await waitFor('a guard', () => guarded.length > 0);
    ended();
    expect((await waiting).isHeld()).toBe(true);
    expect(guarded).toEqual(['one']);
    // Were it a mistake, the first would hear of it and write no more.
    await lease.lost;
    await expect(one.commit([put('a')], { lease })).rejects.toMatchObject({ code: 'STORE_FENCED' });
  });

  test('masters are detected, from before there is one until there is none', async () => {
    const address = parseZooKeeperAddress(ensemble.address(`/tests/${root}/masters`));
    if (!address.ok) throw new Error(address.error);
    const common = {
      address: address.value,
      sessionTimeoutMs: LASTING_SESSION_MS,
      clock: realClock,
      random: seededRandom(root),
      logger: silentLogger,
    };
    const seen: (MasterAddress | undefined)[] = [];
    const standing: (readonly MasterAddress[])[] = [];
    const stop = detectMaster({
      ...common,
      listener: (master) => void seen.push(master),
      onMasters: (masters) => void standing.push(masters),
    });
    try {
      const layouts = { master: masterElectionLayout(address.value.path) };
      const store = await openZooKeeperStore({ ...common, layouts });
      opened.push(store);
      const master = { ip: '10.0.0.1', hostname: 'm1', port: 5050 };
      const lease = await store.elect('master', JSON.stringify({ id: 'm', address: master }));
      await waitFor('a master', () => seen.length === 1);
      const other = { ip: '10.0.0.2', hostname: 'm2', port: 5050 };
      const next = store.elect('master', JSON.stringify({ id: 'o', address: other }));
      await waitFor('two masters', () => standing.length === 2);
      expect(standing).toEqual([[master], [master, other]]);
      await lease.release();
      const second = await next;
      // It is seen before it goes, or never.
      await waitFor('the next master', () => seen.length === 2);
      await second.release();
      await waitFor('no master', () => seen.length === 3);
      await waitFor('no masters', () => standing.at(-1)?.length === 0);
      await store.elect('master', 'what no master writes');
      const probe = await open();
      await probe.close();
      expect(seen).toEqual([master, other, undefined]);
    } finally {
      await stop();
    }
  });

  test('who waits for an election when the store is closed is told', async () => {
    const [one, two] = [await open(), await open()];
    await one.elect('boss', 'one');
    const waiting = Promise.allSettled([two.elect('boss', 'two')]);
    await two.close();
    expect(await waiting).toMatchObject([{ reason: { code: 'STORE_CLOSED' } }]);
  });

  test('with credentials, others see the leader and change nothing', async () => {
    const one = await open({ login: 'user:secret@' });
    const lease = await one.elect('boss', 'one');
    await one.commit([put('a')], { lease });
    const stranger = await open();
    expect(await stranger.leader('boss')).toMatchObject({ candidate: 'one', epoch: lease.epoch });
    await expect(stranger.commit([put('a')])).rejects.toMatchObject({ code: 'STORE_UNUSABLE' });
    await expect(stranger.list('')).rejects.toMatchObject({ code: 'STORE_UNUSABLE' });
    const friend = await open({ login: 'user:secret@' });
    expect(await keysOf(friend)).toEqual(['a']);
  });

  test('a batch that no packet can hold is refused, others go in as few as can be', async () => {
    const store = await open();
    const half = new Uint8Array(VALUE_BYTES_MAX / 2);
    const large = (key: string): Write => ({ kind: 'put', key, value: half });
    await expect(store.commit([large('a'), large('b'), large('c')])).rejects.toMatchObject({
      code: 'STORE_LIMIT',
    });
    await Promise.all(['a', 'b', 'c'].map((key) => store.commit([large(key)])));
    const many = Array.from({ length: BATCH_WRITES_MAX / 2 }, (_, index) => put(`k${index}`));
    await store.commit(many);
    expect(await keysOf(store)).toHaveLength(3 + many.length);
  });

  describe('when servers fail', () => {
    /** Commits one numbered key after another; those that were acknowledged. */
    async function writeOn(
      store: Store,
      lease: Awaited<ReturnType<Store['elect']>>,
      until: () => boolean,
    ): Promise<readonly string[]> {
      const acknowledged: string[] = [];
      for (let number = 0; !until(); number++) {
        const key = `n${String(number).padStart(6, '0')}`;
        await store.commit([{ ...put(key), expect: 0 }], { lease });
        acknowledged.push(key);
      }
      return acknowledged;
    }

    test('the leading server is killed in the middle: the lease and every write survive', async () => {
      const store = await open({ sessionTimeoutMs: LASTING_SESSION_MS });
      const lease = await store.elect('boss', 'one');
      let isOver = false;
      const written = writeOn(store, lease, () => isOver);
      const failed = written.catch(() => undefined);
      const leader = await ensemble.leader();
      await leader.kill();
      try {
        await ensemble.leader();
        const probe = await open();
        const before = (await probe.list('')).length;
        await waitFor('writes that go on', async () => (await probe.list('')).length > before);
        isOver = true;
        expect(await written).toEqual(await keysOf(probe));
        expect(lease.isHeld()).toBe(true);
      } finally {
        isOver = true;
        await failed;
        leader.start();
        await ensemble.ready();
      }
    });

    test('servers are restarted one by one, the leading one last: the lease is held throughout', async () => {
      const store = await open({ sessionTimeoutMs: LASTING_SESSION_MS, tickMs: ZOOKEEPER_TICK_MS });
      const lease = await store.elect('boss', 'one');
      let isLost = false;
      void lease.lost.then(() => (isLost = true));
      const leader = await ensemble.leader();
      const others = ensemble.servers.filter((server) => server !== leader);
      for (const server of [...others, leader]) {
        await server.end();
        server.start();
        await ensemble.ready();
        await store.commit([put(String(server.port))], { lease });
      }
      expect([isLost, lease.isHeld()]).toEqual([false, true]);
    });

    test('a server freezes: the session goes on elsewhere', async () => {
      // Without the leading one the others need longer than the session to go on.
      const following: ZooKeeperServer[] = [];
      for (const server of ensemble.servers) {
        if ((await server.mode()) === 'follower') following.push(server);
      }
      const connections: string[] = [];
      const store = await open({
        sessionTimeoutMs: LASTING_SESSION_MS,
        hosts: following.map(({ port }) => `127.0.0.1:${port}`).join(','),
        logger: {
          ...silentLogger,
          info: ({ event }) => void (event === 'zookeeper.connected' && connections.push(event)),
        },
      });
      const lease = await store.elect('boss', 'one');
      for (const server of following) {
        server.freeze();
        try {
          // Unless it was the server of this store, this takes no time; else two thirds of the session's.
          await waitFor('a commit', async () => {
            await store.commit([put('a')], { lease });
            return true;
          });
        } finally {
          server.thaw();
        }
        if (connections.length > 1) break;
        await ensemble.ready();
      }
      expect(connections).toHaveLength(2);
      expect(lease.isHeld()).toBe(true);
    });

    test('all are gone and come back: leases end in time, data and watches stay', async () => {
      const [one, two] = [await open(), await open()];
      const lease = await one.elect('boss', 'one');
      const second = two.elect('boss', 'two');
      const seen: Change[] = [];
      one.watch('', (changes) => seen.push(...changes));
      await one.commit([put('a')], { lease });
      await Promise.all(ensemble.servers.map((server) => server.kill()));
      await lease.lost;
      expect(lease.isHeld()).toBe(false);
      await expect(one.commit([put('b')], { lease })).rejects.toMatchObject({
        code: 'STORE_FENCED',
      });
      await expect(one.commit([put('b')])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      for (const server of ensemble.servers) server.start();
      await ensemble.ready();
      const next = await second;
      expect(next.epoch).toBeGreaterThan(lease.epoch);
      await two.commit([put('c')], { lease: next });
      await waitFor('news of c', () =>
        seen.some((change) => change.kind === 'put' && change.entry.key === 'c'),
      );
      expect(seen.map((change) => change.kind === 'put' && change.entry.key)).toEqual(['a', 'c']);
      expect(await keysOf(one)).toEqual(['a', 'c']);
    });
  });
});
