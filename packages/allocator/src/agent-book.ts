/**
 * The books of one agent: what there is, who has what, what is free, and who is known not to take it.
 *
 * Invariants: total = allocated + free for everything that is not shared, unless the total shrank below
 * what is allocated, in which case free is what can be told to be free; shared resources are always
 * free; `blocked` has a client's bit only if the client can take nothing of `blockedFor`, hence of
 * nothing that is contained in it.
 */

import { assert, type AgentId, type FrameworkId } from '@dcos/base';
import { Resources, type Entry } from '@dcos/resources';
import type { AgentInfo } from '@dcos/wire';
import { BitSet } from './bit-set.ts';

export class AgentBook {
  readonly id: AgentId;
  active: boolean;
  info: AgentInfo;
  capabilities: ReadonlySet<string>;
  #total: Resources = Resources.empty;
  #free: Resources = Resources.empty;
  #shared: Resources = Resources.empty;
  /** More is allocated than there is, after the total shrank. */
  #overcommitted = false;
  readonly #byFramework = new Map<FrameworkId, Resources>();
  readonly #blocked = new BitSet();
  #blockedFor: Resources = Resources.empty;
  hasGpus = false;
  /** On the whitelist, or there is none. */
  listed = true;
  /** The wake epoch at which nobody wanted what is free; see the allocation run. */
  settledEpoch = -1;

  constructor(
    id: AgentId,
    description: {
      readonly info: AgentInfo;
      readonly capabilities: ReadonlySet<string>;
      readonly active: boolean;
      readonly total: Resources;
    },
  ) {
    this.id = id;
    this.info = description.info;
    this.capabilities = description.capabilities;
    this.active = description.active;
    this.setTotal(description.total);
  }

  get total(): Resources {
    return this.#total;
  }

  get free(): Resources {
    return this.#free;
  }

  get byFramework(): ReadonlyMap<FrameworkId, Resources> {
    return this.#byFramework;
  }

  setTotal(total: Resources): void {
    this.#total = total.unallocate();
    this.hasGpus = total.scalarMilli('gpus') > 0;
    this.#shared = this.#total.filterEntries(({ nature }) => nature.shared);
    // A verdict may rest on what the agent has rather than on what is free: that it has GPUs.
    this.#blocked.clear();
    this.#recount();
  }

  of(framework: FrameworkId): Resources {
    return this.#byFramework.get(framework) ?? Resources.empty;
  }

  /** What all frameworks have, without allocation and shared resources. */
  allocated(): Resources {
    let sum = Resources.empty;
    for (const resources of this.#byFramework.values()) sum = sum.add(firm(resources).unallocate());
    return sum;
  }

  /**
   * Moves resources (with allocation) from free to the framework. `plain` is the same without allocation
   * where the caller has it.
   */
  take(
    framework: FrameworkId,
    resources: Resources,
    plain: Resources = resources.unallocate(),
  ): void {
    this.#byFramework.set(framework, this.of(framework).add(resources));
    const taken = firm(plain);
    if (taken === this.#free) this.#free = Resources.empty;
    else if (this.#overcommitted || !this.#free.contains(taken)) this.#recount();
    else this.#free = this.#free.subtract(taken);
  }

  /** Moves resources (with allocation) back. Asserts that the framework has them. */
  giveBack(framework: FrameworkId, resources: Resources): void {
    const held = this.of(framework);
    assert(held.contains(resources), `more comes back from agent ${this.id} than was allocated`);
    const rest = held.subtract(resources);
    if (rest.isEmpty()) this.#byFramework.delete(framework);
    else this.#byFramework.set(framework, rest);
    if (this.#overcommitted) this.#recount();
    else this.#free = this.#free.add(firm(resources).unallocate());
    this.settledEpoch = -1;
  }

  /**
   * Turns what the framework has (and the agent's total with it) into something else of the same amount.
   * Says whether that changed what is free: shared resources came or went.
   */
  convert(
    framework: FrameworkId,
    change: {
      readonly from: Resources;
      readonly to: Resources;
      readonly plainFrom: Resources;
      readonly plainTo: Resources;
    },
  ): boolean {
    const held = this.of(framework);
    assert(held.contains(change.from), `more is converted on agent ${this.id} than was allocated`);
    this.#byFramework.set(framework, held.subtract(change.from).add(change.to));
    const total = this.#total.subtract(change.plainFrom).add(change.plainTo);
    const isShared = ({ nature }: Entry): boolean => nature.shared;
    if (change.from.entries.some(isShared) || change.to.entries.some(isShared)) {
      this.setTotal(total);
      return true;
    }
    this.#total = total;
    return false;
  }

  /** Turns what nobody has into something else. Asserts that it is free. */
  convertFree(from: Resources, to: Resources): void {
    const total = this.#total.subtract(from).add(to);
    const isShared = ({ nature }: Entry): boolean => nature.shared;
    if (this.#overcommitted || from.entries.some(isShared) || to.entries.some(isShared)) {
      this.setTotal(total);
      return;
    }
    this.#total = total;
    this.#free = this.#free.subtract(from).add(to);
    this.settledEpoch = -1;
  }

  /** Prepares a look at all clients: forgets verdicts on less than what is free now. */
  beginVisit(): void {
    if (this.#blockedFor === this.#free || this.#blockedFor.contains(this.#free)) return;
    this.#blocked.clear();
    this.#blockedFor = this.#free;
  }

  isBlocked(client: number): boolean {
    return this.#blocked.has(client);
  }

  /** Whether none of these clients can take anything of what is free. */
  blocksAll(clients: BitSet): boolean {
    return this.#blocked.includes(clients);
  }

  /** Notes that the client takes nothing of what is free now. */
  block(client: number): void {
    this.#blockedFor = this.#free;
    this.#blocked.add(client);
  }

  unblock(client: number): void {
    this.#blocked.delete(client);
    this.settledEpoch = -1;
  }

  #recount(): void {
    const allocated = this.allocated();
    const owned = firm(this.#total);
    this.#overcommitted = !owned.contains(allocated);
    const free = this.#overcommitted ? owned.without(allocated) : owned.subtract(allocated);
    this.#free = this.#shared.isEmpty() ? free : free.add(this.#shared);
    this.settledEpoch = -1;
  }
}

/** Everything that is not shared. */
function firm(resources: Resources): Resources {
  return resources.filterEntries(({ nature }) => !nature.shared);
}
