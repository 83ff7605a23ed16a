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

/** How long an end waits for others to share a look with, at least. */
const GATHER_MS = 500;
/** A look that takes long is taken less often: the time between looks is that many times its length. */
const REST_FACTOR = 20;

export interface SessionSweep {
  /** The leader of this session has ended. */
  ended(session: number): void;
  /** Takes the look that is due; none after it. */
  close(): Promise<void>;
}

export function createSessionSweep(kill: (group: number) => void, logger: Logger): SessionSweep {
  let waiting = new Set<number>();
  let timer: NodeJS.Timeout | undefined;
  let lookMs = 0;
  let isClosed = false;

  async function sweep(): Promise<void> {
    const sessions = waiting;
    waiting = new Set();
    const startedMs = performance.now();
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
    } finally {
      lookMs = performance.now() - startedMs;
      timer = undefined;
      if (waiting.size > 0) arm();
    }
  }

  function arm(): void {
    if (isClosed) return;
    timer ??= setTimeout(() => void sweep(), Math.max(GATHER_MS, REST_FACTOR * lookMs)).unref();
  }

  return {
    ended(session) {
      waiting.add(session);
      arm();
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      if (waiting.size > 0) await sweep();
    },
  };
}
