import fc from 'fast-check';
import { seededRandom } from '@dcos/base';
import { expect, test } from 'vitest';
import { createAllocator } from './allocator.ts';
import { MIN_ALLOCATABLE_DEFAULT } from './min-allocatable.ts';
import { allocatorCommands } from './testing/commands.ts';
import { Difference, type Model } from './testing/model.ts';
import { createBrokenAllocator, MUTATIONS } from './testing/mutations.ts';
import type { SpecifiedOptions } from './testing/specification-state.ts';
import { AllocatorSpecification } from './testing/specification.ts';
import type { Allocator, AllocatorOptions, SorterKind } from './types.ts';

/** Settings of the allocator that both must heed. */
const settings = fc.record({
  sorter: fc.constantFrom<SorterKind>('drf', 'drf', 'random'),
  allocationIntervalMs: fc.constant(1000),
  minAllocatable: fc.constantFrom(MIN_ALLOCATABLE_DEFAULT, [new Map([['mem', 100_000]])], []),
  filterGpuResources: fc.boolean(),
  fairSharingExcluded: fc.constantFrom([], ['mem', 'gpus']),
  region: fc.constant('here'),
});

function optionsOf({ sorter, ...more }: SpecifiedOptions, seed: number): AllocatorOptions {
  return { random: seededRandom(seed), roleSorter: sorter, frameworkSorter: sorter, ...more };
}

function emptyModel(options: SpecifiedOptions): Model {
  return { specification: new AllocatorSpecification(options), now: 0, volumes: 0 };
}

function check(
  create: (options: AllocatorOptions) => Allocator,
  runs: { readonly numRuns: number; readonly seed?: number },
): void {
  fc.assert(
    fc.property(allocatorCommands(), settings, fc.integer(), (commands, options, seed) => {
      const setup = (): { model: Model; real: Allocator } => ({
        model: emptyModel(options),
        real: create(optionsOf(options, seed)),
      });
      fc.modelRun(setup, commands);
    }),
    runs,
  );
}

test('decides what the specification says, in any history', () => {
  check(createAllocator, { numRuns: 2000 });
}, 120_000);

test.each(MUTATIONS)('an allocator that is broken on purpose (%s) is told from it', (mutation) => {
  const broken = (options: AllocatorOptions): Allocator => createBrokenAllocator(options, mutation);
  expect(causeOf(() => check(broken, { numRuns: 500, seed: 1 }))).toBeInstanceOf(Difference);
});

function causeOf(fails: () => void): unknown {
  try {
    fails();
  } catch (error) {
    return error instanceof Error ? error.cause : error;
  }
  return undefined;
}

const TOLD_OF: readonly (keyof Allocator)[] = [
  'updateFramework',
  'suppress',
  'revive',
  'updateAgent',
  'deactivateAgent',
  'updateWeights',
  'updateQuota',
  'updateWhitelist',
  'pause',
  'resume',
  'convert',
  'convertFree',
  'track',
  'updateUnavailability',
  'answerInverseOffer',
];

test.each(TOLD_OF)('an allocator that does not hear of %s is told from it', (call) => {
  const deaf = (options: AllocatorOptions): Allocator => ({
    ...createAllocator(options),
    [call]: () => undefined,
  });
  expect(causeOf(() => check(deaf, { numRuns: 2000, seed: 1 }))).toBeInstanceOf(Difference);
});

test('the same calls with the same seed give the same offers', () => {
  fc.assert(
    fc.property(allocatorCommands(), settings, fc.integer(), (commands, options, seed) => {
      const run = (): string => {
        const transcript: string[] = [];
        const real = createAllocator(optionsOf(options, seed));
        const recorded: Allocator = {
          ...real,
          allocate: (now, scope) => {
            const allocations = real.allocate(now, scope);
            transcript.push(
              JSON.stringify(
                allocations.map(({ resources, ...rest }) => [rest, resources.summary()]),
              ),
            );
            return allocations;
          },
        };
        fc.modelRun(() => ({ model: emptyModel(options), real: recorded }), commands);
        return transcript.join('\n');
      };
      expect(run()).toBe(run());
    }),
    { numRuns: 50 },
  );
});
