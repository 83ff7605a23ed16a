/**
 * Resources by owner, and their sum. The sum of scalars is kept up to date; that of the rest is made when
 * somebody asks: it is a union where ranges and sets are concerned (two agents may have the same ports),
 * and so cannot be kept by subtraction.
 */

import { assert } from '@dcos/base';
import { Resources } from '@dcos/resources';

export class ResourceLedger<Owner extends string> {
  readonly #byOwner = new Map<Owner, Resources>();
  #scalars = Resources.empty;
  #total: Resources | undefined = Resources.empty;

  /** What one owner has. */
  of(owner: Owner): Resources {
    return this.#byOwner.get(owner) ?? Resources.empty;
  }

  /** All owners that have something, with what they have. */
  entries(): ReadonlyMap<Owner, Resources> {
    return this.#byOwner;
  }

  /** The sum over all owners. */
  total(): Resources {
    if (this.#total === undefined) {
      let sum = Resources.empty;
      for (const resources of this.#byOwner.values()) sum = sum.add(othersOf(resources));
      this.#total = this.#scalars.add(sum);
    }
    return this.#total;
  }

  add(owner: Owner, resources: Resources): void {
    if (resources.isEmpty()) return;
    this.#byOwner.set(owner, this.of(owner).add(resources));
    this.#scalars = this.#scalars.add(scalarsOf(resources));
    this.#total = undefined;
  }

  /** Takes away what was added before; asserts that it is there. */
  subtract(owner: Owner, resources: Resources): void {
    if (resources.isEmpty()) return;
    const held = this.of(owner);
    assert(held.contains(resources), `${owner} does not hold what is taken from it`);
    const left = held.subtract(resources);
    if (left.isEmpty()) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, left);
    this.#scalars = this.#scalars.subtract(scalarsOf(resources));
    this.#total = undefined;
  }
}

function scalarsOf(resources: Resources): Resources {
  return resources.filterEntries(({ nature }) => nature.kind === 'scalar');
}

function othersOf(resources: Resources): Resources {
  return resources.filterEntries(({ nature }) => nature.kind !== 'scalar');
}
