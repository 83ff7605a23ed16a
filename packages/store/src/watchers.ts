/** Watchers of a store in one process: called after each commit, in commit order, bounded in number. */

import { OperationError } from '@dcos/base';
import type { Change, Unwatch } from './store.ts';

/** Watches that one store carries at most. */
export const WATCHES_MAX = 10_000;

export interface Watchers {
  add(prefix: string, listener: (changes: readonly Change[]) => void): Unwatch;
  notify(changes: readonly Change[]): void;
}

export function createWatchers(): Watchers {
  const watches = new Set<{ prefix: string; listener: (changes: readonly Change[]) => void }>();
  return {
    add(prefix, listener) {
      if (watches.size >= WATCHES_MAX) {
        throw new OperationError('STORE_LIMIT', `at most ${WATCHES_MAX} watches are allowed`);
      }
      const watch = { prefix, listener };
      watches.add(watch);
      return () => void watches.delete(watch);
    },
    notify(changes) {
      for (const watch of watches) {
        const seen = changes.filter((change) => changedKey(change).startsWith(watch.prefix));
        if (seen.length > 0) watch.listener(seen);
      }
    },
  };
}

function changedKey(change: Change): string {
  return change.kind === 'put' ? change.entry.key : change.key;
}
