/**
 * What tasks hold of the agent's resources. The master decides; the agent only refuses what cannot be
 * there at all, since two tasks on one port or on memory that does not exist fail in worse ways.
 */

import type { Resource, Value_Range } from '@dcos/wire';

/** Amount of a scalar in thousandths, over all objects of that name. */
function scalarMilli(resources: readonly Resource[], name: string): number {
  let sum = 0;
  for (const resource of resources) {
    if (resource.name === name) sum += Math.round((resource.scalar?.value ?? 0) * 1000);
  }
  return sum;
}

function ranges(resources: readonly Resource[], name: string): readonly Value_Range[] {
  return resources.flatMap((resource) =>
    resource.name === name ? (resource.ranges?.range ?? []) : [],
  );
}

function isFirm({ revocable }: Resource): boolean {
  return revocable === undefined;
}

/**
 * Why these resources cannot be given beside what is used, or undefined.
 * Reservations do not matter here: they change who may use a resource, not how much of it there is. Neither do
 * revocable resources: how much of them there is changes on the way to the task, and nothing breaks when it is less.
 */
export function shortage(
  total: readonly Resource[],
  allUsed: readonly Resource[],
  allWanted: readonly Resource[],
): string | undefined {
  const [used, wanted] = [allUsed.filter(isFirm), allWanted.filter(isFirm)];
  for (const name of new Set(wanted.map((resource) => resource.name))) {
    const free = scalarMilli(total, name) - scalarMilli(used, name);
    const amount = scalarMilli(wanted, name);
    if (amount > free) return `${amount / 1000} ${name} wanted, ${free / 1000} free`;
    for (const range of ranges(wanted, name)) {
      const inTotal = ranges(total, name).some(
        ({ begin, end }) => begin <= range.begin && range.end <= end,
      );
      if (!inTotal) return `${name} ${range.begin}-${range.end} are not this agent's`;
      const taken = ranges(used, name).some(
        ({ begin, end }) => begin <= range.end && range.begin <= end,
      );
      if (taken) return `${name} ${range.begin}-${range.end} are in use`;
    }
  }
  return undefined;
}
