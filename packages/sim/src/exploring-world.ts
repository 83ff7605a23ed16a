/**
 * A world without chance: what happens next is chosen from outside, out of everything that could. Arrivals
 * take as long as they take, so any channel may deliver next; clocks run at one speed, so timers fire in
 * the order of their instants. Waits are the shortest possible, and what is due at once happens at once.
 */

import { assert, seededRandom, type Instant } from '@dcos/base';
import { EPOCH_MS, type Arrival, type World } from './world.ts';

/** The choice to let time pass until the next timer. */
export const TIME_PASSES = 'time passes';
/** Timers that may fire at one instant; more means that something feeds itself. */
const DUE_AT_ONCE_MAX = 10_000;
const RECENT_LINES = 60;

interface Waiting {
  readonly name: string;
  readonly at: Instant;
  readonly action: () => void;
}

interface UnderWay {
  readonly arrival: Arrival;
  readonly action: () => void;
}

export interface ExploringWorld extends World {
  /** Channels with something under way, the oldest first. */
  arrivals(): readonly string[];
  hasTimers(): boolean;
  /** Performs what a channel holds first, or lets time pass; then all that is due at once. */
  choose(choice: string): void;
  /** Performs all that is due at this instant. */
  settle(): void;
  /** Performs an action for which every chance is taken. */
  withLuck(action: () => void): void;
  /** All that is queued, as one text. */
  digest(): string;
}

export function createExploringWorld(): ExploringWorld {
  const timers = new Set<Waiting>();
  const channels = new Map<string, UnderWay[]>();
  const recent: string[] = [];
  let now = EPOCH_MS;
  let isLucky = false;

  function next(): Waiting | undefined {
    let first: Waiting | undefined;
    // A set keeps the order of queueing, which decides among equals.
    for (const timer of timers) if (first === undefined || timer.at < first.at) first = timer;
    return first;
  }

  function fire(timer: Waiting): void {
    timers.delete(timer);
    now = timer.at;
    timer.action();
  }

  function settle(): void {
    for (let fired = 0; fired < DUE_AT_ONCE_MAX; fired++) {
      const timer = next();
      if (timer === undefined || timer.at > now) return;
      fire(timer);
    }
    assert(false, 'what is due at once comes to an end');
  }

  function step(): boolean {
    const [channel] = channels.keys();
    if (channel === undefined && timers.size === 0) return false;
    choose(channel ?? TIME_PASSES);
    return true;
  }

  function choose(choice: string): void {
    if (choice === TIME_PASSES) {
      const timer = next();
      assert(timer !== undefined, 'time passes until something happens');
      fire(timer);
    } else {
      const underWay = channels.get(choice);
      const first = underWay?.shift();
      assert(underWay !== undefined && first !== undefined, `${choice} delivers something`);
      // The channel goes to the end of the line, so that whoever always takes the first is fair.
      channels.delete(choice);
      if (underWay.length > 0) channels.set(choice, underWay);
      first.action();
    }
    settle();
  }

  return {
    random: seededRandom(1),
    now: () => now,
    after(delayMs, name, action) {
      const timer = { name, at: now + delayMs, action };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    arrive(_delayMs, arrival, action) {
      const mine = { arrival, action };
      const { channel } = arrival;
      channels.set(channel, [...(channels.get(channel) ?? []), mine]);
      return () => {
        const left = (channels.get(channel) ?? []).filter((other) => other !== mine);
        if (left.length > 0) channels.set(channel, left);
        else channels.delete(channel);
      };
    },
    between: (least) => least,
    chance: () => isLucky,
    pick: (items) => items[0],
    trace(line) {
      recent.push(`${(now - EPOCH_MS).toFixed(0)} ${line}`);
      if (recent.length > RECENT_LINES) recent.shift();
    },
    step,
    traceHash: () => '',
    recentTrace: () => [...recent],
    arrivals: () => [...channels.keys()],
    hasTimers: () => timers.size > 0,
    choose,
    settle,
    withLuck(action) {
      isLucky = true;
      action();
      isLucky = false;
    },
    digest() {
      const lines = Array.from(timers, ({ name, at }) => `${at - now} ${name}`).sort();
      for (const [channel, underWay] of [...channels].sort(([left], [right]) =>
        left < right ? -1 : 1,
      ))
        lines.push(`${channel}: ${underWay.map(({ arrival }) => arrival.says()).join('; ')}`);
      return lines.join('\n');
    },
  };
}
