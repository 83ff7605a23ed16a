/**
 * One object inside a multiset of resources: what it is (`Nature`) and how much of it (`Entry`).
 *
 * Invariants: two entries add together iff the keys of their natures are the same; no entry is empty;
 * a nature's key starts with its name and ends with its allocation, so that entries sorted by key stay
 * sorted when all of them are allocated to one role.
 */

import { compareText, unreachable } from '@dcos/base';
import type { Resource } from '@dcos/wire';
import {
  addRanges,
  containsRanges,
  equalRanges,
  normaliseRanges,
  subtractRanges,
  type Range,
} from './ranges.ts';
import { reservationsOf } from './reservations.ts';
import { fromMilli, toMilli } from './scalar.ts';

export type ValueKind = 'scalar' | 'ranges' | 'set';

/** Everything about a resource except its amount. */
export interface Nature {
  readonly key: string;
  /** The key without the allocation. */
  readonly ownKey: string;
  readonly name: string;
  readonly kind: ValueKind;
  /** Role on top of the reservations, undefined when unreserved. */
  readonly reservedTo: string | undefined;
  readonly refined: boolean;
  readonly revocable: boolean;
  readonly shared: boolean;
  readonly persistent: boolean;
  /**
   * Disks that are taken whole (MOUNT, BLOCK, RAW), persistent volumes and shared resources: they are
   * counted, never merged or split.
   */
  readonly whole: boolean;
  readonly allocatedTo: string | undefined;
  /** The resource without value, allocation and the old spelling of reservations. */
  readonly frame: Resource;
}

/** An amount of one nature. Only the field of the nature's kind counts; `count` is 1 unless whole. */
export interface Entry {
  readonly nature: Nature;
  readonly milli: number;
  readonly ranges: readonly Range[];
  readonly items: readonly string[];
  readonly count: number;
}

const NONE: readonly never[] = [];

/** A part of the key that separates fields; names with it inside cannot make two natures look alike. */
const SEPARATOR = '\u0000';

/** The entry of a valid resource; undefined when it amounts to nothing. */
export function entryOf(resource: Resource): Entry | undefined {
  switch (resource.type) {
    case 'SCALAR': {
      const milli = toMilli(resource.scalar?.value ?? 0);
      return milli === 0 ? undefined : scalarEntry(natureOf(resource, 'scalar', milli), milli);
    }
    case 'RANGES': {
      const given = (resource.ranges?.range ?? NONE).map(({ begin, end }) => ({ begin, end }));
      const ranges = normaliseRanges(given);
      if (ranges.length === 0) return undefined;
      return { nature: natureOf(resource, 'ranges', 0), milli: 0, ranges, items: NONE, count: 1 };
    }
    default: {
      const items = [...new Set(resource.set?.item ?? NONE)].sort(compareText);
      if (items.length === 0) return undefined;
      return { nature: natureOf(resource, 'set', 0), milli: 0, ranges: NONE, items, count: 1 };
    }
  }
}

/** An entry of a scalar nature. */
export function scalarEntry(nature: Nature, milli: number): Entry {
  return { nature, milli, ranges: NONE, items: NONE, count: 1 };
}

/**
 * Natures of plain resources by key. Every task and offer has some of a few of them, so sharing them saves
 * most of the memory that resources take. Natures beyond the bound are not shared.
 */
const plainNatures = new Map<string, Nature>();
const PLAIN_NATURES_MAX = 65_536;

function keyOf(ownKey: string, role: string | undefined): string {
  return role === undefined ? ownKey : `${ownKey}${SEPARATOR}${role}`;
}

function remembered(nature: Nature): Nature {
  if (plainNatures.size < PLAIN_NATURES_MAX) plainNatures.set(nature.key, nature);
  return nature;
}

function natureOf(resource: Resource, kind: ValueKind, milli: number): Nature {
  const { name, provider_id, disk, revocable, shared, allocation_info } = resource;
  const reservations = reservationsOf(resource);
  const plain =
    provider_id === undefined &&
    reservations.length === 0 &&
    disk === undefined &&
    revocable === undefined &&
    shared === undefined;
  const plainKey = `${name}${SEPARATOR}${kind}${SEPARATOR}`;
  if (plain) {
    const known = plainNatures.get(keyOf(plainKey, allocation_info?.role));
    if (known !== undefined) return known;
  }
  const frame: Resource = {
    ...(provider_id === undefined ? {} : { provider_id }),
    name,
    type: resource.type,
    ...(reservations.length === 0 ? {} : { reservations }),
    ...(disk === undefined ? {} : { disk }),
    ...(revocable === undefined ? {} : { revocable }),
    ...(shared === undefined ? {} : { shared }),
  };
  const source = disk?.source?.type;
  const persistent = disk?.persistence !== undefined;
  const whole =
    shared !== undefined ||
    persistent ||
    source === 'MOUNT' ||
    source === 'BLOCK' ||
    source === 'RAW';
  const extras = plain
    ? ''
    : canonicalText([
        provider_id,
        reservations,
        disk,
        revocable !== undefined,
        shared !== undefined,
        whole ? milli : 0,
      ]);
  const ownKey = plainKey + extras;
  const nature: Nature = {
    key: ownKey,
    ownKey,
    name,
    kind,
    reservedTo: reservations.at(-1)?.role,
    refined: reservations.length > 1,
    revocable: revocable !== undefined,
    shared: shared !== undefined,
    persistent,
    whole,
    allocatedTo: undefined,
    frame,
  };
  return withAllocation(plain ? remembered(nature) : nature, allocation_info?.role);
}

