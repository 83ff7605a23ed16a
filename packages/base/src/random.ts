/**
 * Pseudo-random numbers from a seed, and what is derived from the `Random` port: integers in a range,
 * shuffles, UUIDs. Simulations need the same run for the same seed, which rules out `Math.random`.
 */

import { assert } from './assert.ts';
import type { Random } from './ports.ts';

/**
 * A small fast generator (32-bit state, period 2^32, good mixing). Not for secrets.
 * @param seed any integer; only its low 32 bits count.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    nextU32() {
      state = (state + 0x9e3779b9) >>> 0;
      let mixed = state;
      mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return (mixed ^ (mixed >>> 15)) >>> 0;
    },
  };
}

/** A uniformly distributed integer in [0, bound). */
export function randomBelow(random: Random, bound: number): number {
  assert(
    Number.isSafeInteger(bound) && bound > 0 && bound <= 2 ** 32,
    'bound must be in [1, 2^32]',
  );
  // Values in the incomplete last stretch are drawn again, so that every result is equally likely.
  const limit = 2 ** 32 - (2 ** 32 % bound);
  for (;;) {
    const value = random.nextU32();
    if (value < limit) return value % bound;
  }
}

/** A number in [0, 1) with 32 bits of randomness. */
export function randomFraction(random: Random): number {
  return random.nextU32() / 2 ** 32;
}

/** Shuffles in place (Fisher-Yates) and returns the same array. */
export function shuffle<T>(random: Random, items: T[]): T[] {
  for (let index = items.length - 1; index > 0; index--) {
    const other = randomBelow(random, index + 1);
    const swapped = items[index] as T;
    items[index] = items[other] as T;
    items[other] = swapped;
  }
  return items;
}

/** Random bytes. */
export function randomBytes(random: Random, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 4) {
    const word = random.nextU32();
    for (let offset = 0; offset < 4 && index + offset < length; offset++) {
      bytes[index + offset] = (word >>> (8 * offset)) & 0xff;
    }
  }
  return bytes;
}

/** The 16 bytes of a random (version 4) UUID. */
export function randomUuidBytes(random: Random): Uint8Array {
  const bytes = randomBytes(random, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return bytes;
}

/** The text of a random (version 4) UUID. */
export function randomUuid(random: Random): string {
  return uuidText(randomUuidBytes(random));
}

/** The canonical text of 16 bytes. */
export function uuidText(bytes: Uint8Array): string {
  assert(bytes.length === 16, 'a UUID has 16 bytes');
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}
