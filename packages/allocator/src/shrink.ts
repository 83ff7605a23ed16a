/**
 * Cutting an offer down: scalars are trimmed to what is left of a target, resources that are taken whole
 * (MOUNT, BLOCK and RAW disks, volumes) are kept only when all of them fits.
 */

import { milliOf, Resources, scalarEntryOf, type Entry } from '@dcos/resources';

/** Thousandths of a name that may still be taken; undefined for as much as there is. */
export type Room = (name: string) => number | undefined;

/**
 * The part of the resources that fits. Everything in them must be a scalar. Objects are tried in the
 * order of their kinds, so that the same resources are always cut the same way.
 */
export function shrink(resources: Resources, room: Room): Resources {
  const left = new Map<string, number>();
  const kept: Entry[] = [];
  let changed = false;
  for (const entry of resources.entries) {
    const { name } = entry.nature;
    const free = left.get(name) ?? room(name);
    if (free === undefined) {
      kept.push(entry);
      continue;
    }
    const milli = milliOf(entry);
    if (milli <= free) {
      kept.push(entry);
      left.set(name, free - milli);
      continue;
    }
    changed = true;
    if (free <= 0) continue;
    if (entry.nature.whole) {
      // Several alike: each of them is one piece.
      const count = Math.floor(free / entry.milli);
      if (count > 0) kept.push({ ...entry, count });
      left.set(name, free - count * entry.milli);
      continue;
    }
    kept.push(scalarEntryOf(entry.nature, free));
    left.set(name, 0);
  }
  return changed ? Resources.fromEntries(kept) : resources;
}
