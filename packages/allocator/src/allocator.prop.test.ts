import fc from 'fast-check';
import { seededRandom } from '@dcos/base';
import { expect, test } from 'vitest';
import { createAllocator } from './allocator.ts';
import { allocatorCommands, Difference, type Model } from './testing/commands.ts';
import { createBrokenAllocator, MUTATIONS } from './testing/mutations.ts';
import { AllocatorSpecification } from './testing/specification.ts';
import type { Allocator, AllocatorOptions } from './types.ts';

const INTERVAL_MS = 1000;

function check(
  create: (options: AllocatorOptions) => Allocator,
  runs: { readonly numRuns: number; readonly seed?: number },
): void {
  fc.assert(
    fc.property(allocatorCommands(), fc.integer(), (commands, seed) => {
      const setup = (): { model: Model; real: Allocator } => ({
        model: {
          specification: new AllocatorSpecification({ allocationIntervalMs: INTERVAL_MS }),
          now: 0,
        },
        real: create({ random: seededRandom(seed), allocationIntervalMs: INTERVAL_MS }),
      });
      fc.modelRun(setup, commands);
    }),
    runs,
  );
}

test('decides what the specification says, in any history', () => {
  check(createAllocator, { numRuns: 1500 });
}, 120_000);

test.each(MUTATIONS)('an allocator that is broken on purpose (%s) is told from it', (mutation) => {
  const broken = (options: AllocatorOptions): Allocator => createBrokenAllocator(options, mutation);
  let cause: unknown;
  try {
    check(broken, { numRuns: 500, seed: 1 });
  } catch (error) {
    cause = error instanceof Error ? error.cause : error;
  }
  expect(cause).toBeInstanceOf(Difference);
});

test('the same calls with the same seed give the same offers', () => {
  fc.assert(
    fc.property(allocatorCommands(), fc.integer(), (commands, seed) => {
      const run = (): string => {
        const transcript: string[] = [];
        const real = createAllocator({
          random: seededRandom(seed),
          allocationIntervalMs: INTERVAL_MS,
        });
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
        const model: Model = {
          specification: new AllocatorSpecification({ allocationIntervalMs: INTERVAL_MS }),
          now: 0,
        };
        fc.modelRun(() => ({ model, real: recorded }), commands);
        return transcript.join('\n');
      };
      expect(run()).toBe(run());
    }),
    { numRuns: 50 },
  );
});
