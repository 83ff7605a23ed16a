/**
 * What counts against quota: per top-level role the reservations of its subtree, allocated or not, and the
 * unreserved, non-revocable scalars that are offered to it or used by it; and for the whole cluster what
 * of those is free. Kept by changes; nothing is kept while there is no quota.
 *
 * Invariants: a top-level role's consumption is the sum over its subtree; `free` is what is unreserved and
 * non-revocable in all totals, less what of it is allocated.
 * Source: the original's quota: guarantees hold back headroom from everyone else, limits are hard.
 */

import { milliOf, topLevelRole, type Entry, type Resources } from '@dcos/resources';
import type { Quantities, Quota } from './types.ts';

/** Thousandths by name. */
type Sums = Map<string, number>;

/** Whether an entry is a scalar that quota counts and chops: unreserved and there to stay. */
export function isChoppable({ nature }: Entry): boolean {
  return nature.kind === 'scalar' && nature.reservedTo === undefined && !nature.revocable;
}

export class QuotaBook {
  readonly #quotas = new Map<string, Quota>();
  readonly #consumed = new Map<string, Sums>();
  readonly #free: Sums = new Map();

  /** Whether any role has a quota; the book is kept only then. */
  get inUse(): boolean {
    return this.#quotas.size > 0;
  }

  quotaOf(role: string): Quota | undefined {
    return this.#quotas.get(role);
  }

  quotas(): ReadonlyMap<string, Quota> {
    return this.#quotas;
  }

  set(role: string, quota: Quota | undefined): void {
    if (quota === undefined) this.#quotas.delete(role);
    else this.#quotas.set(role, quota);
    if (this.inUse) return;
    this.#consumed.clear();
    this.#free.clear();
  }

  /** What a top-level role consumes. */
  consumedOf(role: string): Quantities {
    return this.#consumed.get(role) ?? new Map();
  }

  /** What is unreserved, non-revocable and free in the cluster. */
  free(): Quantities {
    return this.#free;
  }

  /** Totals of an agent come (`1`) or go (`-1`). */
  changeTotal(total: Resources, sign: 1 | -1): void {
    if (!this.inUse) return;
    for (const entry of total.entries) {
      const { nature } = entry;
      if (nature.kind !== 'scalar') continue;
      if (nature.reservedTo !== undefined) {
        this.#add(topLevelRole(nature.reservedTo), nature.name, sign * milliOf(entry));
      } else if (isChoppable(entry)) add(this.#free, nature.name, sign * milliOf(entry));
    }
  }

  /** An allocation to a role begins (`1`) or ends (`-1`). */
  changeAllocation(role: string, resources: Resources, sign: 1 | -1): void {
    if (!this.inUse) return;
    for (const entry of resources.entries) {
      if (!isChoppable(entry)) continue;
      this.#add(topLevelRole(role), entry.nature.name, sign * milliOf(entry));
      add(this.#free, entry.nature.name, -sign * milliOf(entry));
    }
  }

  #add(role: string, name: string, milli: number): void {
    const sums = this.#consumed.get(role) ?? new Map<string, number>();
    this.#consumed.set(role, sums);
    add(sums, name, milli);
    // Roles come and go with frameworks.
    if (sums.size === 0) this.#consumed.delete(role);
  }
}

function add(sums: Sums, name: string, milli: number): void {
  const sum = (sums.get(name) ?? 0) + milli;
  if (sum === 0) sums.delete(name);
  else sums.set(name, sum);
}
