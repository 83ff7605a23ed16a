/**
 * The store of clusters: entries are nodes of a ZooKeeper ensemble, batches are `multi`s, a lease is a
 * candidate's node, and every batch under it checks that the node is still there.
 *
 * Layout below the address's path: `store/<key, percent-encoded>`, `elections/<name>/candidate_<number>`,
 * and where the original's clients look for a leader, the original's (`json.info_<number>`).
 *
 * Needs ZooKeeper 3.6. A batch must fit one packet of about 1 MiB, as must a value with its key.
 */

import { compareText, OperationError, type Clock, type Logger, type Random } from '@dcos/base';
import { storeClosed } from '../elections.ts';
import {
  keyOf,
  nodeNameOf,
  type Acl,
  type NodeState,
  type PlannedWrite,
  type ReplyOf,
  type ZooKeeperAddress,
} from '../core/zookeeper/index.ts';
import { checkLimits, fenced, type Entry, type Lease, type Store, type Write } from '../store.ts';
import { createWatchers } from '../watchers.ts';
import { ChangeFeed, type FoundEntry } from './change-feed.ts';
import { PACKET_BYTES_MAX, ZooKeeperClient, type ZooKeeperClientOptions } from './client.ts';
import { CommitQueue, storeError } from './commit-queue.ts';
import {
  CREATOR_ACL,
  CREATOR_WRITES_ACL,
  ensurePath,
  isReason,
  OPEN_ACL,
  readNode,
  readNodes,
  retried,
} from './nodes.ts';
import type { ElectionLayout } from './candidates.ts';
import type { Transport } from './transport.ts';
import { ZooKeeperElections } from './zookeeper-elections.ts';

export interface ZooKeeperStoreOptions {
  /** Its path is the root of the store. */
  readonly address: ZooKeeperAddress;
  readonly sessionTimeoutMs: number;
  /**
   * The servers' `tickTime`, where it is known for sure: leases last longer without servers. Unknown, it is taken for
   * more than half of the session's time.
   */
  readonly tickMs?: number | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly tls?: ZooKeeperClientOptions['tls'];
  readonly transport?: Transport;
  /** Elections whose nodes are to be found elsewhere than below `elections`. */
  readonly layouts?: Readonly<Record<string, ElectionLayout>>;
}

/** What a packet has besides the writes: headers, the end of a `multi`, checks of leases. */
const PACKET_REST_BYTES = 300;
/** What a write takes besides its path and value. */
const WRITE_REST_BYTES = 80;
/** Entries of one exchange; the greatest values of so many are well below what an answer may have. */
const READS_PER_EXCHANGE = 50;
/** Entries that are read at once. */
const READS_MAX = 1_000;

/** A store that is there before its servers are. */
export interface AwaitedStore {
  /** Its elections wait for servers, however long they are away; the rest is of use once `opened`. */
  readonly store: Store;
  /** Resolves when it is open. Throws `STORE_UNUSABLE` when servers refuse, `STORE_CLOSED` when it is closed before. */
  readonly opened: Promise<void>;
}

/** Opens the store when servers answer; `away` is called after each vain attempt, as long as a session lasts. */
export function awaitZooKeeperStore(
  options: ZooKeeperStoreOptions,
  away: () => void,
): AwaitedStore {
  const store = new ZooKeeperStore(options);
  const opened = store.openWhenThere(away);
  // Whoever stands for election is told; nobody has to wait.
  opened.catch(() => undefined);
  return { store, opened };
}

/**
 * Opens the store; returns once a session is established and the nodes above the entries are there. Throws
 * `STORE_UNAVAILABLE` when no server answers within the session's time, `STORE_UNUSABLE` when they refuse.
 */
export async function openZooKeeperStore(options: ZooKeeperStoreOptions): Promise<Store> {
  const store = new ZooKeeperStore(options);
  try {
    await store.open();
  } catch (error) {
    await store.close();
    throw storeError(error);
  }
  return store;
}

