/**
 * Commits batches one group after another: while one `multi` is under way, those that come gather for the
 * next. A group costs the servers one agreement however many batches it holds.
 *
 * Invariants:
 * - batches are committed in the order in which they came;
 * - a batch whose lease is gone is refused by the `multi` itself, whatever is believed here;
 * - when the answer to a `multi` is lost, nothing is done a second time before it is known that the first
 *   had no effect. That can be known while the lease is held; else the batch fails as unknown.
 */

import { assert, OperationError } from '@dcos/base';
import {
  failedOperation,
  planCommit,
  planWasDone,
  type Acl,
  type CommitPlan,
  type NodeState,
  type PlannedBatch,
} from '../core/zookeeper/index.ts';
import { storeClosed } from '../elections.ts';
import { conflict, fenced, type Lease } from '../store.ts';
import { ZooKeeperError, type ZooKeeperClient } from './client.ts';

/** Batches that may wait. */
export const QUEUED_BATCHES_MAX = 10_000;
/** How often a group is planned anew because others wrote meanwhile, or the connection was lost. */
const ATTEMPTS_MAX = 10;

export interface QueuedBatch extends PlannedBatch {
  readonly lease: Lease | undefined;
  /** What it takes in a packet. */
  readonly bytes: number;
}

interface Waiting extends QueuedBatch {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface CommitQueueOptions {
  readonly client: ZooKeeperClient;
  readonly acl: readonly Acl[];
  /** Bytes of the batches of one group at most; a batch alone must keep to it. */
  readonly groupBytesMax: number;
  /** States of the nodes of keys, as of now for all servers. */
  readonly readStates: (
    paths: ReadonlyMap<string, string>,
  ) => Promise<ReadonlyMap<string, NodeState>>;
}

export class CommitQueue {
  readonly #options: CommitQueueOptions;
  #waiting: Waiting[] = [];
  #isRunning = false;

  constructor(options: CommitQueueOptions) {
    this.#options = options;
  }

  /** Resolves when the batch is durable. */
  async commit(batch: QueuedBatch): Promise<void> {
    assert(batch.bytes <= this.#options.groupBytesMax, 'the store bounds its batches');
    if (this.#waiting.length >= QUEUED_BATCHES_MAX) {
      throw new OperationError('STORE_LIMIT', 'too many writes are waiting for ZooKeeper', {
        retry: 'later',
      });
    }
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ ...batch, resolve, reject });
      if (!this.#isRunning) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        await this.#commitGroup(group);
      } catch (error) {
        for (const { reject } of group) reject(storeError(error));
      }
    }
    this.#isRunning = false;
  }

  #takeGroup(): Waiting[] {
    let count = 0;
    let bytes = 0;
    for (const batch of this.#waiting) {
      bytes += batch.bytes;
      if (count > 0 && bytes > this.#options.groupBytesMax) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #commitGroup(group: readonly Waiting[]): Promise<void> {
    let open = group;
    const settle = (batches: readonly Waiting[], act: (batch: Waiting) => void): void => {
      for (const batch of batches) act(batch);
      open = open.filter((batch) => !batches.includes(batch));
    };
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      const gone = open.filter(({ lease }) => lease?.isHeld() === false);
      settle(gone, ({ reject }) => reject(fenced()));
      if (open.length === 0) return;
      const states = await this.#states(open);
      if (states === undefined) continue;
      const plan = planCommit(open, states, this.#options.acl);
      for (const { batch, conflict: found } of plan.conflicts) {
        settle([batch], ({ reject }) => reject(conflict(found.key, found.expected, found.actual)));
      }
      if (plan.operations.length === 0) return settle(plan.accepted, ({ resolve }) => resolve());
      const outcome = await this.#send(plan, states);
      if (outcome === 'done') return settle(plan.accepted, ({ resolve }) => resolve());
      if (outcome === 'unknown') return settle(plan.accepted, ({ reject }) => reject(unknown()));
      const { fence } = outcome;
      if (fence === undefined) continue;
      settle(
        plan.accepted.filter((batch) => batch.fence === fence),
        ({ reject }) => reject(fenced()),
      );
    }
    settle(open, ({ reject }) => reject(unavailable()));
  }

  /** What the keys of the batches are now; undefined when it is to be tried again. */
  async #states(batches: readonly Waiting[]): Promise<ReadonlyMap<string, NodeState> | undefined> {
    const writes = batches.flatMap((batch) => batch.writes);
    try {
      return await this.#options.readStates(new Map(writes.map(({ key, path }) => [key, path])));
    } catch (error) {
      if (isLost(error)) return undefined;
      throw error;
    }
  }

  /** Done, unknown, or not done: because a fence was gone, or for a reason that may pass. */
  async #send(
    plan: CommitPlan<Waiting>,
    states: ReadonlyMap<string, NodeState>,
  ): Promise<'done' | 'unknown' | { readonly fence: string | undefined }> {
    const { operations } = plan;
    try {
      const failed = failedOperation(
        await this.#options.client.request({ kind: 'multi', operations }),
      );
      if (failed === undefined) return 'done';
      if (!RACES.has(failed.error)) {
        throw new ZooKeeperError(failed.error, `ZooKeeper: multi: ${failed.error}`);
      }
      return { fence: plan.fences[failed.index] };
    } catch (error) {
      if (!isLost(error)) throw error;
      return await this.#afterLoss(plan, states);
    }
  }

  async #afterLoss(
    plan: CommitPlan<Waiting>,
    before: ReadonlyMap<string, NodeState>,
  ): Promise<'done' | 'unknown' | { readonly fence: undefined }> {
    if (plan.accepted.some(({ lease }) => lease === undefined)) return 'unknown';
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      const now = await this.#states(plan.accepted);
      // What another session left behind is for its successor to find out.
      if (!plan.accepted.every(({ lease }) => lease?.isHeld())) return 'unknown';
      if (now === undefined) continue;
      const outcome = planWasDone(plan, before, now);
      if (outcome === 'notDone') return { fence: undefined };
      return outcome === 'done' ? 'done' : 'unknown';
    }
    return 'unknown';
  }
}

/** Errors of an operation that say that somebody else was faster. */
const RACES: ReadonlySet<string> = new Set(['BADVERSION', 'NODEEXISTS', 'NONODE']);

function isLost(error: unknown): boolean {
  return error instanceof ZooKeeperError && error.reason === 'CONNECTIONLOSS';
}

function unknown(): OperationError {
  return new OperationError(
    'STORE_OUTCOME_UNKNOWN',
    'the connection to ZooKeeper was lost; the batch was applied, or it was not',
  );
}

function unavailable(cause?: unknown): OperationError {
  return new OperationError('STORE_UNAVAILABLE', 'ZooKeeper does not answer', {
    retry: 'later',
    ...(cause !== undefined && { cause }),
  });
}

/** An error of the client in the words of the store. */
export function storeError(error: unknown): unknown {
  if (!(error instanceof ZooKeeperError)) return error;
  switch (error.reason) {
    case 'CLOSED':
      return storeClosed();
    case 'CONNECTIONLOSS':
    case 'SESSIONEXPIRED':
    case 'SESSIONMOVED':
    case 'OPERATIONTIMEOUT':
    case 'REQUESTTIMEOUT':
    case 'THROTTLEDOP':
      return unavailable(error);
    case 'QUEUEFULL':
    case 'PACKETTOOLARGE':
      return new OperationError('STORE_LIMIT', 'ZooKeeper takes no more', { cause: error });
    default:
      return new OperationError('STORE_UNUSABLE', 'ZooKeeper refuses', { cause: error });
  }
}
