/**
 * An immutable multiset of resources.
 *
 * Invariants: entries are sorted by the key of their nature, keys are unique, no entry is empty and
 * nothing is negative. Two objects add together iff name, type, reservations, disk, revocability,
 * sharedness, provider and allocation are identical. Adding ranges and sets is a union, so that adding
 * and taking away again is the identity for them only where both were disjoint.
 * Source: the original's resource algebra.
 */

import { assert } from '@dcos/base';
import type { Resource, Resource_ReservationInfo } from '@dcos/wire';
import {
  addEntries,
  containsEntry,
  entryOf,
  equalEntries,
  milliOf,
  subtractEntry,
  wireOf,
  withAllocation,
  withoutEntry,
  type Entry,
} from './entry.ts';
import { addRanges, formatRanges, type Range } from './ranges.ts';
import { ResourceError } from './resource-error.ts';
import { isAncestorRole } from './roles.ts';
import { fromMilli, toMilli } from './scalar.ts';
import { validateResources } from './validation.ts';

/** Flat amounts as the JSON documents show them: numbers for scalars, text for ranges and sets. */
export interface ResourceSummary {
  readonly cpus: number;
  readonly gpus: number;
  readonly mem: number;
  readonly disk: number;
  readonly [name: string]: number | string;
}

/** The four scalars are always there. */
function noAmounts(): { -readonly [Name in keyof ResourceSummary]: ResourceSummary[Name] } {
  return { disk: 0, mem: 0, gpus: 0, cpus: 0 };
}

export class Resources {
  /** `this`: for the class's own name tsc 7.0 emits one that is set too late for what is made here. */
  static readonly empty: Resources = new this([]);

  /** Sorted by key, unique keys. Read-only access for packages that account in numbers of their own. */
  readonly entries: readonly Entry[];

  /** What `allocate` made this from; saves making it again when an offer comes back. */
  #unallocated: Resources | undefined;

  private constructor(entries: readonly Entry[]) {
    this.entries = entries;
  }

  /** @throws ResourceError when the resources are not valid, see `validateResources`. */
  static fromWire(resources: readonly Resource[] | undefined): Resources {
    if (resources === undefined || resources.length === 0) return Resources.empty;
    const problem = validateResources(resources);
    if (problem !== undefined) throw new ResourceError(problem);
    const entries: Entry[] = [];
    for (const resource of resources) {
      const entry = entryOf(resource);
      if (entry !== undefined) entries.push(entry);
    }
    return Resources.fromEntries(entries);
  }

  /**
   * What `fromWire(resources).summary()` says, for valid resources. Plain scalars, which nearly all tasks have only, are
   * added up as they stand: documents of a hundred thousand tasks are made of this.
   */
  static summaryOfWire(resources: readonly Resource[] | undefined): ResourceSummary {
    const amounts = noAmounts();
    for (const { name, scalar, revocable, shared } of resources ?? []) {
      if (scalar === undefined || revocable !== undefined || shared !== undefined)
        return Resources.fromWire(resources).summary();
      const milli = toMilli(scalar.value);
      if (milli > 0) amounts[name] = fromMilli(toMilli(Number(amounts[name] ?? 0)) + milli);
    }
    return amounts;
  }

  /** The multiset of entries in any order; those of one nature are added up. */
  static fromEntries(entries: readonly Entry[]): Resources {
    if (entries.length === 0) return Resources.empty;
    if (isStrictlySorted(entries)) return new Resources(entries);
    const sorted = [...entries].sort((left, right) =>
      left.nature.key < right.nature.key ? -1 : 1,
    );
    const merged: Entry[] = [];
    for (const entry of sorted) {
      const last = merged.at(-1);
      if (last !== undefined && last.nature.key === entry.nature.key)
        merged[merged.length - 1] = addEntries(last, entry);
      else merged.push(entry);
    }
    return new Resources(merged);
  }

  /**
   * The messages, sorted by name; reservations as a stack. Pieces of one whole disk or volume appear
   * once for each.
   */
  toWire(): readonly Resource[] {
    const resources: Resource[] = [];
    for (const entry of this.entries) {
      const resource = wireOf(entry);
      for (let piece = 0; piece < entry.count; piece++) resources.push(resource);
    }
    return resources;
  }

  isEmpty(): boolean {
    return this.entries.length === 0;
  }

  equals(other: Resources): boolean {
    return (
      this === other ||
      (this.entries.length === other.entries.length &&
        this.entries.every((entry, at) => equalEntries(entry, other.entries[at] as Entry)))
    );
  }

  /** Whether `other` can be taken away from this. */
  contains(other: Resources): boolean {
    if (this === other) return true;
    if (areFew(other.entries, this.entries)) {
      return other.entries.every((wanted) => {
        const held = this.entries[placeOf(this.entries, wanted)];
        return held?.nature.key === wanted.nature.key && containsEntry(held, wanted);
      });
    }
    let at = 0;
    for (const wanted of other.entries) {
      while (at < this.entries.length && (this.entries[at] as Entry).nature.key < wanted.nature.key)
        at += 1;
      const held = this.entries[at];
      if (
        held === undefined ||
        held.nature.key !== wanted.nature.key ||
        !containsEntry(held, wanted)
      )
        return false;
      at += 1;
    }
    return true;
  }

