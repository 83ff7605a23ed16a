/**
 * Invariant 4: at most one leader acts at any time. What counts is what the ensemble has agreed on at the moment of
 * the act: a leader is whose candidate's node is the first of those that are there.
 */

import type { Verdict } from '../checkers.ts';
import type { Transaction } from '../ensemble/node-tree.ts';
import type { TrueLeader } from './master-group.ts';
import { ZK_PATH } from './zookeeper-access.ts';

export interface LeadershipChecker {
  /** Something is about to be agreed on. */
  onCommit(transaction: Transaction): void;
  /** A master does something that others can see. */
  onAction(name: string, epoch: number, what: string): void;
  check(): Verdict;
}

export function createLeadershipChecker(
  leaderNow: () => TrueLeader | undefined,
): LeadershipChecker {
  let verdict: Verdict;
  return {
    onCommit({ session, changes, checked }) {
      const writes = changes.find(
        (change) => 'path' in change && change.path.startsWith(`${ZK_PATH}/store/`),
      );
      if (writes === undefined || !('path' in writes)) return;
      const leader = leaderNow();
      const isLeader = leader?.session === session || checked.includes(leader?.path ?? '');
      if (!isLeader)
        verdict ??= `session ${session} wrote ${writes.path}, though ${leader?.session ?? 'nobody'} leads`;
    },
    onAction(name, epoch, what) {
      const leader = leaderNow();
      if (leader?.epoch !== epoch)
        verdict ??= `${name} did ${what} as the leader of epoch ${epoch}, though ${leader?.epoch ?? 'nobody'} leads`;
    },
    check: () => verdict,
  };
}
