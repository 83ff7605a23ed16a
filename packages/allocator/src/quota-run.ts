/**
 * What quota leaves of an offer, during one allocation run. Stage one serves roles below their guarantee,
 * stage two everybody; offers are chopped to what limits and headroom leave.
 *
 * Invariants: no offer takes a top-level role above its limit; what is free after stage two covers the
 * guarantees that are not met, where it did before.
 */

import { Resources, type Entry } from '@dcos/resources';
import type { Role } from './clients.ts';
import { isChoppable, type QuotaBook } from './quota-book.ts';
import { shrink, type Room } from './shrink.ts';
import type { MinAllocatable, Quota } from './types.ts';

export type Stage = 'guarantees' | 'everything';

export class QuotaRun {
  readonly #book: QuotaBook;
  /** Consumption of the roles that were served in this run, ahead of the book. */
  readonly #consumed = new Map<string, Map<string, number>>();
  readonly #free: Map<string, number>;
  /** What guarantees that are not met still need, by name. */
  readonly #required = new Map<string, number>();
  /** Top-level roles whose guarantee is not met. */
  readonly #unmet = new Set<string>();
  /** Top-level roles to which nothing goes any more. */
  readonly #exhausted = new Set<string>();
  readonly #minAllocatable: MinAllocatable;

  constructor(book: QuotaBook, minAllocatable: MinAllocatable) {
    this.#book = book;
    this.#minAllocatable = minAllocatable;
    this.#free = new Map(book.free());
    for (const [role, { guarantees }] of book.quotas()) {
      const consumed = book.consumedOf(role);
      for (const [name, guarantee] of guarantees) {
        const missing = guarantee - (consumed.get(name) ?? 0);
        if (missing <= 0) continue;
        this.#unmet.add(role);
        this.#required.set(name, (this.#required.get(name) ?? 0) + missing);
      }
    }
  }

  /** Whether some guarantee is not met, so that stage one has something to do. */
  get hasUnmet(): boolean {
    return this.#unmet.size > 0;
  }

  isUnmet(role: Role): boolean {
    return this.#unmet.has(role.top);
  }

