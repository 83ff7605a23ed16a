/**
 * Follows who leads an election: watches the directory of the candidates and reads it again after every
 * change. Needs no right but that to read.
 *
 * Invariant: while there is no connection the last leader counts, as long as the session may be alive; when
 * it is over, nobody is known to lead until somebody is found anew.
 */

import { errorText, type Logger } from '@dcos/base';
import type { WatchEvent } from '../core/zookeeper/index.ts';
import type { Leader } from '../store.ts';
import { allOf, leaderOf, type ElectionLayout, type FoundLeader } from './candidates.ts';
import type { ZooKeeperClient } from './client.ts';
import { isReason } from './nodes.ts';

export interface LeaderWatchOptions {
  readonly client: ZooKeeperClient;
  readonly layout: ElectionLayout;
  readonly logger: Logger;
  readonly listener: (leader: Leader | undefined) => void;
  /** What all candidates say, the leader first, after each change; those that were seen last count when nobody can be asked. */
  readonly onCandidates?: ((candidates: readonly string[]) => void) | undefined;
}

/** Begins to follow. The returned function ends it. */
export function watchLeader(options: LeaderWatchOptions): () => void {
  const { client, layout, logger, listener, onCandidates } = options;
  let told: string | undefined;
  let toldAll = '';
  let isStopped = false;
  let isLooking = false;
  /** Whether something happened that the look under way may not have seen. */
  let isStale = false;

  function tell(path: string | undefined, leader: Leader | undefined): void {
    if (isStopped || path === told) return;
    told = path;
    listener(leader);
  }

  function tellAll(all: readonly FoundLeader[]): void {
    const paths = all.map(({ path }) => path).join();
    if (isStopped || paths === toldAll) return;
    toldAll = paths;
    onCandidates?.(all.map(({ candidate }) => candidate));
  }

  async function lookOnce(): Promise<void> {
    try {
      // Set before the look, so that a directory that is made meanwhile is seen.
      await client.request({ kind: 'exists', path: layout.directory, watch: true });
    } catch (error) {
      if (!isReason(error, 'NONODE')) throw error;
      tell(undefined, undefined);
      return;
    }
    let found: FoundLeader | undefined;
    if (onCandidates === undefined) found = await leaderOf(client, layout, true);
    else {
      const all = await allOf(client, layout, true);
      tellAll(all);
      [found] = all;
    }
    tell(found?.path, found && { candidate: found.candidate, epoch: found.epoch });
  }

  /** One look at a time: what happens during one is answered by another. */
  async function look(): Promise<void> {
    if (isStopped) return;
    if (isLooking) {
      isStale = true;
      return;
    }
    isLooking = true;
    isStale = false;
    try {
      await lookOnce();
    } catch (error) {
      // The next connection begins with a look.
      const fields = { event: 'leader.not-read', error: errorText(error) };
      if (!isStopped) logger.debug(fields, 'the leader could not be read');
    }
    isLooking = false;
    if (isStale) await look();
  }

  const cancel = client.listen({
    onEvent: ({ path }: WatchEvent) => {
      if (path === layout.directory) void look();
    },
    onState: (state) => {
      if (state === 'connected') void look();
      else if (state === 'expired' || state === 'closed' || state === 'authFailed') {
        tell(undefined, undefined);
      }
    },
  });
  void look();
  return () => {
    isStopped = true;
    cancel();
  };
}
