/**
 * Elections within one process: what the embedded stores need, where all candidates share the process
 * and the file lock keeps other processes out. First come, first served; the epoch is durable.
 */

import { OperationError } from '@dcos/base';
import type { ElectOptions, Leader, Lease, Unwatch } from './store.ts';

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
  elect(election: string, candidate: string, options?: ElectOptions): Promise<Lease>;
  leader(election: string): Leader | undefined;
  candidates(election: string): readonly string[];
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
    elect(election, candidate, { signal } = {}) {
      if (closed) return Promise.reject(storeClosed());
      if (signal?.aborted === true) return Promise.reject(withdrawn());
      return new Promise<Lease>((resolve, reject) => {
        const queue = queues.get(election) ?? [];
        const candidacy = { candidate, won: resolve, failed: reject };
        queue.push(candidacy);
        queues.set(election, queue);
        signal?.addEventListener('abort', () => {
          const place = queue.indexOf(candidacy);
          if (place === -1) return;
          queue.splice(place, 1);
          reject(withdrawn());
        });
        advance(election);
      });
    },
    leader,
    candidates(election) {
      const all = [holders.get(election), ...(queues.get(election) ?? [])];
      return all.flatMap((one) => (one === undefined ? [] : [one.candidate]));
    },
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

/** The error of a candidacy that was taken back. */
export function withdrawn(): OperationError {
  return new OperationError('STORE_CANDIDACY_WITHDRAWN', 'the candidacy was taken back');
}

/** The error of every call after `close`. */
export function storeClosed(): OperationError {
  return new OperationError('STORE_CLOSED', 'the store is closed');
}
