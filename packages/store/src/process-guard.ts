/**
 * Notices at once when the process at an address ends, by a connection that its kernel closes, and by the
 * refusal of the next one: nobody listens there any more.
 *
 * Invariant: it is said only of a process that was reached from here before. Silence says nothing, since a
 * frozen process and a lost network are silent too.
 */

import { connect, type Socket } from 'node:net';
import type { Cancel, Clock } from '@dcos/base';

export interface GuardedAddress {
  readonly host: string;
  readonly port: number;
}

/** How long after a failure it is tried again: soon where somebody was, who may be ending just now. */
const RETRY_REACHED_MS = 50;
const RETRY_MS = 1_000;

/** Begins to watch; calls `gone` at most once. The returned function ends it. */
export function guardProcess(
  { host, port }: GuardedAddress,
  clock: Pick<Clock, 'setTimer'>,
  gone: () => void,
): () => void {
  let wasReached = false;
  let isOver = false;
  let socket: Socket | undefined;
  let cancelRetry: Cancel = () => undefined;

  function attempt(): void {
    const opening = connect({ host, port });
    socket = opening;
    let isOpen = false;
    let refused = false;
    // What it says is of no interest, but must be read for its end to be seen.
    opening.resume();
    opening.on('connect', () => {
      isOpen = true;
      wasReached = true;
    });
    opening.on(
      'error',
      (error: NodeJS.ErrnoException) => (refused = error.code === 'ECONNREFUSED'),
    );
    opening.on('close', () => {
      if (isOver) return;
      if (isOpen) return attempt();
      if (refused && wasReached) {
        isOver = true;
        return gone();
      }
      cancelRetry = clock.setTimer(wasReached ? RETRY_REACHED_MS : RETRY_MS, attempt);
    });
  }

  attempt();
  return () => {
    isOver = true;
    cancelRetry();
    socket?.destroy();
  };
}
