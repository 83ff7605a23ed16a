/** What goes into a session and what comes out of it. */

import type { Random, Result } from '@dcos/base';
import type { ErrorName } from './errors.ts';
import type { Operation, Reply } from './operations.ts';
import type { ServerAddress } from './paths.ts';
import type { Credentials, WatchEvent } from './protocol.ts';

export interface SessionOptions {
  readonly servers: readonly ServerAddress[];
  readonly credentials: Credentials | undefined;
  readonly chroot: string;
  /** Asked for; servers bound it by their own settings. */
  readonly sessionTimeoutMs: number;
  /** Bytes of a packet that is sent at most; servers close connections that exceed their `jute.maxbuffer`. */
  readonly packetBytesMax: number;
  /** Bytes of a packet that is taken at most. */
  readonly answerBytesMax: number;
  /** Requests without an answer at most, and bytes of them. */
  readonly requestsMax: number;
  readonly requestBytesMax: number;
  readonly watchesMax: number;
  readonly random: Random;
}

export type SessionState = 'connected' | 'suspended' | 'expired' | 'authFailed' | 'closed';

export type SessionInput =
  | { readonly kind: 'start' }
  | { readonly kind: 'opened'; readonly connection: number }
  | { readonly kind: 'received'; readonly connection: number; readonly bytes: Uint8Array }
  | { readonly kind: 'broken'; readonly connection: number; readonly reason: string }
  | { readonly kind: 'request'; readonly id: number; readonly operation: Operation }
  | { readonly kind: 'timer' }
  /** The connection is of no use to whoever asks on it. */
  | { readonly kind: 'reconnect'; readonly reason: string }
  | { readonly kind: 'close' };

export type SessionEffect =
  | { readonly kind: 'open'; readonly connection: number; readonly server: ServerAddress }
  | { readonly kind: 'send'; readonly connection: number; readonly bytes: Uint8Array }
  | { readonly kind: 'shut'; readonly connection: number }
  | {
      readonly kind: 'answer';
      readonly id: number;
      readonly result: Result<Reply, ErrorName>;
    }
  | { readonly kind: 'event'; readonly event: WatchEvent }
  | { readonly kind: 'state'; readonly state: SessionState; readonly reason: string };
