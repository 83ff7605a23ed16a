import { expect, test } from 'vitest';
import { sideBySide } from './side-by-side.ts';

test('so many at a time, results in order, and what fails stops nothing', async () => {
  let [running, most] = [0, 0];
  const releases: (() => void)[] = [];
  const done = sideBySide(['a', 'b', 'c', 'd', 'e'], 2, async (item, index) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise<void>((resolve) => releases.push(resolve));
    running -= 1;
    if (item === 'b') throw new Error('b fails');
    return `${item}${index}`;
  });
  // The later one first.
  while (releases.length > 0) {
    releases.pop()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await done).toEqual([
    { status: 'fulfilled', value: 'a0' },
    { status: 'rejected', reason: new Error('b fails') },
    { status: 'fulfilled', value: 'c2' },
    { status: 'fulfilled', value: 'd3' },
    { status: 'fulfilled', value: 'e4' },
  ]);
  expect(most).toBe(2);
});

test('nothing to do is done', async () => {
  expect(await sideBySide([], 3, async () => await Promise.resolve(1))).toEqual([]);
});
