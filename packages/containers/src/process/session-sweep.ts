/**
 * Ends what an ended task left behind in groups of its own, such as the jobs of an interactive shell. The
 * shim ends its group by itself; a look at the process table finds the rest of its session. Many ends
 * share one look, since it costs as much as the host has processes.
 *
 * A session's number names no other session as long as one process is in it; one whose leader lives is
 * never ours, since our leader, the shim, has ended before.
 */

import { errorText, type Logger } from '@dcos/base';
import { groupsOfSessions } from './process-table.ts';

/** How long an end waits for others to share a look with. */
const GATHER_MS = 200;

export interface SessionSweep {
  /** The leader of this session has ended. */
  ended(session: number): void;
  close(): void;
}

export function createSessionSweep(kill: (group: number) => void, logger: Logger): SessionSweep {
  let waiting = new Set<number>();
  let timer: NodeJS.Timeout | undefined;

  async function sweep(): Promise<void> {
    const sessions = waiting;
    waiting = new Set();
    timer = undefined;
    try {
      const groups = await groupsOfSessions(sessions);
      for (const [session, members] of groups) {
        if (members.leaderLives) continue;
        for (const group of members.groups) {
          logger.info(
            { event: 'leftover.killed', session, group },
            'killing what a task left running',
          );
          kill(group);
        }
      }
    } catch (error) {
      logger.warn({ event: 'sweep.failed', error: errorText(error) }, 'cannot look for leftovers');
    }
  }

  return {
    ended(session) {
      waiting.add(session);
      timer ??= setTimeout(() => void sweep(), GATHER_MS).unref();
    },
    close() {
      clearTimeout(timer);
    },
  };
}
