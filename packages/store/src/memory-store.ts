/** The store of tests: everything in maps, gone with the process. */

import { compareText } from '@dcos/base';
import { createElections, storeClosed } from './elections.ts';
import { checkLimits, conflict, fenced, type Change, type Entry, type Store } from './store.ts';
import { createWatchers } from './watchers.ts';

/** Opens an empty store. */
export function openMemoryStore(): Store {
  const entries = new Map<string, Entry>();
  const epochs = new Map<string, number>();
  const watchers = createWatchers();
  const elections = createElections((election) => {
    const epoch = (epochs.get(election) ?? 0) + 1;
    epochs.set(election, epoch);
    return epoch;
  });
  let closed = false;
  const open = (): void => {
    if (closed) throw storeClosed();
  };

  return {
    async get(key) {
      open();
      return entries.get(key);
    },
    async list(prefix) {
      open();
      return [...entries.values()]
        .filter((entry) => entry.key.startsWith(prefix))
        .sort((left, right) => compareText(left.key, right.key));
    },
    async commit(writes, options = {}) {
      open();
      checkLimits(writes);
      if (options.lease !== undefined && !options.lease.isHeld()) {
        throw fenced();
      }
      const staged = new Map<string, Entry | undefined>();
      const current = (key: string): Entry | undefined =>
        staged.has(key) ? staged.get(key) : entries.get(key);
      for (const write of writes) {
        const version = current(write.key)?.version ?? 0;
        if (write.expect !== undefined && write.expect !== version) {
          throw conflict(write.key, write.expect, version);
        }
        staged.set(
          write.key,
          write.kind === 'put'
            ? { key: write.key, value: Uint8Array.from(write.value), version: version + 1 }
            : undefined,
        );
      }
      const changes: Change[] = [];
      for (const [key, entry] of staged) {
        if (entry === undefined) {
          if (entries.delete(key)) changes.push({ kind: 'delete', key });
        } else {
          entries.set(key, entry);
          changes.push({ kind: 'put', entry });
        }
      }
      watchers.notify(changes);
    },
    watch: (prefix, listener) => watchers.add(prefix, listener),
    elect: (...candidacy) => elections.elect(...candidacy),
    leader: async (election) => elections.leader(election),
    candidates: async (election) => elections.candidates(election),
    watchLeader: (election, listener) => elections.watchLeader(election, listener),
    async close() {
      closed = true;
      elections.close();
    },
  };
}
