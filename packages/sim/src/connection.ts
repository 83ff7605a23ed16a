/**
 * A connection between two parties, as TCP is: each direction delivers in order with a varying delay, or the
 * connection breaks, and then what was under way is lost and both sides learn of it, each in its own time.
 * A stalled connection delivers nothing and tells nobody until it is broken.
 */

import type { World } from './world.ts';

/** Delay of one delivery. */
const DELAY_MIN_MS = 1;
const DELAY_MAX_MS = 20;
/** How late a side learns that the connection broke. */
const BREAK_NOTICE_MAX_MS = 200;

export interface Side<Incoming> {
  receive(message: Incoming): void;
  closed(): void;
}

export interface Connection<ToLeft, ToRight> {
  sendToLeft(message: ToLeft): void;
  sendToRight(message: ToRight): void;
  /** Breaks it; harmless when broken already. */
  break(): void;
  /** Nothing is delivered until `release`. */
  stall(): void;
  release(): void;
  readonly open: boolean;
}

export function connect<ToLeft, ToRight>(
  world: World,
  left: Side<ToLeft>,
  right: Side<ToRight>,
): Connection<ToLeft, ToRight> {
  let open = true;
  let stalled = false;
  const held: (() => void)[] = [];
  // The instant before which the next message of a direction may not arrive, so that order is kept.
  let earliestLeft = 0;
  let earliestRight = 0;

  function deliver(action: () => void): void {
    if (!open) return;
    if (stalled) held.push(action);
    else action();
  }
  function arrival(earliest: number): number {
    return Math.max(earliest, world.now() + world.between(DELAY_MIN_MS, DELAY_MAX_MS));
  }

  return {
    sendToLeft(message) {
      if (!open) return;
      earliestLeft = arrival(earliestLeft);
      world.after(earliestLeft - world.now(), () => deliver(() => left.receive(message)));
    },
    sendToRight(message) {
      if (!open) return;
      earliestRight = arrival(earliestRight);
      world.after(earliestRight - world.now(), () => deliver(() => right.receive(message)));
    },
    break() {
      if (!open) return;
      open = false;
      world.after(world.between(0, BREAK_NOTICE_MAX_MS), () => left.closed());
      world.after(world.between(0, BREAK_NOTICE_MAX_MS), () => right.closed());
    },
    stall: () => void (stalled = true),
    release() {
      stalled = false;
      for (const action of held.splice(0)) world.after(0, () => deliver(action));
    },
    get open() {
      return open;
    },
  };
}
