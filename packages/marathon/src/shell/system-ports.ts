/** The real clock and the real dice. */

import { randomFillSync } from 'node:crypto';
import type { Clock, Random } from '@dcos/base';

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(afterMs, callback) {
    // The timer of the platform cannot wait longer than this; who waits longer is woken early and asks again.
    const timer = setTimeout(callback, Math.min(afterMs, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};

const words = new Uint32Array(1024);
let used = words.length;

export const systemRandom: Random = {
  nextU32() {
    if (used >= words.length) {
      randomFillSync(words);
      used = 0;
    }
    return words[used++] ?? 0;
  },
};
