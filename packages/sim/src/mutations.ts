/**
 * Deliberate defects of the allocator. A simulation that cannot find them checks nothing: tests run it with
 * each of them and demand that a checker objects.
 */

import type { Allocation, Allocator } from '@dcos/allocator';

export type Mutation = 'allocate-twice' | 'lose-on-recover';

export const MUTATIONS: readonly Mutation[] = ['allocate-twice', 'lose-on-recover'];

/** An allocator with a defect that shows now and then. */
export function mutate(allocator: Allocator, mutation: Mutation): Allocator {
  let calls = 0;
  if (mutation === 'allocate-twice') {
    const allocate: Allocator['allocate'] = (now, scope) => {
      const allocations = allocator.allocate(now, scope);
      calls += allocations.length;
      const [first] = allocations;
      // What was given once is given again, behind the back of the books.
      return first !== undefined && calls % 5 === 0
        ? [...allocations, first satisfies Allocation]
        : allocations;
    };
    return Object.assign(Object.create(allocator) as Allocator, { allocate });
  }
  const recover: Allocator['recover'] = (...args) => {
    calls += 1;
    if (calls % 7 !== 0) allocator.recover(...args);
  };
  return Object.assign(Object.create(allocator) as Allocator, { recover });
}
