/**
 * The virtual world: one clock, one queue of events, one source of chance, one trace. Nothing happens but
 * what is queued; what is queued for the same instant happens in the order of queueing. So the seed decides
 * everything, and the trace of a seed is the same byte for byte on every machine.
 */

import {
  assert,
  randomBelow,
  randomFraction,
  seededRandom,
  type Instant,
  type Random,
} from '@dcos/base';

/** Events that may wait at once; more means that something feeds itself. */
const QUEUED_EVENTS_MAX = 1_000_000;
/** The wall clock's reading when a run begins: an arbitrary day, the same for all runs. */
export const EPOCH_MS: Instant = 1_800_000_000_000;

interface Queued {
  readonly at: Instant;
  readonly sequence: number;
  readonly action: () => void;
  cancelled: boolean;
}

/** Something on its way that takes as long as it takes; what is on one channel arrives in order. */
export interface Arrival {
  readonly channel: string;
  /** What it is, as far as it matters for what happens next; `#1` is an id that could be any other. */
  says(): string;
}

export interface World {
  readonly random: Random;
  now(): Instant;
  /** Queues an action for an instant by a clock of the world; the result withdraws it. */
  after(delayMs: number, name: string, action: () => void): () => void;
  /**
   * Queues an action that nobody's clock decides: a delivery, a write, an end. The delay is what the world
   * makes of it when the seed decides; who explores all orders may choose another.
   */
  arrive(delayMs: number, arrival: Arrival, action: () => void): () => void;
  /** A whole number from `least` to `greatest`. */
  between(least: number, greatest: number): number;
  /** True with that probability. */
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T | undefined;
  /** Adds a line to the trace. */
  trace(line: string): void;
  /** Performs the next event; false when there is none. */
  step(): boolean;
  /** Hash of the whole trace so far. */
  traceHash(): string;
  /** The last lines of the trace, for a report. */
  recentTrace(): readonly string[];
}

/** Lines that a report shows. */
const RECENT_LINES = 60;

export function createWorld(seed: number): World {
  const random = seededRandom(seed);
  const queue: Queued[] = [];
  const recent: string[] = [];
  let now = EPOCH_MS;
  let sequence = 0;
  let hash = 0x811c9dc5;

  function enqueue(delayMs: number, action: () => void): () => void {
    assert(delayMs >= 0, 'nothing happens in the past');
    assert(queue.length < QUEUED_EVENTS_MAX, 'the event queue is bounded');
    const queued: Queued = { at: now + delayMs, sequence: sequence++, action, cancelled: false };
    push(queue, queued);
    return () => void (queued.cancelled = true);
  }

  return {
    random,
    now: () => now,
    after: (delayMs, _name, action) => enqueue(delayMs, action),
    arrive: (delayMs, _arrival, action) => enqueue(delayMs, action),
    between: (least, greatest) => least + randomBelow(random, greatest - least + 1),
    chance: (probability) => randomFraction(random) < probability,
    pick: (items) => (items.length === 0 ? undefined : items[randomBelow(random, items.length)]),
    trace(line) {
      const text = `${(now - EPOCH_MS).toFixed(0)} ${line}`;
      for (let index = 0; index < text.length; index++) {
        hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
      }
      recent.push(text);
      if (recent.length > RECENT_LINES) recent.shift();
    },
    step() {
      for (;;) {
        const next = pop(queue);
        if (next === undefined) return false;
        if (next.cancelled) continue;
        now = next.at;
        next.action();
        return true;
      }
    },
    traceHash: () => hash.toString(16).padStart(8, '0'),
    recentTrace: () => [...recent],
  };
}

function before(left: Queued, right: Queued): boolean {
  return left.at < right.at || (left.at === right.at && left.sequence < right.sequence);
}

/** A binary heap: runs have hundreds of thousands of events. */
function push(heap: Queued[], item: Queued): void {
  let index = heap.length;
  heap.push(item);
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent] as Queued;
    if (!before(item, above)) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = item;
}

function pop(heap: Queued[]): Queued | undefined {
  const top = heap[0];
  const last = heap.pop();
  if (top === undefined || last === undefined || heap.length === 0) return top;
  let index = 0;
  for (;;) {
    const left = 2 * index + 1;
    if (left >= heap.length) break;
    const right = left + 1;
    const child =
      right < heap.length && before(heap[right] as Queued, heap[left] as Queued) ? right : left;
    if (!before(heap[child] as Queued, last)) break;
    heap[index] = heap[child] as Queued;
    index = child;
  }
  heap[index] = last;
  return top;
}
