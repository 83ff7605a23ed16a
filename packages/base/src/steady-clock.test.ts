import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Clock } from './ports.ts';
import { steadyClock } from './steady-clock.ts';

const MINUTE_MS = 60_000;

/** A wall clock that can be set, beside one that cannot. */
function settable(): {
  readonly clock: Clock;
  readonly time: { monotonicMs: number; wallMs: number };
} {
  const time = { monotonicMs: 5, wallMs: 1_000_000_000 };
  const clock = {
    now: () => time.wallMs,
    monotonicMs: () => time.monotonicMs,
    setTimer: () => () => undefined,
  };
  return { clock, time };
}

test('it shows what the wall clock shows', () => {
  const { clock, time } = settable();
  const steady = steadyClock(clock);
  for (const stepMs of [0, 1, 1_000, 3_600_000]) {
    time.monotonicMs += stepMs;
    time.wallMs += stepMs;
    expect(steady.now()).toBe(time.wallMs);
  }
});

test.each([20, -20])('a jump by %i minutes is caught up with, a tenth at a time', (minutes) => {
  const { clock, time } = settable();
  const steady = steadyClock(clock);
  const beforeMs = steady.now();
  time.wallMs += minutes * MINUTE_MS;
  expect(steady.now()).toBe(beforeMs);
  time.wallMs += MINUTE_MS;
  time.monotonicMs += MINUTE_MS;
  expect(steady.now()).toBe(beforeMs + MINUTE_MS * (1 + Math.sign(minutes) / 10));
  time.wallMs += 200 * MINUTE_MS;
  time.monotonicMs += 200 * MINUTE_MS;
  expect(steady.now()).toBe(time.wallMs);
});

test('it never goes back, and never strays by more than a tenth from what has passed', () => {
  const steps = fc.array(
    fc.record({
      passedMs: fc.integer({ min: 0, max: 1_000_000 }),
      jumpMs: fc.integer({ min: -10_000_000, max: 10_000_000 }),
    }),
  );
  fc.assert(
    fc.property(steps, (history) => {
      const { clock, time } = settable();
      const steady = steadyClock(clock);
      let saidMs = steady.now();
      for (const { passedMs, jumpMs } of history) {
        time.monotonicMs += passedMs;
        time.wallMs += passedMs + jumpMs;
        const nowMs = steady.now();
        expect(nowMs).toBeGreaterThanOrEqual(saidMs);
        // One more for fractions that are not shown.
        expect(Math.abs(nowMs - saidMs - passedMs)).toBeLessThanOrEqual(passedMs / 10 + 1);
        saidMs = nowMs;
      }
    }),
  );
});
