/**
 * Tells watchers what changes below one node, by a persistent recursive watch (ZooKeeper 3.6). Events
 * carry no data, so each is followed by a read; what is told is in the order of the events.
 *
 * Invariant: whatever happened while there was no connection, or no session, is found afterwards by a
 * comparison with what was told last.
 */

import { compareText, errorText, type Logger } from '@dcos/base';
import { keyOf, type WatchEvent } from '../core/zookeeper/index.ts';
import type { Change, Entry } from '../store.ts';
import type { ZooKeeperClient } from './client.ts';

export interface ChangeFeedOptions {
  readonly client: ZooKeeperClient;
  /** The node whose children are the entries. */
  readonly directory: string;
  readonly logger: Logger;
  readonly read: (key: string) => Promise<FoundEntry | undefined>;
  readonly list: () => Promise<readonly FoundEntry[]>;
  readonly notify: (changes: readonly Change[]) => void;
}

export interface FoundEntry extends Entry {
  /** The transaction that wrote it last. */
  readonly mzxid: bigint;
}

export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  /** What watchers know: each key with the transaction that wrote it last. */
  readonly #told = new Map<string, bigint>();
  #tail: Promise<void> = Promise.resolve();
  #started: Promise<void> = this.#tail;
  #knowsBeginning = false;
  #watchedSession = 0n;
  #cancel: (() => void) | undefined;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
  }

  /** Begins to watch, once; what is there already is not told. */
  start(): void {
    if (this.#cancel !== undefined) return;
    this.#cancel = this.#options.client.listen({
      onEvent: (event) => this.#onEvent(event),
      onState: (state) => {
        if (state === 'connected') this.#enqueue(() => this.#compare());
      },
    });
    this.#enqueue(() => this.#compare());
    this.#started = this.#tail;
  }

  /** Resolves when what comes from now on is seen. */
  async started(): Promise<void> {
    await this.#started;
  }

  /** Resolves when everything that was heard so far has been told. */
  async told(): Promise<void> {
    await this.#tail;
  }

  stop(): void {
    this.#cancel?.();
  }

  #enqueue(act: () => Promise<void>): void {
    this.#tail = this.#tail.then(act).catch((error: unknown) => {
      // The next connection begins with a comparison.
      const fields = { event: 'store.watch-interrupted', error: errorText(error) };
      this.#options.logger.warn(fields, 'changes of the store were not read');
    });
  }

  #onEvent({ kind, path }: WatchEvent): void {
    const { directory, read } = this.#options;
    if (!path.startsWith(`${directory}/`)) return;
    const key = keyOf(path.slice(directory.length + 1));
    if (key === undefined) return;
    if (kind === 'deleted') return this.#enqueue(async () => this.#tell([{ kind: 'delete', key }]));
    if (kind !== 'created' && kind !== 'dataChanged') return;
    // The read is under way while those before it are told.
    const found = read(key);
    found.catch(() => undefined);
    this.#enqueue(async () => {
      const entry = await found;
      // One that is gone again is followed by the event that says so.
      if (entry !== undefined) this.#tell([{ kind: 'put', entry }]);
    });
  }

  /** Watches, if this session does not yet, and finds what was missed. */
  async #compare(): Promise<void> {
    const { client, directory, list } = this.#options;
    const { sessionId } = client;
    if (sessionId !== this.#watchedSession || sessionId === 0n) {
      await client.request({ kind: 'addWatch', path: directory, recursive: true });
      this.#watchedSession = client.sessionId;
    }
    const entries = await list();
    if (!this.#knowsBeginning) {
      for (const { key, mzxid } of entries) this.#told.set(key, mzxid);
      this.#knowsBeginning = true;
      return;
    }
    const present = new Set(entries.map(({ key }) => key));
    const gone = [...this.#told.keys()].filter((key) => !present.has(key)).sort(compareText);
    this.#tell(gone.map((key) => ({ kind: 'delete', key })));
    const inOrder = [...entries].sort((left, right) => Number(left.mzxid - right.mzxid));
    this.#tell(inOrder.map((entry) => ({ kind: 'put', entry })));
  }

  /** Tells what is not known yet. */
  #tell(changes: readonly (Change | { readonly kind: 'put'; readonly entry: FoundEntry })[]): void {
    const news: Change[] = [];
    for (const change of changes) {
      if (change.kind === 'delete') {
        if (this.#told.delete(change.key)) news.push(change);
        continue;
      }
      const { key, value, version } = change.entry;
      const mzxid = 'mzxid' in change.entry ? change.entry.mzxid : 0n;
      if (this.#told.get(key) === mzxid) continue;
      this.#told.set(key, mzxid);
      news.push({ kind: 'put', entry: { key, value, version } });
    }
    if (news.length > 0) this.#options.notify(news);
  }
}
