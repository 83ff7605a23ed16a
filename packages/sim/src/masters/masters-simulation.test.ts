import { describe, expect, test } from 'vitest';
import { simulateMasters } from './masters-simulation.ts';
import { MASTERS_MUTATIONS } from './testing/masters-mutations.ts';
import { MASTERS_STEPS } from './testing/masters-seeds.ts';

/** Some defects show only when a fault hits the right moment. */
const MUTATION_SEEDS = 40;

test('the same seed gives the same run, another seed another', async () => {
  const options = { steps: MASTERS_STEPS, faults: true };
  const once = await simulateMasters({ seed: 7, ...options });
  expect(await simulateMasters({ seed: 7, ...options })).toEqual(once);
  expect((await simulateMasters({ seed: 8, ...options })).traceHash).not.toBe(once.traceHash);
});

describe('what is broken on purpose is caught:', () => {
  test.each(MASTERS_MUTATIONS)('$name', { timeout: 120_000 }, async ({ parts, objection }) => {
    const violations: string[] = [];
    for (let seed = 1; seed <= MUTATION_SEEDS && violations.length === 0; seed++) {
      const options = { seed, steps: MASTERS_STEPS, faults: true };
      const { violation } = await simulateMasters({ ...options, ...parts });
      if (violation !== undefined) violations.push(violation);
    }
    expect(violations).toEqual([expect.stringMatching(objection)]);
  });
});
