import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RateLimiter, WAITING_MAX, type Admission, type RateLimits } from './rate-limits.ts';

const LIMITS: RateLimits = {
  byPrincipal: new Map([
    ['slow', { qps: 2, capacity: 3 }],
    ['free', undefined],
    ['patient', { qps: 1000 }],
  ]),
  aggregate: { qps: 10, capacity: 1 },
};

const waits = (limiter: RateLimiter, principal: string | undefined, times: number): unknown[] =>
  Array.from({ length: times }, () => {
    const admission = limiter.admit(principal, 0);
    return admission.kind === 'admitted' ? admission.afterMs : 'refused';
  });

test('calls are spaced, as many wait as may, and what exceeds that is refused', () => {
  const limiter = new RateLimiter(LIMITS);
  expect(waits(limiter, 'slow', 6)).toEqual([0, 500, 1000, 1500, 'refused', 'refused']);
  expect(limiter.admit('slow', 0)).toEqual({
    kind: 'refused',
    retryAfterMs: 2000,
    text: "More than 3 calls of principal 'slow' wait for the limit of 2 a second",
  });
  // A refused call takes no place: half a second later one is free.
  expect(limiter.admit('slow', 500)).toEqual({ kind: 'admitted', rate: 'slow', afterMs: 1500 });
  expect(limiter.admit('slow', 60_000)).toMatchObject({ afterMs: 0 });
});

test('those without a limit of their own share one; a listed one without a rate has none', () => {
  const limiter = new RateLimiter(LIMITS);
  expect(waits(limiter, 'a', 1)).toEqual([0]);
  expect(waits(limiter, 'b', 1)).toEqual([100]);
  expect(waits(limiter, undefined, 1)).toEqual(['refused']);
  expect(waits(limiter, 'free', 100)).toEqual(Array.from({ length: 100 }, () => 0));
  expect(waits(limiter, 'slow', 1)).toEqual([0]);
});

test('without an aggregate others are not limited; without a capacity a bound holds', () => {
  const limiter = new RateLimiter({ ...LIMITS, aggregate: undefined });
  expect(waits(limiter, 'a', 50)).toEqual(Array.from({ length: 50 }, () => 0));
  const admitted = waits(limiter, 'patient', WAITING_MAX + 10).filter((wait) => wait !== 'refused');
  expect(admitted).toHaveLength(WAITING_MAX + 1);
});

test('whatever the times, a rate is kept and calls stay in order', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 60 });
  fc.assert(
    fc.property(gaps, (between) => {
      const limiter = new RateLimiter(LIMITS);
      let now = 0;
      let last = -Infinity;
      for (const gap of between) {
        now += gap;
        const admission: Admission = limiter.admit('slow', now);
        if (admission.kind === 'refused') continue;
        const at = now + admission.afterMs;
        expect(at - last).toBeGreaterThanOrEqual(500 - 1e-6);
        expect(admission.afterMs).toBeLessThanOrEqual(1500 + 1e-6);
        last = at;
      }
    }),
  );
});
