/**
 * Resources by owner, with their sum made when somebody asks. The sum over agents is a union where ranges
 * are concerned (two agents may have the same ports), so it cannot be kept by subtraction.
 */

import { assert } from '@dcos/base';
import { Resources } from '@dcos/resources';

export class ResourceLedger<Owner extends string> {
  readonly #byOwner = new Map<Owner, Resources>();
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
      for (const resources of this.#byOwner.values()) sum = sum.add(resources);
      this.#total = sum;
    }
    return this.#total;
  }

  add(owner: Owner, resources: Resources): void {
    if (resources.isEmpty()) return;
    this.#byOwner.set(owner, this.of(owner).add(resources));
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
    this.#total = undefined;
  }
}
