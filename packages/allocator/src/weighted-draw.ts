/**
 * Drawing by weight without putting back, one after the other: whoever stops early has not paid for the
 * rest. Each place goes to one of those that are left, by weight.
 */

import { randomFraction, type Random } from '@dcos/base';

interface Weighted {
  readonly weight: number;
}

/** Tries before all that are left are drawn at once: when few of them have nearly all of the weight. */
const TRIES_MAX = 16;

/**
 * Draws who stands at the index; those before it were drawn already. True when the rest was drawn with it.
 * @param weightMax nobody weighs more; the closer it is, the fewer tries are needed.
 */
export function drawNext(
  random: Random,
  items: Weighted[],
  at: number,
  weightMax: number,
): boolean {
  const left = items.length - at;
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const index = at + Math.floor(randomFraction(random) * left);
    const item = items[index] as Weighted;
    // Taking one with the probability of its weight, however often it is tried, is drawing by weight.
    if (item.weight < weightMax && randomFraction(random) * weightMax >= item.weight) continue;
    items[index] = items[at] as Weighted;
    items[at] = item;
    return false;
  }
  drawRest(random, items, at);
  return true;
}

/** Sorting by exponential variates of rate `weight` is drawing by weight, too, and in one go. */
function drawRest(random: Random, items: Weighted[], at: number): void {
  const drawn = items
    .slice(at)
    .map((item) => ({ item, key: -Math.log(1 - randomFraction(random)) / item.weight }))
    .sort((left, right) => left.key - right.key);
  for (const [index, { item }] of drawn.entries()) items[at + index] = item;
}
