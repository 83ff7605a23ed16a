/**
 * The scheduler may die between any two effects: no instance is lost, none runs twice, what was promised is
 * kept, and a rolling update never goes below its minimum health by its own doing.
 */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unreachable } from '@dcos/base';
import { CrashWorld } from './testing/crash-world.ts';

const HISTORIES = 300;
const INSTANCES_MAX = 4;

/** What may happen, how often beside the others, and with which numbers. */
const HAPPENINGS = {
  offer: { weight: 4, valueMax: 0 },
  comeUp: { weight: 5, valueMax: 20 },
  fail: { weight: 1, valueMax: 20 },
  deliver: { weight: 8, valueMax: 20 },
  endKilled: { weight: 3, valueMax: 0 },
  reconcile: { weight: 3, valueMax: 0 },
  advance: { weight: 3, valueMax: 2000 },
  update: { weight: 1, valueMax: 1000 },
  scale: { weight: 1, valueMax: INSTANCES_MAX },
  crashAfterEffects: { weight: 4, valueMax: 12 },
} as const;

interface Happening {
  readonly kind: keyof typeof HAPPENINGS;
  readonly value: number;
}

const happening: fc.Arbitrary<Happening> = fc.oneof(
  ...Object.entries(HAPPENINGS).map(([kind, { weight, valueMax }]) => ({
    weight,
    arbitrary: fc.record({
      kind: fc.constant(kind as keyof typeof HAPPENINGS),
      value: fc.nat(valueMax),
    }),
  })),
);

function happen(world: CrashWorld, { kind, value }: Happening): void {
  switch (kind) {
    case 'offer':
      return world.offer();
    case 'comeUp':
      return world.move(value, 'TASK_STAGING', 'TASK_RUNNING');
    case 'fail':
      return world.move(value, 'TASK_RUNNING', 'TASK_FAILED');
    case 'deliver':
      return world.deliver(value);
    case 'endKilled':
      return world.endKilled();
    case 'reconcile':
      return world.reconcile();
    case 'advance':
      return world.advance(value);
    case 'update':
      return world.update({ env: { VERSION: String(value) } });
    case 'scale':
      return world.update({ instances: value });
    case 'crashAfterEffects':
      world.effectsLeft = value;
      return undefined;
    default:
      return unreachable(kind);
  }
}

test('a scheduler that dies anywhere loses nothing and starts nothing twice', () => {
  let crashes = 0;
  fc.assert(
    fc.property(
      fc.array(happening, { minLength: 20, maxLength: 120 }),
      fc.constantFrom(0, 0.5, 1),
      fc.constantFrom(0, 1),
      (happenings, minimumHealthCapacity, maximumOverCapacity) => {
        const world = new CrashWorld();
        world.create({
          cmd: 'serve',
          cpus: 1,
          mem: 32,
          instances: 3,
          portDefinitions: [],
          upgradeStrategy: { minimumHealthCapacity, maximumOverCapacity },
        });
        for (const one of happenings) happen(world, one);
        world.settle();
        crashes += world.crashes;
        const app = world.wanted();
        expect(app.version >= world.promisedVersion).toBe(true);
        expect(world.state.deployments.size).toBe(0);
        const running = [...world.tasks.values()].map(({ instanceId }) => instanceId);
        const known = [...world.state.instances.all()];
        expect(running.sort()).toEqual(known.map(({ id }) => id).sort());
        expect(known.map(({ condition }) => condition)).toEqual(
          Array.from({ length: app.instances }, () => 'Running'),
        );
      },
    ),
    { numRuns: HISTORIES, endOnFailure: false },
  );
  expect(crashes).toBeGreaterThan(HISTORIES);
});
