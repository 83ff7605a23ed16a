/**
 * A clock for those who decide by what time it is, and when to act next: it follows the wall clock, and does not jump
 * with it. Were a wall clock set back by twenty minutes, everything that is due would be due twenty minutes late.
 *
 * Invariants: it never goes back; between two looks it goes on by what has really passed, give or take a tenth; it
 * shows what the wall clock shows as long as that one is not set anew, and comes back to it afterwards.
 */

import type { Clock, Instant } from './ports.ts';

/** What it gains or loses at most to catch up with the wall clock, of what has really passed. */
const CORRECTION_MAX = 0.1;

/** Makes such a clock of one whose wall clock may jump. */
export function steadyClock(clock: Clock): Clock {
  let saidMs: Instant = clock.now();
  let lookedMs = clock.monotonicMs();
  return {
    now() {
      const passedMs = clock.monotonicMs() - lookedMs;
      lookedMs += passedMs;
      const errorMs = clock.now() - (saidMs + passedMs);
      const correctionMaxMs = passedMs * CORRECTION_MAX;
      saidMs += passedMs + Math.min(Math.max(errorMs, -correctionMaxMs), correctionMaxMs);
      return Math.floor(saidMs);
    },
    monotonicMs: () => clock.monotonicMs(),
    setTimer: (afterMs, callback) => clock.setTimer(afterMs, callback),
  };
}