class ZooKeeperStore implements Store {
  readonly #client: ZooKeeperClient;
  readonly #root: string;
  readonly #directory: string;
  readonly #acl: readonly Acl[];
  readonly #commits: CommitQueue;
  readonly #elections: ZooKeeperElections;
  readonly #feed: ChangeFeed;
  readonly #watchers = createWatchers();
  /** What elections wait for. */
  #opening: Promise<void> = Promise.resolve();
  #isWatched = false;
  #isClosed = false;

  constructor({ address, layouts, ...options }: ZooKeeperStoreOptions) {
    const hasCredentials = address.credentials !== undefined;
    this.#root = address.path === '/' ? '' : address.path;
    this.#directory = `${this.#root}/store`;
    this.#acl = hasCredentials ? CREATOR_ACL : OPEN_ACL;
    const client = new ZooKeeperClient({ ...options, address: { ...address, path: '/' } });
    this.#client = client;
    this.#commits = new CommitQueue({
      client,
      acl: this.#acl,
      groupBytesMax: PACKET_BYTES_MAX - PACKET_REST_BYTES,
      readStates: (paths) => this.#readStates(paths),
    });
    this.#elections = new ZooKeeperElections({
      client,
      directory: `${this.#root}/elections`,
      layouts: layouts ?? {},
      acl: hasCredentials ? CREATOR_WRITES_ACL : OPEN_ACL,
      logger: options.logger,
      clock: options.clock,
      tickMs: options.tickMs,
    });
    this.#feed = new ChangeFeed({
      client,
      directory: this.#directory,
      logger: options.logger,
      read: (key) => this.#readEntry(key),
      list: () => this.#readAll(''),
      notify: (changes) => this.#watchers.notify(changes),
    });
  }

  async open(): Promise<void> {
    this.#client.start();
    await this.#makePaths();
  }

  openWhenThere(away: () => void): Promise<void> {
    this.#client.start();
    this.#opening = this.#makePathsWhenThere(away);
    return this.#opening;
  }

  async #makePathsWhenThere(away: () => void): Promise<void> {
    for (;;) {
      try {
        return await this.#makePaths();
      } catch (error) {
        const problem = storeError(error);
        const passes = problem instanceof OperationError && problem.code === 'STORE_UNAVAILABLE';
        if (!passes || this.#isClosed) throw problem;
        away();
      }
    }
  }

  async #makePaths(): Promise<void> {
    const open = this.#acl === OPEN_ACL;
    await ensurePath(this.#client, this.#root, open ? OPEN_ACL : CREATOR_WRITES_ACL);
    await ensurePath(this.#client, this.#directory, this.#acl);
  }

  async get(key: string): Promise<Entry | undefined> {
    return await this.#reading(async () => {
      await this.#client.request({ kind: 'sync', path: this.#directory });
      const found = await this.#readEntry(key);
      return found && entryOf(found);
    });
  }

  async list(prefix: string): Promise<readonly Entry[]> {
    return await this.#reading(async () => {
      await this.#client.request({ kind: 'sync', path: this.#directory });
      return (await this.#readAll(prefix)).map(entryOf);
    });
  }

  async commit(
    writes: readonly Write[],
    { lease }: { readonly lease?: Lease } = {},
  ): Promise<void> {
    if (this.#isClosed) throw storeClosed();
    checkLimits(writes);
    const planned = writes.map((write): PlannedWrite => this.#planned(write));
    let bytes = 0;
    for (const { path, value } of planned) {
      bytes += Buffer.byteLength(path) + value.length + WRITE_REST_BYTES;
    }
    const bytesMax = PACKET_BYTES_MAX - PACKET_REST_BYTES;
    if (bytes > bytesMax) {
      throw new OperationError(
        'STORE_LIMIT',
        `a batch has ${bytes} bytes, ZooKeeper takes at most ${bytesMax} at once`,
      );
    }
    if (this.#isWatched) await this.#feed.started();
    const fence = lease === undefined ? undefined : pathOfLease(lease);
    await this.#commits.commit({ writes: planned, lease, fence, bytes });
    if (this.#isWatched) await this.#feed.told();
  }

  watch: Store['watch'] = (prefix, listener) => {
    const unwatch = this.#watchers.add(prefix, listener);
    this.#isWatched = true;
    this.#feed.start();
    return unwatch;
  };

  elect: Store['elect'] = async (election, candidate, electOptions) => {
    if (this.#isClosed) throw storeClosed();
    await this.#opening;
    return await this.#elections.elect(election, candidate, electOptions);
  };

  leader: Store['leader'] = (election) => this.#elections.leader(election);

  candidates: Store['candidates'] = (election) => this.#elections.candidates(election);

  watchLeader: Store['watchLeader'] = (election, listener) =>
    this.#elections.watchLeader(election, listener);

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#feed.stop();
    this.#elections.close();
    await this.#client.close();
  }

  #pathOf(key: string): string {
    return `${this.#directory}/${nodeNameOf(key)}`;
  }

  #planned(write: Write): PlannedWrite {
    const { kind, key, expect } = write;
    const path = this.#pathOf(key);
    return kind === 'put'
      ? { kind, key, path, expect, value: write.value, ephemeral: write.ephemeral === true }
      : { kind, key, path, expect, value: new Uint8Array(), ephemeral: false };
  }

  async #reading<T>(read: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw storeClosed();
    try {
      return await retried(read);
    } catch (error) {
      throw storeError(error);
    }
  }

  async #readEntry(key: string): Promise<FoundEntry | undefined> {
    return foundOf(key, await readNode(this.#client, this.#pathOf(key)));
  }

  async #readEntries(keys: readonly string[]): Promise<readonly (FoundEntry | undefined)[]> {
    const nodes = await readNodes(
      this.#client,
      keys.map((key) => this.#pathOf(key)),
    );
    return keys.map((key, index) => foundOf(key, nodes[index]));
  }

  /** Not of one moment: what is written meanwhile may be seen or not. */
  async #readAll(prefix: string): Promise<readonly FoundEntry[]> {
    const directory = this.#directory;
    const { children } = await this.#client.request({
      kind: 'getChildren',
      path: directory,
      watch: false,
    });
    const keys = children
      .flatMap((name) => keyOf(name) ?? [])
      .filter((key) => key.startsWith(prefix));
    const found: (FoundEntry | undefined)[] = [];
    for (let from = 0; from < keys.length; from += READS_MAX) {
      const parts: Promise<readonly (FoundEntry | undefined)[]>[] = [];
      for (let first = from; first < Math.min(from + READS_MAX, keys.length);) {
        parts.push(this.#readEntries(keys.slice(first, (first += READS_PER_EXCHANGE))));
      }
      found.push(...(await Promise.all(parts)).flat());
    }
    return found
      .filter((entry) => entry !== undefined)
      .sort((left, right) => compareText(left.key, right.key));
  }

  async #readStates(paths: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, NodeState>> {
    const states = new Map<string, NodeState>();
    const synced = this.#client.request({ kind: 'sync', path: this.#directory });
    const reads = [...paths].map(async ([key, path]) => {
      try {
        const { version, mzxid } = await this.#client.request({
          kind: 'exists',
          path,
          watch: false,
        });
        states.set(key, { version: version + 1, mzxid });
      } catch (error) {
        if (!isReason(error, 'NONODE')) throw error;
      }
    });
    await Promise.all([synced, ...reads]);
    return states;
  }
}

function foundOf(key: string, node: ReplyOf['getData'] | undefined): FoundEntry | undefined {
  if (node === undefined) return undefined;
  const { data, stat } = node;
  // A copy: the packet that it came in must not stay for its sake.
  return { key, value: new Uint8Array(data), version: stat.version + 1, mzxid: stat.mzxid };
}

function entryOf({ key, value, version }: FoundEntry): Entry {
  return { key, value, version };
}

/** Throws `STORE_FENCED` for a lease of another store, which nothing can be checked by. */
function pathOfLease(lease: Lease): string {
  if (!('path' in lease) || typeof lease.path !== 'string') throw fenced();
  return lease.path;
}
