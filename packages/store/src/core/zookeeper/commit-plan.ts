/**
 * Turns batches of writes into one `multi`. What a batch expects is checked against the versions that were
 * read, and again by the server, so that nothing that happens in between gets lost.
 *
 * Invariants: a batch is in the plan whole or not at all; later batches see the writes of earlier ones;
 * every lease that a batch is written under is checked in the same `multi`.
 */

import { err, ok, type Result } from '@dcos/base';
import type { Acl, MultiOperation } from './operations.ts';

/** A key's node as it was read; undefined when there is none. */
export interface NodeState {
  /** The store's version: one more than ZooKeeper's. */
  readonly version: number;
  readonly mzxid: bigint;
}

export interface PlannedWrite {
  readonly kind: 'put' | 'delete';
  readonly key: string;
  readonly path: string;
  readonly value: Uint8Array;
  readonly expect: number | undefined;
  readonly ephemeral: boolean;
}

export interface PlannedBatch {
  readonly writes: readonly PlannedWrite[];
  /** The node that must exist; undefined for a batch without a lease. */
  readonly fence: string | undefined;
}

export interface Conflict {
  readonly key: string;
  readonly expected: number;
  readonly actual: number;
}

export interface CommitPlan<B extends PlannedBatch> {
  readonly operations: readonly MultiOperation[];
  /** The fence that is checked by the operation of the same index; fences come first. */
  readonly fences: readonly string[];
  readonly accepted: readonly B[];
  readonly conflicts: readonly { readonly batch: B; readonly conflict: Conflict }[];
  /** The version of every key that the plan touches, once it is done; 0 for none. */
  readonly after: ReadonlyMap<string, number>;
}

/** Plans batches in their order. */
export function planCommit<B extends PlannedBatch>(
  batches: readonly B[],
  states: ReadonlyMap<string, NodeState>,
  acl: readonly Acl[],
): CommitPlan<B> {
  const accepted: B[] = [];
  const conflicts: { batch: B; conflict: Conflict }[] = [];
  const operations: MultiOperation[] = [];
  const after = new Map<string, number>();
  const fences = new Set<string>();
  for (const batch of batches) {
    const staged = new Map(after);
    const outcome = stage(batch.writes, { staged, states, acl });
    if (!outcome.ok) {
      conflicts.push({ batch, conflict: outcome.error });
      continue;
    }
    accepted.push(batch);
    operations.push(...outcome.value);
    for (const [key, version] of staged) after.set(key, version);
    if (batch.fence !== undefined) fences.add(batch.fence);
  }
  const checks = [...fences].map((path) => ({ kind: 'check', path, version: 0 }) as const);
  return {
    operations: [...checks, ...operations],
    fences: [...fences],
    accepted,
    conflicts,
    after,
  };
}

interface Stage {
  /** Versions after the writes before this one. */
  readonly staged: Map<string, number>;
  readonly states: ReadonlyMap<string, NodeState>;
  readonly acl: readonly Acl[];
}

/** The operations of one batch, or why it cannot be. */
function stage(
  writes: readonly PlannedWrite[],
  { staged, states, acl }: Stage,
): Result<readonly MultiOperation[], Conflict> {
  const operations: MultiOperation[] = [];
  for (const { kind, key, path, value, expect, ephemeral } of writes) {
    const version = staged.get(key) ?? states.get(key)?.version ?? 0;
    if (expect !== undefined && expect !== version) {
      return err({ key, expected: expect, actual: version });
    }
    const mode = ephemeral ? 'ephemeral' : 'persistent';
    const expected = expect === undefined ? -1 : version - 1;
    const create = { kind: 'create', path, data: value, acl, mode } as const;
    if (kind === 'put') {
      operations.push(
        version === 0 ? create : { kind: 'setData', path, data: value, version: expected },
      );
      staged.set(key, version + 1);
    } else {
      // Only a creation can prove that there is no node.
      if (version === 0 && expect !== undefined) operations.push(create);
      if (version > 0 || expect !== undefined) {
        operations.push({ kind: 'delete', path, version: version === 0 ? -1 : expected });
      }
      staged.set(key, 0);
    }
  }
  return ok(operations);
}

/**
 * Whether a plan whose answer was lost has been done, by what is there now. Only for batches under a lease
 * that is still held, so that nobody else wrote; `unclear` when it looks as if somebody did.
 */
export function planWasDone(
  plan: CommitPlan<PlannedBatch>,
  before: ReadonlyMap<string, NodeState>,
  now: ReadonlyMap<string, NodeState>,
): 'done' | 'notDone' | 'unclear' {
  const keys = [...plan.after.keys()];
  if (keys.every((key) => before.get(key)?.mzxid === now.get(key)?.mzxid)) {
    // A key that was not there and is not there afterwards says nothing; others do.
    const saysNothing = keys.every((key) => !before.has(key) && plan.after.get(key) === 0);
    return saysNothing ? 'done' : 'notDone';
  }
  const isDone = keys.every((key) => (now.get(key)?.version ?? 0) === plan.after.get(key));
  // One multi has one number.
  const numbers = new Set(keys.flatMap((key) => now.get(key)?.mzxid ?? []));
  return isDone && numbers.size <= 1 ? 'done' : 'unclear';
}
