import { seededRandom } from '@dcos/base';
import { expect, test } from 'vitest';
import { drawNext } from './weighted-draw.ts';

const ROUNDS = 40_000;

/** How often each order of these weights is drawn, as parts of all rounds. */
function orders(weights: readonly number[]): ReadonlyMap<string, number> {
  const random = seededRandom(1);
  const items = weights.map((weight, index) => ({ weight, index }));
  const counts = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    let isDrawn = false;
    for (let at = 0; at < items.length && !isDrawn; at++)
      isDrawn = drawNext(random, items, at, Math.max(...weights));
    const order = items.map(({ index }) => index).join(' ');
    counts.set(order, (counts.get(order) ?? 0) + 1 / ROUNDS);
  }
  return counts;
}

/** The probability of each order: the product of each one's part of the weight that is left. */
function expected(weights: readonly number[]): ReadonlyMap<string, number> {
  const result = new Map<string, number>();
  const go = (order: readonly number[], probability: number): void => {
    const left = weights.map((_, index) => index).filter((index) => !order.includes(index));
    if (left.length === 0) result.set(order.join(' '), probability);
    const sum = left.reduce((total, index) => total + (weights[index] ?? 0), 0);
    for (const index of left) go([...order, index], (probability * (weights[index] ?? 0)) / sum);
  };
  go([], 1);
  return result;
}

test.each([
  ['equal weights', [1, 1, 1, 1]],
  ['different weights', [1, 2, 3]],
  ['one that has nearly all of it, so that the rest is drawn at once', [1, 1000, 2]],
])('orders are as frequent as drawing by weight makes them: %s', (_what, weights) => {
  const drawn = orders(weights);
  for (const [order, probability] of expected(weights))
    expect(Math.abs((drawn.get(order) ?? 0) - probability)).toBeLessThan(0.01);
});

test('who is drawn first costs no look at the others', () => {
  let numbers = 0;
  const source = seededRandom(1);
  const random = {
    nextU32: () => {
      numbers += 1;
      return source.nextU32();
    },
  };
  const items = Array.from({ length: 10_000 }, () => ({ weight: 1 }));
  drawNext(random, items, 0, 1);
  expect(numbers).toBeLessThan(10);
});
