/** Random histories in which the core has to do what the executable specification says, event by event. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { History, step, type Step } from '../testing/histories.ts';
import { specify } from '../testing/specified-world.ts';
import type { Effect } from './index.ts';

/** Performs a history whose master is compared with the specification; throws where they differ. */
function compareWithSpecification(
  steps: readonly Step[],
  spoil: (effects: readonly Effect[]) => readonly Effect[] = (effects) => effects,
): void {
  const history = new History();
  const handle = history.world.handle.bind(history.world);
  history.world.handle = (event) => spoil(handle(event));
  specify(history.world, (actual, expected, event) =>
    expect({ event, actual }).toEqual({ event, actual: expected }),
  );
  for (const given of steps) {
    history.perform(given);
    history.world.settle();
  }
}

const histories = fc.array(step, { minLength: 30, maxLength: 80 });
const HISTORIES = 100;

test('the core does what the specification says, in any history', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(histories, (steps) => compareWithSpecification(steps)),
    { numRuns: HISTORIES },
  );
});

test.each([
  'KILL_TASK',
  'ACKNOWLEDGE',
  'RECONCILE',
  'RUN_TASK',
  'RUN_TASK_GROUP',
  'SHUTDOWN_FRAMEWORK',
])('a core that does not send %s differs from the specification', (type) => {
  const spoil = (effects: readonly Effect[]): readonly Effect[] =>
    effects.filter((effect) => effect.kind !== 'sendToAgent' || effect.frame.type !== type);
  const property = fc.property(histories, (steps) => compareWithSpecification(steps, spoil));
  expect(fc.check(property, { numRuns: HISTORIES, seed: 1, endOnFailure: true }).failed).toBe(true);
});
