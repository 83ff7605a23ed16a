/**
 * Amounts of scalars as arrays of numbers: each resource name has an index, each amount is in
 * thousandths. Shares are computed from these thousands of times in a round, objects would be too slow.
 */

import { milliOf, type Entry } from '@dcos/resources';

/** Thousandths by index of the name; what is past the end is 0. */
export type ScalarVector = Float64Array;

/** Gives names their indices, in order of first use; an index is never given twice. */
export class ScalarNames {
  readonly #indices = new Map<string, number>();
  readonly #names: string[] = [];

  get count(): number {
    return this.#names.length;
  }

  indexOf(name: string): number {
    const known = this.#indices.get(name);
    if (known !== undefined) return known;
    const index = this.#names.length;
    this.#indices.set(name, index);
    this.#names.push(name);
    return index;
  }

  /** The vector's amounts by name, zeros left out. */
  quantities(vector: ScalarVector): ReadonlyMap<string, number> {
    const quantities = new Map<string, number>();
    for (const [index, milli] of vector.entries()) {
      const name = this.#names[index];
      if (name !== undefined && milli !== 0) quantities.set(name, milli);
    }
    return quantities;
  }

  /** The sum of scalar entries that the predicate keeps. */
  vectorOf(entries: readonly Entry[], keep?: (entry: Entry) => boolean): ScalarVector {
    let vector: ScalarVector = new Float64Array(this.count);
    for (const entry of entries) {
      if (entry.nature.kind !== 'scalar' || keep?.(entry) === false) continue;
      const index = this.indexOf(entry.nature.name);
      vector = withLength(vector, index + 1);
      vector[index] = (vector[index] ?? 0) + milliOf(entry);
    }
    return vector;
  }
}

/** The vector itself, or a longer copy. */
export function withLength(vector: ScalarVector, length: number): ScalarVector {
  if (vector.length >= length) return vector;
  const longer = new Float64Array(length);
  longer.set(vector);
  return longer;
}

/** Adds `sign` times the change; gives the vector itself, or a longer copy. */
export function addTo(vector: ScalarVector, change: ScalarVector, sign: 1 | -1): ScalarVector {
  const target = withLength(vector, change.length);
  for (let index = 0; index < change.length; index++) {
    target[index] = (target[index] ?? 0) + sign * (change[index] ?? 0);
  }
  return target;
}
