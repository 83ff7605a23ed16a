/** Seeds of the world of several masters as tests. For tests only. */

import { describeSeeds } from '../../testing/seed-range.ts';
import { simulateMasters } from '../masters-simulation.ts';

/** Events of one run before its quiet time. */
export const MASTERS_STEPS = 1_500;

/** Tests that no seed of the range violates an invariant. */
export function describeMastersSeeds(first: number, count: number): void {
  describeSeeds(first, count, {
    name: 'masters',
    steps: MASTERS_STEPS,
    run: simulateMasters,
    launchedMin: 3,
  });
}
