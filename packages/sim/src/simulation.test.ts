import { describe, expect, test } from 'vitest';
import { createBrokenAllocator, MUTATIONS } from '@dcos/allocator/testing/mutations';
import { simulate } from './simulation.ts';
import { GROUP_MUTATIONS } from './testing/group-mutations.ts';
import { MUTATIONS as CORE_MUTATIONS } from './testing/mutations.ts';
import { STEPS } from './testing/seed-range.ts';

/** Some defects show only when a fault hits the right moment. */
const MUTATION_SEEDS = 30;

test('the same seed gives the same run, another seed another', () => {
  const once = simulate({ seed: 7, steps: STEPS, faults: true });
  expect(simulate({ seed: 7, steps: STEPS, faults: true })).toEqual(once);
  expect(simulate({ seed: 8, steps: STEPS, faults: true }).traceHash).not.toBe(once.traceHash);
});

describe('a core that is broken on purpose is caught:', () => {
  test.each([...CORE_MUTATIONS, ...GROUP_MUTATIONS])(
    '$name',
    { timeout: 120_000 },
    ({ parts, objection }) => {
      const violations: string[] = [];
      for (let seed = 1; seed <= MUTATION_SEEDS && violations.length === 0; seed++) {
        const { violation } = simulate({ seed, steps: STEPS, faults: true, ...parts });
        if (violation !== undefined) violations.push(violation);
      }
      expect(violations).toEqual([expect.stringMatching(objection)]);
    },
  );
});

test.each(MUTATIONS)('an allocator that is broken on purpose (%s) is caught', (mutation) => {
  const caught = [1, 2, 3].map((seed) => {
    const options = { seed, steps: STEPS, faults: true };
    return simulate({ ...options, newAllocator: (given) => createBrokenAllocator(given, mutation) })
      .violation;
  });
  for (const violation of caught) expect(violation).toMatch(/^agent .*(exceed|holds|are not)/);
});
