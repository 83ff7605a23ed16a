/**
 * Allocators that are broken on purpose. Checks that cannot tell them from the real one check nothing.
 * For tests only.
 */

import { createAllocator } from '../allocator.ts';
import type { Allocation, Allocator, AllocatorOptions } from '../types.ts';

export type Mutation = 'double-allocate' | 'lose-on-recover';

export const MUTATIONS: readonly Mutation[] = ['double-allocate', 'lose-on-recover'];

/** Every so many allocations or recoveries the defect shows. */
const PERIOD = 3;

/** An allocator that now and then gives the same resources twice, or loses what comes back. */
export function createBrokenAllocator(options: AllocatorOptions, mutation: Mutation): Allocator {
  const allocator = createAllocator(options);
  let calls = 0;
  if (mutation === 'lose-on-recover') {
    return {
      ...allocator,
      recover: (...args) => {
        calls += 1;
        if (calls % PERIOD !== 0) allocator.recover(...args);
      },
    };
  }
  return {
    ...allocator,
    allocate: (now, scope) => {
      const allocations: Allocation[] = [];
      for (const allocation of allocator.allocate(now, scope)) {
        calls += 1;
        allocations.push(allocation);
        if (calls % PERIOD === 0) allocations.push(allocation);
      }
      return allocations;
    },
  };
}
