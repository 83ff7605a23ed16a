/**
 * A range of seeds as tests. The ranges are spread over several test files (`seeds-*.test.ts`), so that the
 * runner uses all cores. For tests only.
 */

import { describe, expect, test } from 'vitest';
import { simulate } from '../simulation.ts';

/** Events of one run before its quiet time. */
export const STEPS = 3000;
/** Seeds are run in batches, so that a failure names its batch and the runner shows progress. */
const BATCH = 25;

/** Tests that no seed of the range violates an invariant. */
export function describeSeeds(first: number, count: number): void {
  const batches = Array.from({ length: count / BATCH }, (_, index) => first + index * BATCH);
  describe('invariants hold with faults', () => {
    test.each(batches)(`%i and the ${BATCH - 1} seeds after it`, { timeout: 120_000 }, (begin) => {
      let launched = 0;
      let faults = 0;
      for (let seed = begin; seed < begin + BATCH; seed++) {
        const result = simulate({ seed, steps: STEPS, faults: true });
        const trace = result.violation === undefined ? [] : result.recentTrace;
        expect({ seed, violation: result.violation, trace }).toEqual({
          seed,
          violation: undefined,
          trace: [],
        });
        launched += result.tasksLaunched;
        faults += result.faultsInjected;
      }
      // A run in which nothing happens proves nothing.
      expect(launched).toBeGreaterThan(10 * BATCH);
      expect(faults).toBeGreaterThan(BATCH);
    });
  });
}
