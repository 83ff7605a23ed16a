/**
 * Elections within one process: what the embedded stores need, where all candidates share the process
 * and the file lock keeps other processes out. First come, first served; the epoch is durable.
 */

import { OperationError } from '@dcos/base';
import type { Leader, Lease, Unwatch } from './store.ts';

interface Candidacy {
  readonly candidate: string;
  readonly won: (lease: Lease) => void;
  readonly failed: (error: Error) => void;
}

interface Holder {
  readonly candidate: string;
  readonly epoch: number;
  readonly end: () => void;
}

export interface Elections {
  elect(election: string, candidate: string): Promise<Lease>;
  leader(election: string): Leader | undefined;
  watchLeader(election: string, listener: (leader: Leader | undefined) => void): Unwatch;
  close(): void;
}

/**
 * @param nextEpoch gives and durably records the next epoch of an election.
 */
export function createElections(nextEpoch: (election: string) => number): Elections {
  const holders = new Map<string, Holder>();
  const queues = new Map<string, Candidacy[]>();
  const listeners = new Map<string, Set<(leader: Leader | undefined) => void>>();
  let closed = false;

  function leader(election: string): Leader | undefined {
    const holder = holders.get(election);
    return holder && { candidate: holder.candidate, epoch: holder.epoch };
  }

  function tell(election: string): void {
    const now = leader(election);
    for (const listener of listeners.get(election) ?? []) listener(now);
  }

  function advance(election: string): void {
    if (closed || holders.has(election)) return;
    const next = queues.get(election)?.shift();
    if (next === undefined) return;
    const epoch = nextEpoch(election);
    let held = true;
    let resolveLost = (): void => undefined;
    const lost = new Promise<void>((resolve) => {
      resolveLost = resolve;
    });
    const end = (): void => {
      if (!held) return;
      held = false;
      holders.delete(election);
      resolveLost();
      advance(election);
      if (!holders.has(election)) tell(election);
    };
    holders.set(election, { candidate: next.candidate, epoch, end });
    tell(election);
    next.won({ epoch, isHeld: () => held, lost, release: async () => end() });
  }

  return {
    elect(election, candidate) {
      if (closed) return Promise.reject(storeClosed());
      return new Promise<Lease>((resolve, reject) => {
        const queue = queues.get(election) ?? [];
        queue.push({ candidate, won: resolve, failed: reject });
        queues.set(election, queue);
        advance(election);
      });
    },
    leader,
    watchLeader(election, listener) {
      const set = listeners.get(election) ?? new Set();
      listeners.set(election, set.add(listener));
      const now = leader(election);
      if (now !== undefined) listener(now);
      return () => void set.delete(listener);
    },
    close() {
      closed = true;
      for (const holder of holders.values()) holder.end();
      for (const candidacy of [...queues.values()].flat()) candidacy.failed(storeClosed());
      queues.clear();
    },
  };
}

/** The error of every call after `close`. */
export function storeClosed(): OperationError {
  return new OperationError('STORE_CLOSED', 'the store is closed');
}
