/**
 * A connection between two parties, as TCP is: each direction delivers in order with a varying delay, or the
 * connection breaks. What was under way then is lost, or still arrives before the end is seen, and both sides
 * learn of the end each in their own time: so what comes over an old connection may arrive after what
 * comes over a new one. A stalled direction delivers nothing and tells nobody until it is released or broken.
 */

import { canonicalText } from './canonical-text.ts';
import type { World } from './world.ts';

/** Delay of one delivery. */
const DELAY_MIN_MS = 1;
const DELAY_MAX_MS = 20;
/** How late a side learns that the connection broke. */
const BREAK_NOTICE_MAX_MS = 200;
/** How often what was under way still arrives. */
const DRAIN_PROBABILITY = 0.3;

export interface Side<Incoming> {
  receive(message: Incoming): void;
  closed(): void;
}

/** The side that a message goes to; the left one is the master's. */
export type Direction = 'left' | 'right';

export interface Connection<ToLeft, ToRight> {
  sendToLeft(message: ToLeft): void;
  sendToRight(message: ToRight): void;
  /** Breaks it; harmless when broken already. */
  break(): void;
  /** The left side closes it: what it has sent still arrives, unless it is cut off. */
  closeFromLeft(): void;
  /** Nothing is delivered in that direction until `release`. */
  stall(direction: Direction): void;
  release(direction: Direction): void;
  /** Messages that were sent in that direction and have not arrived. */
  backlog(direction: Direction): number;
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
  const toLeft = createLane(world, `${name} to left`, left);
  const toRight = createLane(world, `${name} to right`, right);
  const laneOf = (direction: Direction): Pick<Lane<never>, 'stall' | 'release' | 'backlog'> =>
    direction === 'left' ? toLeft : toRight;
  return {
    name,
    sendToLeft(message) {
      if (open) toLeft.send(message);
    },
    sendToRight(message) {
      if (open) toRight.send(message);
    },
    break() {
      if (!open) return;
      open = false;
      toLeft.end({ delivers: false });
      toRight.end({ delivers: false });
    },
    closeFromLeft() {
      if (!open) return;
      open = false;
      toLeft.end({ delivers: false });
      toRight.end({ delivers: true });
    },
    stall: (direction) => laneOf(direction).stall(),
    release: (direction) => laneOf(direction).release(),
    backlog: (direction) => laneOf(direction).backlog(),
    get open() {
      return open;
    },
  };
}

/** One direction. */
interface Lane<Message> {
  send(message: Message): void;
  stall(): void;
  release(): void;
  /** The side learns of the end: after what was under way, which it delivers or, by chance, may deliver. */
  end(how: { readonly delivers: boolean }): void;
  backlog(): number;
}

function createLane<Message>(world: World, channel: string, side: Side<Message>): Lane<Message> {
  const underWay = new Set<() => void>();
  const held: (() => void)[] = [];
  let stalled = false;
  let draining = false;
  // The instant before which the next message may not arrive, so that order is kept.
  let earliest = 0;

  function queue(leastMs: number, mostMs: number, says: () => string, action: () => void): void {
    earliest = Math.max(earliest, world.now() + world.between(leastMs, mostMs));
    const arrived = (): void => {
      underWay.delete(cancel);
      arrive(action);
    };
    const cancel = world.arrive(earliest - world.now(), { channel, says }, arrived);
    underWay.add(cancel);
  }

  function arrive(action: () => void): void {
    held.push(action);
    if (!draining) drain();
  }

  /** Hands over what has arrived, in order, as long as nothing stalls it. */
  function drain(): void {
    draining = false;
    if (stalled) return;
    for (let action = held.shift(); action !== undefined; action = held.shift()) {
      action();
      // What it did may have cut the party off.
      if (stalled) return;
    }
  }

  return {
    send(message) {
      queue(
        DELAY_MIN_MS,
        DELAY_MAX_MS,
        () => canonicalText(message),
        () => side.receive(message),
      );
    },
    stall: () => void (stalled = true),
    release() {
      stalled = false;
      if (draining || held.length === 0) return;
      // Until then what arrives waits behind what was held.
      draining = true;
      world.after(0, channel, drain);
    },
    end({ delivers }) {
      if (stalled || (!delivers && !world.chance(DRAIN_PROBABILITY))) {
        for (const cancel of underWay) cancel();
        underWay.clear();
        held.length = 0;
        earliest = 0;
        stalled = false;
      }
      queue(
        0,
        BREAK_NOTICE_MAX_MS,
        () => 'closed',
        () => side.closed(),
      );
    },
    backlog: () => underWay.size + held.length,
  };
}
