/**
 * The Store port: where a component keeps what must outlive it. Versioned keys, atomic batches with
 * compare-and-set, an ordered watch, leases with fencing.
 *
 * Contract, held by one test suite on every adapter:
 * - a batch is applied whole or not at all, and is durable when `commit` resolves;
 * - a key's version is 1 after its creation and grows by one with every write; it starts anew after a delete;
 * - watchers see changes in commit order, those of this store before its `commit` resolves; where other
 *   processes write, changes of a key that follow one another fast may be seen as one;
 * - a commit under a lease that is no longer held fails with `STORE_FENCED` and changes nothing.
 */

import { OperationError } from '@dcos/base';

/** Bytes of a value at most: what ZooKeeper takes by default, so that no adapter can be outgrown. */
export const VALUE_BYTES_MAX = 1024 * 1024 - 1024;
/** Characters of a key at most. */
export const KEY_LENGTH_MAX = 1024;
/** Writes of one batch at most. */
export const BATCH_WRITES_MAX = 10_000;

export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  readonly version: number;
}

export type Write =
  | {
      readonly kind: 'put';
      readonly key: string;
      readonly value: Uint8Array;
      /** The version that the key must have; 0 means that it must not exist. */
      readonly expect?: number;
      /**
       * Whether the key goes when this store does: when it is closed, or its session is over. Settled by the
       * write that makes the key; later ones leave it as it is.
       */
      readonly ephemeral?: boolean;
    }
  | { readonly kind: 'delete'; readonly key: string; readonly expect?: number };

export type Change =
  | { readonly kind: 'put'; readonly entry: Entry }
  | { readonly kind: 'delete'; readonly key: string };

export interface Lease {
  /** Grows with every holder of the election. */
  readonly epoch: number;
  isHeld(): boolean;
  /** Resolves when the lease is no longer held, for whatever reason. */
  readonly lost: Promise<void>;
  release(): Promise<void>;
}

export interface CommitOptions {
  /** The batch is applied only while this lease is held. */
  readonly lease?: Lease;
}

export type Unwatch = () => void;

export interface Leader {
  /** What it called itself. */
  readonly candidate: string;
  readonly epoch: number;
}

export interface ElectOptions {
  /**
   * Watches over the process of the candidate that this one waits for, until the returned function is called.
   * `gone` says that it has ended for certain: nobody waits for its session to be over then.
   */
  readonly guard?: (candidate: string, gone: () => void) => () => void;
  /** Takes the candidacy back, as soon as a server answers; without effect on one that is won. */
  readonly signal?: AbortSignal;
}

export interface Store {
  get(key: string): Promise<Entry | undefined>;
  /** All entries whose key begins so, ordered by key. */
  list(prefix: string): Promise<readonly Entry[]>;
  /**
   * Throws `STORE_CONFLICT`, `STORE_FENCED`, `STORE_LIMIT` or `STORE_CLOSED`; `STORE_UNAVAILABLE` when nothing
   * was written since nobody answers, `STORE_OUTCOME_UNKNOWN` when it may have been, `STORE_UNUSABLE` when
   * trying again is of no use.
   */
  commit(writes: readonly Write[], options?: CommitOptions): Promise<void>;
  /** Calls back after each commit that touched such a key, in commit order. */
  watch(prefix: string, listener: (changes: readonly Change[]) => void): Unwatch;
  /** Resolves when this candidate leads. Throws `STORE_CANDIDACY_WITHDRAWN` for one that was taken back. */
  elect(election: string, candidate: string, options?: ElectOptions): Promise<Lease>;
  leader(election: string): Promise<Leader | undefined>;
  /** What all who stand called themselves, the leader first. */
  candidates(election: string): Promise<readonly string[]>;
  /**
   * Calls back with whoever leads now, if anybody does, and after each change. While no server answers the
   * last one counts, for as long as a session does.
   */
  watchLeader(election: string, listener: (leader: Leader | undefined) => void): Unwatch;
  close(): Promise<void>;
}

/** Throws `STORE_LIMIT` for a batch that some adapter could not take. */
export function checkLimits(writes: readonly Write[]): void {
  if (writes.length > BATCH_WRITES_MAX) {
    throw new OperationError(
      'STORE_LIMIT',
      `a batch has ${writes.length} writes, at most ${BATCH_WRITES_MAX} are allowed`,
    );
  }
  for (const write of writes) {
    if (write.key === '' || write.key.length > KEY_LENGTH_MAX) {
      throw new OperationError('STORE_LIMIT', `a key must have 1 to ${KEY_LENGTH_MAX} characters`);
    }
    if (write.kind === 'put' && write.value.length > VALUE_BYTES_MAX) {
      throw new OperationError(
        'STORE_LIMIT',
        `the value of ${write.key} has ${write.value.length} bytes, at most ${VALUE_BYTES_MAX} are allowed`,
      );
    }
  }
}

/** The error of a batch under a lease that is gone. */
export function fenced(): OperationError {
  return new OperationError('STORE_FENCED', 'the lease of this writer is no longer held');
}

/** The error of a batch whose expectation did not hold. */
export function conflict(key: string, expected: number, actual: number): OperationError {
  return new OperationError(
    'STORE_CONFLICT',
    `${key} has version ${actual}, expected ${expected}`,
    {
      details: { key, expected, actual },
    },
  );
}
