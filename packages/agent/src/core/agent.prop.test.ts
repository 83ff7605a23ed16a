/**
 * The agent against a world that crashes it at any effect, cuts its connection, delays acknowledgements and
 * fires timers in any order; see `agent-world.ts` for what holds with every effect.
 */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assert } from '@dcos/base';
import type { TaskState } from '@dcos/wire';
import { apply, settle, World, type Step } from '../testing/agent-world.ts';
import { isTerminal } from './model.ts';

const pick = fc.nat({ max: 50 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom<Step>({ kind: 'run' }, { kind: 'open' }, { kind: 'register' }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ kind: 'crash' }, { kind: 'cut' }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('crashDuring' as const), after: fc.nat({ max: 6 }) }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'kill',
        'prepare',
        'start',
        'exit',
        'acknowledge',
        'fire',
        'check',
        'limit',
      ),
      pick,
    }),
  },
);

test('every task that was taken ends once, and all of it is told in order', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 150, size: 'max' }), (steps) => {
      const world = new World();
      world.boot();
      for (const each of steps) apply(world, each);
      settle(world);
      const { live, completed } = world.agent.snapshot();
      expect(live.map((task) => `${task.taskId} ${task.state}`)).toEqual([]);
      expect(completed.length).toBeLessThanOrEqual(3);
      for (const [id, statuses] of world.sent) {
        const states = statuses.map((status): TaskState => status.state);
        assert(states.length > 0, id);
        expect(states.filter(isTerminal), `${id}: ${states.join(', ')}`).toHaveLength(1);
        expect(isTerminal(states.at(-1) ?? 'TASK_STAGING')).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});
