import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isHealthy } from './health-checks.ts';
import { SchedulerWorld, type TestAgent } from './testing/scheduler-world.ts';

const AGENT: TestAgent = { id: 'S0', hostname: 'a', cpus: 1000, mem: 100_000 };

/** What the world may do between two looks. */
type Move =
  | { readonly kind: 'offer' | 'endKilled' | 'restartScheduler' }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'probe'; readonly healthy: boolean }
  | { readonly kind: 'run'; readonly which: number }
  | { readonly kind: 'fail'; readonly which: number };

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'offer' as const }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'endKilled' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restartScheduler' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      ms: fc.integer({ min: 0, max: 3000 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('probe' as const), healthy: fc.boolean() }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('run' as const), which: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const), which: fc.nat(20) }) },
);

function healthyCount(world: SchedulerWorld): number {
  return world
    .instances('/web')
    .filter((instance) => instance.goal === 'Running' && isHealthy(world.state, instance)).length;
}

function perform(world: SchedulerWorld, next: Move): void {
  const tasks = world
    .instances('/web')
    .flatMap(({ task, condition }) => (task === undefined ? [] : [{ id: task.id, condition }]));
  switch (next.kind) {
    case 'offer':
      world.offer(AGENT);
      return;
    case 'endKilled':
      world.endKilled();
      return;
    case 'restartScheduler':
      world.restart();
      world.subscribe();
      return;
    case 'advance':
      world.advance(next.ms);
      return;
    case 'probe':
      world.answerProbes(() => next.healthy);
      return;
    default: {
      const task = tasks[next.which % Math.max(1, tasks.length)];
      if (task === undefined || !world.tasks.has(task.id)) return;
      world.status(task.id, next.kind === 'run' ? 'TASK_RUNNING' : 'TASK_FAILED');
    }
  }
}

test('a rolling restart stops no healthy instance that the minimum health capacity needs', () => {
  fc.assert(
    fc.property(
      fc.record({
        instances: fc.integer({ min: 1, max: 6 }),
        minimumHealthCapacity: fc.constantFrom(0, 0.3, 0.5, 0.75, 1),
        maximumOverCapacity: fc.constantFrom(0, 0.25, 0.5, 1),
        seed: fc.integer(),
      }),
      fc.array(move, { maxLength: 60 }),
      ({ instances, minimumHealthCapacity, maximumOverCapacity, seed }, moves) => {
        const world = new SchedulerWorld({ drainMs: 0 }, seed);
        world.subscribe();
        world.create({
          id: '/web',
          cmd: 'serve',
          cpus: 0.1,
          instances,
          upgradeStrategy: { minimumHealthCapacity, maximumOverCapacity },
          healthChecks: [
            {
              protocol: 'HTTP',
              intervalSeconds: 1,
              gracePeriodSeconds: 1,
              maxConsecutiveFailures: 1000,
            },
          ],
        });
        world.offer(AGENT);
        world.runAll();
        world.advance(1000);
        world.answerProbes();
        world.update('/web', { env: { VERSION: '2' } });
        const minimum = Math.ceil(Math.round(instances * minimumHealthCapacity * 1e9) / 1e9);
        for (const next of moves) {
          const doomed = new Set(
            world
              .instances('/web')
              .filter(({ goal }) => goal === 'Decommissioned')
              .map(({ id }) => id),
          );
          perform(world, next);
          const stopped = world
            .instances('/web')
            .filter(({ id, goal }) => goal === 'Decommissioned' && !doomed.has(id))
            .filter((instance) => isHealthy(world.state, instance));
          // Health may fall by itself; a healthy instance is only ever stopped above the minimum.
          if (stopped.length > 0) expect(healthyCount(world)).toBeGreaterThanOrEqual(minimum);
        }
      },
    ),
    { numRuns: 150 },
  );
});

test('a rolling restart ends when the new version is healthy', () => {
  fc.assert(
    fc.property(
      fc.record({
        instances: fc.integer({ min: 1, max: 6 }),
        minimumHealthCapacity: fc.constantFrom(0, 0.3, 0.5, 0.75, 1),
        maximumOverCapacity: fc.constantFrom(0, 0.25, 0.5, 1),
      }),
      fc.array(move, { maxLength: 30 }),
      ({ instances, minimumHealthCapacity, maximumOverCapacity }, moves) => {
        const world = new SchedulerWorld({ drainMs: 0 });
        world.subscribe();
        world.create({
          id: '/web',
          cmd: 'serve',
          cpus: 0.1,
          instances,
          upgradeStrategy: { minimumHealthCapacity, maximumOverCapacity },
          healthChecks: [
            {
              protocol: 'HTTP',
              intervalSeconds: 1,
              gracePeriodSeconds: 1,
              maxConsecutiveFailures: 1,
            },
          ],
        });
        world.offer(AGENT);
        world.runAll();
        world.update('/web', { env: { VERSION: '2' } }, true);
        for (const next of moves) perform(world, next);
        for (let round = 0; round < 200 && world.state.deployments.size > 0; round++) {
          world.endKilled();
          world.offer(AGENT);
          world.runAll();
          world.advance(2000);
          world.answerProbes();
        }
        expect(world.state.deployments.size).toBe(0);
        const left = world.instances('/web');
        expect(left).toHaveLength(instances);
        const wanted = world.state.history.app('/web')?.versionInfo.lastConfigChangeAt;
        expect(left.every(({ configVersion }) => configVersion === wanted)).toBe(true);
      },
    ),
    { numRuns: 150 },
  );
});
