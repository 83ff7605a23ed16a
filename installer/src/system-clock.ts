/** The real clock and the real source of randomness. */

import { randomInt } from 'node:crypto';
import type { Clock, Random } from '@dcos/base';

/** For delays below 24 days, which is what timers of the platform can do. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(afterMs, callback) {
    const timer = setTimeout(callback, afterMs);
    return () => clearTimeout(timer);
  },
};

export const systemRandom: Random = { nextU32: () => randomInt(2 ** 32) };
