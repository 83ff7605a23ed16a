/**
 * What counts against quota, by top-level role: the reservations of its subtree, used or not, and what of the
 * rest its subtree uses. In thousandths, and for all roles at once, since it takes a look at every agent.
 * Source: the original's quota consumption.
 */

import { isChoppable, type Quantities } from '@dcos/allocator';
import { milliOf, topLevelRole, type Entry, type Resources } from '@dcos/resources';
import type { MasterState } from './state.ts';

/** Thousandths by name. */
export type Sums = Map<string, number>;

/** What each top-level role consumes; roles that consume nothing are not in it. */
export function consumptions({ agents }: MasterState): ReadonlyMap<string, Quantities> {
  const byRole = new Map<string, Sums>();
  const count = (role: string, entry: Entry): void => {
    const top = topLevelRole(role);
    const sums = byRole.get(top) ?? new Map<string, number>();
    byRole.set(top, sums);
    addEntry(sums, entry, 1);
  };
  for (const { total, used } of agents.values()) {
    for (const entry of total.entries) {
      const { kind, reservedTo } = entry.nature;
      if (kind === 'scalar' && reservedTo !== undefined) count(reservedTo, entry);
    }
    for (const entry of used.total().entries)
      if (isChoppable(entry)) count(entry.nature.allocatedTo ?? '*', entry);
  }
  return byRole;
}

/** Adds (`1`) or takes (`-1`) what of the resources quota chops and holds back. */
export function addChoppable(sums: Sums, resources: Resources, sign: 1 | -1): void {
  for (const entry of resources.entries) if (isChoppable(entry)) addEntry(sums, entry, sign);
}

function addEntry(sums: Sums, entry: Entry, sign: 1 | -1): void {
  const { name } = entry.nature;
  sums.set(name, (sums.get(name) ?? 0) + sign * milliOf(entry));
}
