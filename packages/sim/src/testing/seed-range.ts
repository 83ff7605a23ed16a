/**
 * A range of seeds as tests. The ranges are spread over several test files (`seeds-*.test.ts`), so that the
 * runner uses all cores. For tests only.
 */

import { describe, expect, test } from 'vitest';
import { simulate, type SimulationResult } from '../simulation.ts';

/** Events of one run before its quiet time. */
export const STEPS = 3000;
/** Seeds are run in batches, so that a failure names its batch and the runner shows progress. */
const BATCH = 25;

interface SeedRun {
  readonly seed: number;
  readonly steps: number;
  readonly faults: boolean;
}

/** Where seeds are run: the world, and what must happen there at least, since a run of nothing proves nothing. */
export interface SeedWorld {
  readonly steps: number;
  readonly run: (options: SeedRun) => SimulationResult | Promise<SimulationResult>;
  /** On average of a seed. */
  readonly launchedMin: number;
  /** Its name for `--world`. */
  readonly name: string;
}

const REGISTRY_WORLD: SeedWorld = {
  steps: STEPS,
  run: simulate,
  launchedMin: 10,
  name: 'registry',
};

/** Tests that no seed of the range violates an invariant. */
export function describeSeeds(first: number, count: number, world = REGISTRY_WORLD): void {
  const batches = Array.from({ length: count / BATCH }, (_, index) => first + index * BATCH);
  describe('invariants hold with faults', () => {
    test.each(batches)(
      `%i and the ${BATCH - 1} seeds after it`,
      { timeout: 120_000 },
      async (begin) => {
        let launched = 0;
        let faults = 0;
        for (let seed = begin; seed < begin + BATCH; seed++) {
          const result = await world.run({ seed, steps: world.steps, faults: true });
          const repeat = `npm run sim -- --world ${world.name} --seed ${seed} --steps ${world.steps}`;
          const trace = result.violation === undefined ? [] : result.recentTrace;
          expect({ repeat, violation: result.violation, trace }).toEqual({
            repeat,
            violation: undefined,
            trace: [],
          });
          launched += result.tasksLaunched;
          faults += result.faultsInjected;
        }
        expect(launched).toBeGreaterThan(world.launchedMin * BATCH);
        expect(faults).toBeGreaterThan(BATCH);
      },
    );
  });
}
