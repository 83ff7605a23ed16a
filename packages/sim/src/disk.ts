/**
 * A disk: writes become durable one after the other, each after a while. A crash loses what was not durable;
 * the write under way may have made it or not, or have left new keys unreadable. What was there before is
 * never harmed: the real ones append.
 */

import { canonicalText } from './canonical-text.ts';
import type { World } from './world.ts';

const WRITE_MIN_MS = 0;
const WRITE_MAX_MS = 6;
/** A disk now and then takes its time. */
const SLOW_WRITE_MS = 400;
const SLOW_PROBABILITY = 0.01;
/** A write that a crash cut off leaves something behind. */
const TORN_PROBABILITY = 0.3;

export interface Disk<Value> {
  readonly durable: ReadonlyMap<string, Value>;
  /** Writes a batch, whole or not at all; calls back when it is durable. Undefined deletes. */
  write(batch: readonly (readonly [string, Value | undefined])[], done: () => void): void;
  /** Begins no write before that much time has passed. */
  delay(byMs: number): void;
  /** Loses everything: it was replaced. */
  wipe(): void;
  /** Drops what waits; the first of it may be durable all the same. */
  crash(): void;
}

/**
 * @param name whose disk it is.
 * @param torn what an unreadable record reads as; without it records are whole or absent.
 */
export function createDisk<Value>(world: World, name: string, torn?: Value): Disk<Value> {
  const durable = new Map<string, Value>();
  let pending: {
    readonly keys: readonly string[];
    readonly apply: () => void;
    cancel: () => void;
  }[] = [];
  let freeAt = 0;
  return {
    durable,
    write(batch, done) {
      const durationMs = world.chance(SLOW_PROBABILITY)
        ? SLOW_WRITE_MS
        : world.between(WRITE_MIN_MS, WRITE_MAX_MS);
      freeAt = Math.max(freeAt, world.now()) + durationMs;
      const apply = (): void => {
        for (const [key, value] of batch) {
          if (value === undefined) durable.delete(key);
          else durable.set(key, value);
        }
      };
      const keys = batch.map(([key]) => key);
      const entry = { keys, apply, cancel: (): void => undefined };
      const arrival = { channel: `write ${name}`, says: () => canonicalText(batch) };
      entry.cancel = world.arrive(freeAt - world.now(), arrival, () => {
        pending = pending.filter((other) => other !== entry);
        apply();
        done();
      });
      pending.push(entry);
    },
    delay: (byMs) => void (freeAt = Math.max(freeAt, world.now()) + byMs),
    wipe: () => durable.clear(),
    crash() {
      const [first] = pending;
      for (const entry of pending) entry.cancel();
      if (first !== undefined && world.chance(0.5)) first.apply();
      else if (torn !== undefined && world.chance(TORN_PROBABILITY)) {
        for (const key of first?.keys ?? []) if (!durable.has(key)) durable.set(key, torn);
      }
      pending = [];
      freeAt = 0;
    },
  };
}
