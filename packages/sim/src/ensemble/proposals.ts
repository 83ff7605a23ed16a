/** What the servers of a simulated ensemble say to one another. */

import type { ErrorName, MultiOperation } from '@dcos/store/protocol';
import type { NodeChange, Transaction } from './node-tree.ts';

/** What a client wants that only the leader can decide. */
export interface Wish {
  readonly number: number;
  /** The server that the client is connected to. */
  readonly server: string;
  readonly session: bigint;
  readonly what:
    | {
        readonly kind: 'write';
        readonly operations: readonly MultiOperation[];
        readonly isMulti: boolean;
      }
    | { readonly kind: 'sync'; readonly path: string }
    | { readonly kind: 'open'; readonly timeoutMs: number }
    | { readonly kind: 'reopen' }
    | { readonly kind: 'close' };
}

/** How a wish ends that no transaction comes of. */
export type Outcome =
  | { readonly kind: 'refused'; readonly index: number; readonly error: ErrorName }
  | { readonly kind: 'synced' }
  /** @see {@link Wish} `reopen`; 0 says that the session is over. */
  | { readonly kind: 'reopened'; readonly timeoutMs: number }
  /** The session is at another server by now. */
  | { readonly kind: 'moved' };

/** An entry of the servers' logs. */
export interface Proposal {
  readonly transaction: Transaction;
  /** The wish that it fulfils, and the changes that each of its operations makes. */
  readonly wish: Wish | undefined;
  readonly planned: readonly (NodeChange | undefined)[];
}

export type ToFollower =
  | { readonly kind: 'ping' }
  | { readonly kind: 'propose'; readonly proposal: Proposal }
  /** So many entries of the log are committed. */
  | { readonly kind: 'commit'; readonly count: number }
  | { readonly kind: 'answer'; readonly wish: Wish; readonly outcome: Outcome };

export type ToLeader =
  /** The answer to a ping names the sessions that were heard since the last one. */
  | { readonly kind: 'pong'; readonly touched: readonly bigint[] }
  /** So many entries are in the follower's log. */
  | { readonly kind: 'ack'; readonly count: number }
  | { readonly kind: 'wish'; readonly wish: Wish };