  /**
   * Whether limit and headroom leave less than the least offer of what quota counts, on whatever agent. It
   * stays so for the rest of the run, in which consumption only grows and what is free only shrinks.
   */
  isExhausted({ top }: Role): boolean {
    if (this.#exhausted.has(top)) return true;
    if (this.#minAllocatable.length === 0) return false;
    const room = this.#roomOf(top, this.#book.quotaOf(top), Resources.empty);
    for (const quantities of this.#minAllocatable) {
      let fits = true;
      for (const [name, milli] of quantities) if ((room(name) ?? milli) < milli) fits = false;
      if (fits) return false;
    }
    this.#exhausted.add(top);
    return true;
  }

  /**
   * What of the resources may go to the role now. In the first stage only toward its guarantee, with
   * what else the same agent has where limits and headroom leave it.
   */
  chop(role: Role, resources: Resources, stage: Stage): Resources {
    const choppable = resources.filterEntries(isChoppable);
    if (choppable.isEmpty()) return stage === 'everything' ? resources : Resources.empty;
    const { top } = role;
    const quota = this.#book.quotaOf(top);
    const firm = resources.filterEntries((entry) => !isChoppable(entry));
    if (stage === 'everything') {
      const extra = this.#extra(top, quota, choppable, Resources.empty);
      return extra === choppable ? resources : firm.add(extra);
    }
    const guaranteed = shrink(choppable, this.#missing(top, quota));
    if (guaranteed.isEmpty()) return Resources.empty;
    const rest = choppable.subtract(guaranteed);
    const own = firm.filterEntries((entry) => isOwn(entry, role.name));
    return own.add(guaranteed).add(this.#extra(top, quota, rest, guaranteed));
  }

  /** Why so little of the resources may go to the role: what its limit leaves, and what is held back. */
  bindingText(role: Role, resources: Resources): string {
    const { top } = role;
    const quota = this.#book.quotaOf(top);
    const names = [...resources.filterEntries(isChoppable).scalarQuantities()];
    const atLimit = names.filter(
      ([name, milli]) => (this.#limitRoom(top, quota, name) ?? milli) < milli,
    );
    const heldBack = names.filter(([name, milli]) => (this.#headroom(name, 0) ?? milli) < milli);
    const list = (of: typeof names): string => of.map(([name]) => name).join(', ');
    return [
      ...(atLimit.length > 0 ? [`the limit of ${top} leaves too little ${list(atLimit)}`] : []),
      ...(heldBack.length > 0
        ? [`${list(heldBack)} of the cluster is held back for guarantees of roles`]
        : []),
    ].join('; ');
  }

  /** Notes what was decided. */
  record(role: Role, resources: Resources): void {
    const { top } = role;
    const guarantees = this.#book.quotaOf(top)?.guarantees;
    for (const [name, milli] of resources.filterEntries(isChoppable).scalarQuantities()) {
      const consumed = this.#consumedOf(top);
      const before = consumed.get(name) ?? 0;
      consumed.set(name, before + milli);
      this.#free.set(name, (this.#free.get(name) ?? 0) - milli);
      const guarantee = guarantees?.get(name) ?? 0;
      const met = Math.min(milli, Math.max(0, guarantee - before));
      if (met > 0) this.#required.set(name, (this.#required.get(name) ?? 0) - met);
    }
    if (this.#unmet.has(top) && this.#isMet(top, guarantees ?? new Map())) this.#unmet.delete(top);
  }

  #isMet(top: string, guarantees: Quota['guarantees']): boolean {
    const consumed = this.#consumedOf(top);
    for (const [name, guarantee] of guarantees)
      if ((consumed.get(name) ?? 0) < guarantee) return false;
    return true;
  }

  /** Within limits, and leaving headroom for guarantees that are not met. */
  #extra(
    top: string,
    quota: Quota | undefined,
    resources: Resources,
    before: Resources,
  ): Resources {
    return shrink(resources, this.#roomOf(top, quota, before));
  }

  #roomOf(top: string, quota: Quota | undefined, before: Resources): Room {
    return (name) => {
      const reserved = before.scalarMilli(name);
      const headroom = this.#headroom(name, reserved);
      const limitRoom = this.#limitRoom(top, quota, name);
      if (limitRoom === undefined) return headroom;
      const left = limitRoom - reserved;
      return headroom === undefined ? left : Math.min(left, headroom);
    };
  }

  /** What the limit of a top-level role leaves of a name; undefined without limit. */
  #limitRoom(top: string, quota: Quota | undefined, name: string): number | undefined {
    const limit = quota?.limits.get(name);
    return limit === undefined ? undefined : limit - (this.#consumedOf(top).get(name) ?? 0);
  }

  /** What may be taken of a name without touching what is held back; undefined when nothing is. */
  #headroom(name: string, guaranteed: number): number | undefined {
    const required = this.#required.get(name) ?? 0;
    if (required <= 0) return undefined;
    // What is given toward a guarantee is not held back for it any more.
    return (this.#free.get(name) ?? 0) - guaranteed - (required - guaranteed);
  }

  #missing(top: string, quota: Quota | undefined): Room {
    const consumed = this.#consumedOf(top);
    return (name) => (quota?.guarantees.get(name) ?? 0) - (consumed.get(name) ?? 0);
  }

  #consumedOf(top: string): Map<string, number> {
    let consumed = this.#consumed.get(top);
    if (consumed === undefined) {
      consumed = new Map(this.#book.consumedOf(top));
      this.#consumed.set(top, consumed);
    }
    return consumed;
  }
}

/** What a guarantee brings along: not a scalar, revocable, or reserved for exactly the role. */
function isOwn({ nature }: Entry, role: string): boolean {
  return nature.reservedTo === undefined || nature.reservedTo === role;
}
