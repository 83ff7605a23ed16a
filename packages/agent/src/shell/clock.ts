/** The real clock and the real source of randomness. */

import { randomInt } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Clock, Random } from '@dcos/base';

/** Longest delay of a timer of the platform. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(afterMs, callback) {
    // A timer beyond the platform's limit is set in pieces.
    let timer: NodeJS.Timeout;
    const arm = (left: number): void => {
      timer =
        left > TIMER_MS_MAX
          ? setTimeout(() => arm(left - TIMER_MS_MAX), TIMER_MS_MAX)
          : setTimeout(callback, left);
    };
    arm(afterMs);
    return () => clearTimeout(timer);
  },
};

export const systemRandom: Random = { nextU32: () => randomInt(2 ** 32) };
