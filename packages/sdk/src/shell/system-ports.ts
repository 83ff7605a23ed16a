/**
 * The real clock and the real randomness, for callers that do not bring their own.
 */

import { randomFillSync } from 'node:crypto';
import type { Clock, Random } from '@dcos/base';

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(afterMs, callback) {
    const timer = setTimeout(callback, afterMs);
    return () => clearTimeout(timer);
  },
};

export const systemRandom: Random = {
  nextU32() {
    const word = new Uint32Array(1);
    randomFillSync(word);
    return word[0] ?? 0;
  },
};
