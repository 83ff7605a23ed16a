/**
 * The records of the zone, changed one by one as the cluster changes.
 *
 * Invariants: a value is published as long as at least one holder wants it (two tasks of one name on one
 * agent want the same address); a name without values and without names below it does not exist; a
 * change costs time by the size of the change, never by the size of the zone.
 */

import { assert } from '@dcos/base';

export type RecordType = 'A' | 'AAAA' | 'SRV';

/** One record. Names are absolute, in lower case, without the final dot. */
export interface ZoneRecord {
  readonly name: string;
  readonly type: RecordType;
  /** An address, or `target:port` for SRV. */
  readonly value: string;
}

export interface SrvValue {
  readonly target: string;
  readonly port: number;
}

/** What one name holds. */
export interface ZoneName {
  readonly A: readonly string[];
  readonly AAAA: readonly string[];
  readonly SRV: readonly SrvValue[];
}

class Values {
  /** Value to the number of holders that want it. */
  readonly holders = new Map<string, number>();
  #list: readonly string[] | undefined;

  get list(): readonly string[] {
    this.#list ??= [...this.holders.keys()];
    return this.#list;
  }

  add(value: string): void {
    const count = this.holders.get(value) ?? 0;
    this.holders.set(value, count + 1);
    if (count === 0) this.#list = undefined;
  }

  remove(value: string): void {
    const count = this.holders.get(value) ?? 0;
    assert(count > 0, 'only a published record is withdrawn');
    if (count > 1) this.holders.set(value, count - 1);
    else {
      this.holders.delete(value);
      this.#list = undefined;
    }
  }
}

class Entry implements ZoneName {
  readonly values: { readonly [type in RecordType]: Values } = {
    A: new Values(),
    AAAA: new Values(),
    SRV: new Values(),
  };
  #srvOf: readonly string[] | undefined;
  #srv: readonly SrvValue[] = [];

  get A(): readonly string[] {
    return this.values.A.list;
  }

  get AAAA(): readonly string[] {
    return this.values.AAAA.list;
  }

  get SRV(): readonly SrvValue[] {
    const { list } = this.values.SRV;
    if (this.#srvOf !== list) {
      this.#srvOf = list;
      this.#srv = list.map(parseSrvValue);
    }
    return this.#srv;
  }

  get empty(): boolean {
    const { A, AAAA, SRV } = this.values;
    return A.holders.size === 0 && AAAA.holders.size === 0 && SRV.holders.size === 0;
  }
}

/** Splits `target:port`. */
export function parseSrvValue(value: string): SrvValue {
  const colon = value.lastIndexOf(':');
  return { target: value.slice(0, colon), port: Number(value.slice(colon + 1)) };
}

export class Zone {
  readonly #entries = new Map<string, Entry>();
  /** How many entries lie below a name: such a name exists even when it holds nothing. */
  readonly #below = new Map<string, number>();

  add(record: ZoneRecord): void {
    let entry = this.#entries.get(record.name);
    if (entry === undefined) {
      entry = new Entry();
      this.#entries.set(record.name, entry);
      this.#countBelow(record.name, 1);
    }
    entry.values[record.type].add(record.value);
  }

  remove(record: ZoneRecord): void {
    const entry = this.#entries.get(record.name);
    assert(entry !== undefined, 'only a published record is withdrawn');
    entry.values[record.type].remove(record.value);
    if (!entry.empty) return;
    this.#entries.delete(record.name);
    this.#countBelow(record.name, -1);
  }

  get(name: string): ZoneName | undefined {
    return this.#entries.get(name);
  }

  /** True for a name that holds records and for one that only has names below it. */
  exists(name: string): boolean {
    return this.#entries.has(name) || this.#below.has(name);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** All names with what they hold, in no particular order. */
  entries(): IterableIterator<readonly [string, ZoneName]> {
    return this.#entries.entries();
  }

  #countBelow(name: string, by: 1 | -1): void {
    for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
      const ancestor = name.slice(dot + 1);
      const count = (this.#below.get(ancestor) ?? 0) + by;
      if (count === 0) this.#below.delete(ancestor);
      else this.#below.set(ancestor, count);
    }
  }
}