/** The same nature allocated to a role, or to none. */
export function withAllocation(nature: Nature, role: string | undefined): Nature {
  if (nature.allocatedTo === role) return nature;
  const key = keyOf(nature.ownKey, role);
  const plain = nature.ownKey.endsWith(SEPARATOR);
  const known = plain ? plainNatures.get(key) : undefined;
  if (known !== undefined) return known;
  const allocated: Nature = {
    key,
    ownKey: nature.ownKey,
    name: nature.name,
    kind: nature.kind,
    reservedTo: nature.reservedTo,
    refined: nature.refined,
    revocable: nature.revocable,
    shared: nature.shared,
    persistent: nature.persistent,
    whole: nature.whole,
    allocatedTo: role,
    frame: nature.frame,
  };
  return plain ? remembered(allocated) : allocated;
}

/** JSON with the keys of objects sorted and unset ones left out: equal values give equal texts. */
function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .sort(([left], [right]) => compareText(left, right));
    return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonicalText(field)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** Both together; the natures must have the same key. */
export function addEntries(left: Entry, right: Entry): Entry {
  const { nature } = left;
  if (nature.whole) return { ...left, count: left.count + right.count };
  switch (nature.kind) {
    case 'scalar':
      return scalarEntry(nature, left.milli + right.milli);
    case 'ranges':
      return {
        nature,
        milli: 0,
        ranges: addRanges(left.ranges, right.ranges),
        items: NONE,
        count: 1,
      };
    case 'set': {
      const items = [...new Set([...left.items, ...right.items])].sort(compareText);
      return { nature, milli: 0, ranges: NONE, items, count: 1 };
    }
    default:
      return unreachable(nature.kind);
  }
}

/** Whether `right` can be taken out of `left`; the natures must have the same key. */
export function containsEntry(left: Entry, right: Entry): boolean {
  if (left.nature.whole) return left.count >= right.count;
  switch (left.nature.kind) {
    case 'scalar':
      return left.milli >= right.milli;
    case 'ranges':
      return left.ranges === right.ranges || containsRanges(left.ranges, right.ranges);
    case 'set':
      return right.items.every((item) => left.items.includes(item));
    default:
      return unreachable(left.nature.kind);
  }
}

/** What is left, undefined when nothing is; `left` must contain `right`. */
export function subtractEntry(left: Entry, right: Entry): Entry | undefined {
  const { nature } = left;
  if (nature.whole) {
    return left.count === right.count ? undefined : { ...left, count: left.count - right.count };
  }
  switch (nature.kind) {
    case 'scalar':
      return left.milli === right.milli ? undefined : scalarEntry(nature, left.milli - right.milli);
    case 'ranges': {
      const ranges =
        left.ranges === right.ranges ? NONE : subtractRanges(left.ranges, right.ranges);
      return ranges.length === 0 ? undefined : { nature, milli: 0, ranges, items: NONE, count: 1 };
    }
    case 'set': {
      const items = left.items.filter((item) => !right.items.includes(item));
      return items.length === 0 ? undefined : { nature, milli: 0, ranges: NONE, items, count: 1 };
    }
    default:
      return unreachable(nature.kind);
  }
}

/** What is left after as much of `right` as there is was taken out, undefined when nothing is. */
export function withoutEntry(left: Entry, right: Entry | undefined): Entry | undefined {
  if (right === undefined) return left;
  const { nature } = left;
  if (nature.whole) {
    return left.count <= right.count ? undefined : { ...left, count: left.count - right.count };
  }
  if (nature.kind === 'scalar' && left.milli < right.milli) return undefined;
  return subtractEntry(left, right);
}

/** Whether both are the same amount of the same nature. */
export function equalEntries(left: Entry, right: Entry): boolean {
  return (
    left === right ||
    (left.nature.key === right.nature.key &&
      left.milli === right.milli &&
      left.count === right.count &&
      equalRanges(left.ranges, right.ranges) &&
      left.items.length === right.items.length &&
      left.items.every((item, at) => item === right.items[at]))
  );
}

/** How much a scalar entry adds to a sum, in thousandths: shared ones once, however many users. */
export function milliOf(entry: Entry): number {
  return entry.nature.shared ? entry.milli : entry.milli * entry.count;
}

/** The message of an entry (of one piece of it, when whole). */
export function wireOf(entry: Entry): Resource {
  const { frame, allocatedTo, kind } = entry.nature;
  const value: Partial<Resource> =
    kind === 'scalar'
      ? { scalar: { value: fromMilli(entry.milli) } }
      : kind === 'ranges'
        ? { ranges: { range: entry.ranges } }
        : { set: { item: entry.items } };
  return {
    ...frame,
    ...value,
    ...(allocatedTo === undefined ? {} : { allocation_info: { role: allocatedTo } }),
  };
}
