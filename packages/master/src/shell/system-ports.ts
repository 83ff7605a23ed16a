/**
 * The real clock and the real randomness.
 */

import { randomFillSync } from 'node:crypto';
import type { Clock, Random } from '@dcos/base';

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(afterMs, callback) {
    // A run of the allocator is asked for with 0 ms: after the events at hand, with no wait.
    if (afterMs === 0) {
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(callback, afterMs);
    return () => clearTimeout(timer);
  },
};

/** Random words from the operating system, drawn in blocks since ids need many. */
export function createSystemRandom(): Random {
  const block = new Uint32Array(256);
  let used = block.length;
  return {
    nextU32() {
      if (used === block.length) {
        randomFillSync(block);
        used = 0;
      }
      return block[used++] ?? 0;
    },
  };
}
