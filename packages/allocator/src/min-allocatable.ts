/** What is worth an offer. */

import type { Resources } from '@dcos/resources';
import type { MinAllocatable } from './types.ts';

/** 0.01 cpus or 32 MB of memory, as the original. */
export const MIN_ALLOCATABLE_DEFAULT: MinAllocatable = [
  new Map([['cpus', 10]]),
  new Map([['mem', 32_000]]),
];

/** Whether the resources reach one of the amounts; with none given, whether there is anything. */
export function isAllocatable(resources: Resources, minimum: MinAllocatable): boolean {
  if (resources.isEmpty()) return false;
  if (minimum.length === 0) return true;
  for (const quantities of minimum) {
    let reached = true;
    for (const [name, milli] of quantities) {
      if (resources.scalarMilli(name) < milli) {
        reached = false;
        break;
      }
    }
    if (reached) return true;
  }
  return false;
}
