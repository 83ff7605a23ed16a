/**
 * Where the agent looks for its master: in a list that is tried in turn, or in ZooKeeper, which names the
 * leader. While nobody leads, the agent waits; when another leads, it leaves the one that it has.
 */

import type { FollowedMaster } from '@dcos/store';

export interface MasterDetector {
  /**
   * Gives the master to try next, as `http://host:port`: at once when one is known, or when the first one is
   * found. Who waits while nobody leads any more hears of the next leader by `onChange`. The returned function takes the wish back.
   */
  next(give: (master: string) => void): () => void;
  /** Calls back when another master than the last one leads. */
  onChange(listener: (master: string) => void): void;
  stop(): Promise<void>;
}

/** The detector for masters as they are set. */
export function createMasterDetector(masters: readonly string[] | FollowedMaster): MasterDetector {
  return 'follow' in masters ? followed(masters) : listed(masters);
}

function listed(masters: readonly string[]): MasterDetector {
  let index = 0;
  return {
    next(give) {
      give(masters[index % masters.length] ?? '');
      index += 1;
      return () => undefined;
    },
    onChange: () => undefined,
    stop: async () => undefined,
  };
}

function followed(masters: FollowedMaster): MasterDetector {
  let leader: string | undefined;
  let isFirst = true;
  let waiting: ((master: string) => void) | undefined;
  let changed: (master: string) => void = () => undefined;
  const stop = masters.follow(([master]) => {
    leader = master;
    if (leader === undefined) return;
    const wasFirst = isFirst;
    isFirst = false;
    if (!wasFirst) return changed(leader);
    const give = waiting;
    waiting = undefined;
    give?.(leader);
  });
  return {
    next(give) {
      if (leader !== undefined) {
        give(leader);
        return () => undefined;
      }
      waiting = give;
      return () => (waiting = undefined);
    },
    onChange: (listener) => void (changed = listener),
    stop,
  };
}
