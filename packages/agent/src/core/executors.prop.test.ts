/**
 * Executors of frameworks against a world that crashes the agent at any effect, breaks their streams, ends them, and
 * acknowledges late; see `executor-world.ts` for what holds with every effect.
 */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TaskState } from '@dcos/wire';
import { apply, settle, type Step } from '../testing/agent-world.ts';
import { ExecutorWorld, type ExecutorStep } from '../testing/executor-world.ts';
import { isTerminal } from './model.ts';

const pick = fc.nat({ max: 50 });
const step: fc.Arbitrary<Step | ExecutorStep> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.constantFrom<Step>({ kind: 'run' }, { kind: 'open' }, { kind: 'register' }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ kind: 'crash' }, { kind: 'cut' }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('crashDuring' as const), after: fc.nat({ max: 6 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom('kill', 'prepare', 'start', 'exit', 'acknowledge', 'fire'),
      pick,
    }),
  },
  {
    weight: 24,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'runIn',
        'begin',
        'subscribe',
        'subscribe',
        'tell',
        'tell',
        'tellAgain',
        'leave',
        'failLaunch',
      ),
      pick,
    }),
  },
);

const OF_EXECUTORS: ReadonlySet<string> = new Set<ExecutorStep['kind']>([
  'runIn',
  'begin',
  'subscribe',
  'tell',
  'tellAgain',
  'leave',
  'failLaunch',
]);
const isOfExecutors = (one: Step | ExecutorStep): one is ExecutorStep => OF_EXECUTORS.has(one.kind);

test('every task that an executor was given ends once, and what it tells is neither lost nor doubled', () => {
  const reached = { acknowledged: 0, told: 0 };
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 150, size: 'max' }), (steps) => {
      const world = new ExecutorWorld();
      world.boot();
      for (const each of steps) {
        if (isOfExecutors(each)) world.applyStep(each);
        else apply(world, each);
      }
      settle(world, () => world.finishTasks());
      const { live } = world.agent.snapshot();
      expect(live.map((task) => `${task.taskId} ${task.state}`)).toEqual([]);
      for (const [id, statuses] of world.sent) {
        const states = statuses.map((status): TaskState => status.state);
        expect(states.filter(isTerminal), `${id}: ${states.join(', ')}`).toHaveLength(1);
        expect(isTerminal(states.at(-1) ?? 'TASK_STAGING')).toBe(true);
      }
      reached.acknowledged += world.acknowledged.size;
      for (const statuses of world.sent.values())
        reached.told += statuses.filter(({ source }) => source === 'SOURCE_EXECUTOR').length;
    }),
    { numRuns: 500 },
  );
  // The steps do lead to executors that tell something.
  expect(reached.told).toBeGreaterThan(200);
  expect(reached.acknowledged).toBeGreaterThan(200);
});