  add(other: Resources): Resources {
    if (this.isEmpty()) return other;
    if (other.isEmpty()) return this;
    if (areFew(other.entries, this.entries)) return this.#addFew(other.entries);
    if (areFew(this.entries, other.entries)) return other.#addFew(this.entries);
    const sum: Entry[] = [];
    let left = 0;
    let right = 0;
    while (left < this.entries.length && right < other.entries.length) {
      const one = this.entries[left] as Entry;
      const two = other.entries[right] as Entry;
      if (one.nature.key === two.nature.key) {
        sum.push(addEntries(one, two));
        left += 1;
        right += 1;
      } else if (one.nature.key < two.nature.key) {
        sum.push(one);
        left += 1;
      } else {
        sum.push(two);
        right += 1;
      }
    }
    for (; left < this.entries.length; left++) sum.push(this.entries[left] as Entry);
    for (; right < other.entries.length; right++) sum.push(other.entries[right] as Entry);
    return new Resources(sum);
  }

  /** What is left of this. Asserts that this contains `other`. */
  subtract(other: Resources): Resources {
    if (other.isEmpty()) return this;
    if (other === this) return Resources.empty;
    if (areFew(other.entries, this.entries)) return this.#subtractFew(other.entries);
    const rest: Entry[] = [];
    let right = 0;
    for (const held of this.entries) {
      const taken = other.entries[right];
      if (taken === undefined || taken.nature.key !== held.nature.key) {
        rest.push(held);
        continue;
      }
      assert(containsEntry(held, taken), `more ${held.nature.name} would be taken than there is`);
      const entry = subtractEntry(held, taken);
      if (entry !== undefined) rest.push(entry);
      right += 1;
    }
    assert(right === other.entries.length, 'resources would be taken that are not there');
    return rest.length === 0 ? Resources.empty : new Resources(rest);
  }

  /** What is left of this after as much of `other` as is there was taken; never fails. */
  without(other: Resources): Resources {
    const taken = new Map(other.entries.map((entry) => [entry.nature.key, entry] as const));
    const rest: Entry[] = [];
    for (const held of this.entries) {
      const entry = withoutEntry(held, taken.get(held.nature.key));
      if (entry !== undefined) rest.push(entry);
    }
    return rest.length === 0 ? Resources.empty : new Resources(rest);
  }

  /** The objects that the predicate keeps; it sees each as a message. */
  filter(predicate: (resource: Resource) => boolean): Resources {
    return this.filterEntries((entry) => predicate(wireOf(entry)));
  }

  /** The objects that the predicate keeps, without making messages. */
  filterEntries(predicate: (entry: Entry) => boolean): Resources {
    const kept = this.entries.filter(predicate);
    if (kept.length === this.entries.length) return this;
    return kept.length === 0 ? Resources.empty : new Resources(kept);
  }

  /** Everything as allocated to that role, whatever role it was allocated to. */
  allocate(role: string): Resources {
    return this.#withAllocation(role);
  }

  unallocate(): Resources {
    return this.#unallocated ?? this.#withAllocation(undefined);
  }

  unreserved(): Resources {
    return this.filterEntries(({ nature }) => nature.reservedTo === undefined);
  }

  /** What is reserved, or what is reserved to exactly that role. */
  reserved(role?: string): Resources {
    return this.filterEntries(({ nature }) =>
      role === undefined ? nature.reservedTo !== undefined : nature.reservedTo === role,
    );
  }

  /** What a role may have: unreserved, or reserved to it or to a role above it. */
  allocatableTo(role: string): Resources {
    return this.filterEntries(
      ({ nature: { reservedTo } }) =>
        reservedTo === undefined || reservedTo === role || isAncestorRole(reservedTo, role),
    );
  }

  revocable(): Resources {
    return this.filterEntries(({ nature }) => nature.revocable);
  }

  nonRevocable(): Resources {
    return this.filterEntries(({ nature }) => !nature.revocable);
  }

  /** Everything with one more reservation on top; asserts that the result is valid. */
  pushReservation(reservation: Resource_ReservationInfo): Resources {
    return Resources.fromWire(
      this.toWire().map((resource) => ({
        ...resource,
        reservations: [...(resource.reservations ?? []), reservation],
      })),
    );
  }

  /** Everything without its topmost reservation; asserts that all of it is reserved. */
  popReservation(): Resources {
    return Resources.fromWire(
      this.toWire().map((resource) => {
        const stack = resource.reservations ?? [];
        assert(stack.length > 0, `${resource.name} is not reserved`);
        return { ...resource, reservations: stack.slice(0, -1) };
      }),
    );
  }

