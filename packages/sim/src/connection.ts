/**
 * A connection between two parties, as TCP is: each direction delivers in order with a varying delay, or the
 * connection breaks, and then what was under way is lost and both sides learn of it, each in its own time.
 * A stalled connection delivers nothing and tells nobody until it is broken.
 */

import { canonicalText } from './canonical-text.ts';
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
  /** Distinguishes it from all others. */
  readonly name: string;
}

export function connect<ToLeft, ToRight>(
  world: World,
  name: string,
  left: Side<ToLeft>,
  right: Side<ToRight>,
): Connection<ToLeft, ToRight> {
  let open = true;
  let stalled = false;
  const held: (() => void)[] = [];
  const underWay = new Set<() => void>();
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

  function send<Message>(to: 'left' | 'right', side: Side<Message>, message: Message): void {
    if (!open) return;
    const at = arrival(to === 'left' ? earliestLeft : earliestRight);
    if (to === 'left') earliestLeft = at;
    else earliestRight = at;
    const says = (): string => canonicalText(message);
    const cancel = world.arrive(at - world.now(), { channel: `${name} to ${to}`, says }, () => {
      underWay.delete(cancel);
      deliver(() => side.receive(message));
    });
    underWay.add(cancel);
  }
  /** A side learns of the end in its own time. */
  function notice(to: 'left' | 'right', side: { closed(): void }): void {
    const says = (): string => 'closed';
    world.arrive(
      world.between(0, BREAK_NOTICE_MAX_MS),
      { channel: `${name} closes ${to}`, says },
      () => side.closed(),
    );
  }

  return {
    name,
    sendToLeft: (message) => send('left', left, message),
    sendToRight: (message) => send('right', right, message),
    break() {
      if (!open) return;
      open = false;
      for (const cancel of underWay) cancel();
      notice('left', left);
      notice('right', right);
    },
    stall: () => void (stalled = true),
    release() {
      stalled = false;
      for (const action of held.splice(0)) world.after(0, name, () => deliver(action));
    },
    get open() {
      return open;
    },
  };
}
