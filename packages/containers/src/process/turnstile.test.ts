import { expect, test } from 'vitest';
import { createTurnstile } from './turnstile.ts';

test('no more than its width are inside, and all get through in order', async () => {
  const turnstile = createTurnstile(2);
  const order: number[] = [];
  let inside = 0;
  let most = 0;
  const results = await Promise.all(
    [0, 1, 2, 3, 4].map(
      async (index) =>
        await turnstile.through(async () => {
          inside += 1;
          most = Math.max(most, inside);
          order.push(index);
          await Promise.resolve();
          inside -= 1;
          return index * 2;
        }),
    ),
  );
  expect(results).toEqual([0, 2, 4, 6, 8]);
  expect(order).toEqual([0, 1, 2, 3, 4]);
  expect(most).toBe(2);
});

test('an error frees its place', async () => {
  const turnstile = createTurnstile(1);
  await expect(turnstile.through(async () => await Promise.reject(new Error('x')))).rejects.toThrow(
    'x',
  );
  expect(await turnstile.through(async () => await Promise.resolve('next'))).toBe('next');
});