  /** Sum of a scalar over all objects, in thousandths. */
  scalarMilli(name: string): number {
    let sum = 0;
    for (const entry of this.entries) {
      if (entry.nature.name === name && entry.nature.kind === 'scalar') sum += milliOf(entry);
    }
    return sum;
  }

  /** Cores. */
  cpus(): number {
    return fromMilli(this.scalarMilli('cpus'));
  }

  /** MB. */
  mem(): number {
    return fromMilli(this.scalarMilli('mem'));
  }

  /** MB. */
  disk(): number {
    return fromMilli(this.scalarMilli('disk'));
  }

  gpus(): number {
    return fromMilli(this.scalarMilli('gpus'));
  }

  /** The ports of all objects, in normal form. */
  ports(): readonly Range[] {
    let ports: readonly Range[] = [];
    for (const { nature, ranges } of this.entries) {
      if (nature.name === 'ports' && nature.kind === 'ranges') ports = addRanges(ports, ranges);
    }
    return ports;
  }

  /** Names in order, each once. */
  names(): readonly string[] {
    return [...new Set(this.entries.map(({ nature }) => nature.name))];
  }

  /** Sums of all scalars, in thousandths. */
  scalarQuantities(): ReadonlyMap<string, number> {
    const quantities = new Map<string, number>();
    for (const entry of this.entries) {
      const { name, kind } = entry.nature;
      if (kind === 'scalar') quantities.set(name, (quantities.get(name) ?? 0) + milliOf(entry));
    }
    return quantities;
  }

  /** The flat map of the JSON documents; revocable amounts stand under `<name>_revocable`. */
  summary(): ResourceSummary {
    const amounts = noAmounts();
    if (this.entries.every(({ nature }) => nature.kind === 'scalar' && !nature.revocable)) {
      // Nearly all tasks; there may be several objects of one name.
      const sums = this.scalarQuantities();
      for (const [name, milli] of sums) amounts[name] = fromMilli(milli);
      return amounts;
    }
    const firm = this.nonRevocable();
    for (const name of firm.names()) amounts[name] = firm.#summaryOf(name);
    const revocable = this.revocable();
    for (const name of revocable.names()) amounts[`${name}_revocable`] = revocable.#summaryOf(name);
    return amounts;
  }

  #addFew(others: readonly Entry[]): Resources {
    const sum = this.entries.slice();
    for (const entry of others) {
      const at = placeOf(sum, entry);
      const held = sum[at];
      if (held?.nature.key === entry.nature.key) sum[at] = addEntries(held, entry);
      else sum.splice(at, 0, entry);
    }
    return new Resources(sum);
  }

  #subtractFew(others: readonly Entry[]): Resources {
    const rest = this.entries.slice();
    for (const taken of others) {
      const at = placeOf(rest, taken);
      const held = rest[at];
      assert(
        held?.nature.key === taken.nature.key && containsEntry(held, taken),
        `more ${taken.nature.name} would be taken than there is`,
      );
      const entry = subtractEntry(held, taken);
      if (entry === undefined) rest.splice(at, 1);
      else rest[at] = entry;
    }
    return new Resources(rest);
  }

  #summaryOf(name: string): number | string {
    const entries = this.entries.filter(({ nature }) => nature.name === name);
    const kind = entries[0]?.nature.kind;
    if (kind === 'ranges') {
      let ranges: readonly Range[] = [];
      for (const entry of entries) ranges = addRanges(ranges, entry.ranges);
      return formatRanges(ranges);
    }
    if (kind === 'set')
      return `{${[...new Set(entries.flatMap(({ items }) => items))].join(', ')}}`;
    return fromMilli(this.scalarMilli(name));
  }

  #withAllocation(role: string | undefined): Resources {
    if (this.entries.every(({ nature }) => nature.allocatedTo === role)) return this;
    const entries = this.entries.map(({ nature, milli, ranges, items, count }) => ({
      nature: withAllocation(nature, role),
      milli,
      ranges,
      items,
      count,
    }));
    if (this.entries.some(({ nature }) => nature.allocatedTo !== undefined)) {
      return Resources.fromEntries(entries);
    }
    // The same suffix on keys of which none continues another after the separator keeps their order.
    const allocated = new Resources(entries);
    allocated.#unallocated = this;
    return allocated;
  }
}

/** Whether looking up each of some entries is less work than a walk over all of the others. */
function areFew(some: readonly Entry[], others: readonly Entry[]): boolean {
  return others.length >= 16 && some.length * 8 <= others.length;
}

/** Where an entry of that nature is among sorted ones, or would be. */
function placeOf(entries: readonly Entry[], { nature: { key } }: Entry): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle] as Entry).nature.key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isStrictlySorted(entries: readonly Entry[]): boolean {
  for (let at = 1; at < entries.length; at++) {
    if ((entries[at - 1] as Entry).nature.key >= (entries[at] as Entry).nature.key) return false;
  }
  return true;
}
