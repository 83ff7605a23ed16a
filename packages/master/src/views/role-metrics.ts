/**
 * Metrics of roles, as the allocator sees them: shares, offer filters, and quota with what it is used for.
 * Source: the original's names. `consumed` is there for every top-level role that consumes something, the
 * others where the role has a quota, and a limit only where there is one.
 */

import type { Allocator, Quantities } from '@dcos/allocator';
import { consumptions } from '../core/quota-consumption.ts';
import type { MasterState } from '../core/state.ts';

/** Readings of all roles. */
export function roleReadings(state: MasterState, allocator: Allocator): Record<string, number> {
  const readings: Record<string, number> = {};
  const set = (path: string, what: string, amounts: Quantities): void => {
    for (const [name, milli] of amounts)
      readings[`${path}/resources/${name}/${what}`] = milli / 1000;
  };
  const pathOf = (role: string): string => `allocator/mesos/quota/roles/${role}`;
  for (const [role, amounts] of consumptions(state)) set(pathOf(role), 'consumed', amounts);
  for (const { role, share, frameworks, quota, allocated } of allocator.explain()) {
    if (frameworks.length > 0) {
      readings[`allocator/mesos/roles/${role}/shares/dominant`] = share;
      readings[`allocator/mesos/offer_filters/roles/${role}/active`] = frameworks.reduce(
        (sum, { filters }) => sum + filters,
        0,
      );
    }
    // Quota is that of the top-level role, with all that lies below it.
    if (quota === undefined || role.includes('/')) continue;
    const { guarantees, limits } = quota;
    set(pathOf(role), 'guarantee', guarantees);
    set(pathOf(role), 'limit', limits);
    for (const name of new Set([...guarantees.keys(), ...limits.keys()])) {
      const path = `${pathOf(role)}/resources/${name}`;
      readings[`${path}/offered_or_allocated`] = (allocated.get(name) ?? 0) / 1000;
      readings[`${path}/consumed`] ??= 0;
    }
  }
  return readings;
}
