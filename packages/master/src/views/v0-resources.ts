/**
 * Resources and attributes as the JSON endpoints show them: flat maps of amounts.
 */

import type { JsonObject, JsonValue } from '@dcos/base';
import { formatRanges, type Resources } from '@dcos/resources';
import type { Attribute } from '@dcos/wire';

/** The flat map with the four scalars always present. */
export function summary(resources: Resources): JsonObject {
  return resources.summary();
}

/** Amounts by name without zeros; a range counts its members, as `/roles` shows it. */
export function quantities(resources: Resources): JsonObject {
  const amounts: { [name: string]: number } = {};
  for (const [name, milli] of resources.scalarQuantities()) {
    if (milli > 0) amounts[name] = milli / 1000;
  }
  const ports = resources.ports().reduce((sum, { begin, end }) => sum + end - begin + 1, 0);
  if (ports > 0) amounts['ports'] = ports;
  return amounts;
}

/** Sums reserved to each role that has a reservation. */
export function reservedByRole(resources: Resources): ReadonlyMap<string, Resources> {
  const roles = new Set<string>();
  for (const { reservations } of resources.toWire()) {
    const role = reservations?.at(-1)?.role;
    if (role !== undefined) roles.add(role);
  }
  return new Map(Array.from(roles, (role) => [role, resources.reserved(role)] as const));
}

/** Attributes by name; the first of a name counts, as elsewhere. */
export function attributes(list: readonly Attribute[] | undefined): JsonObject {
  const shown: { [name: string]: JsonValue } = {};
  for (const attribute of list ?? []) {
    if (Object.hasOwn(shown, attribute.name)) continue;
    if (attribute.scalar !== undefined) shown[attribute.name] = attribute.scalar.value;
    else if (attribute.ranges !== undefined)
      shown[attribute.name] = formatRanges(attribute.ranges.range ?? []);
    else if (attribute.text !== undefined) shown[attribute.name] = attribute.text.value;
    else shown[attribute.name] = `{${(attribute.set?.item ?? []).join(',')}}`;
  }
  return shown;
}
