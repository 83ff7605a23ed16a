/**
 * The allocator's books: agents with what everybody has of them, clients with their shares, quota, filters.
 * All that changes an amount goes through here, so that these stay in line with each other.
 *
 * Invariants: what is allocated to a client on all agents is what its leaf and its role's count, shared
 * resources once an agent; the sorters' total is the sum of the agents' totals; a client that is neither
 * subscribed nor has anything is forgotten.
 */

import { assert, type AgentId, type FrameworkId } from '@dcos/base';
import { Resources, type Entry } from '@dcos/resources';
import type { AgentBook } from './agent-book.ts';
import type { Candidates } from './candidates.ts';
import { ClientTree, type Amount, type Client, type Framework } from './clients.ts';
import { OfferFilters } from './offer-filters.ts';
import { QuotaBook } from './quota-book.ts';
import { addTo, ScalarNames, type ScalarVector } from './scalar-vector.ts';
import { SharedUses } from './shared-uses.ts';
import type { AllocatorOptions, Quota } from './types.ts';

const FIRST = { ofClient: true, ofRole: true } as const;

export class Ledger {
  readonly names = new ScalarNames();
  readonly agents = new Map<AgentId, AgentBook>();
  readonly clients: ClientTree;
  readonly filters: OfferFilters<Client, AgentBook>;
  readonly quota = new QuotaBook();
  readonly #candidates: Candidates;
  readonly #sharedUses = new WeakMap<AgentBook, SharedUses>();
  /** Sum of all agents' totals. */
  #total: ScalarVector = new Float64Array(0);
  #totalChanged = false;

  constructor(
    { random, roleSorter, frameworkSorter, fairSharingExcluded }: AllocatorOptions,
    candidates: Candidates,
  ) {
    this.#candidates = candidates;
    const excluded = new Set((fairSharingExcluded ?? []).map((name) => this.names.indexOf(name)));
    const counts = (index: number): boolean => !excluded.has(index);
    this.clients = new ClientTree({
      roles: { counts, random: roleSorter === 'random' ? random : undefined },
      frameworks: { counts, random: frameworkSorter === 'random' ? random : undefined },
    });
    this.filters = new OfferFilters((client, agent) => agent.unblock(client.index));
  }

  agent(id: AgentId): AgentBook {
    const agent = this.agents.get(id);
    assert(agent !== undefined, `agent ${id} is not known to the allocator`);
    return agent;
  }

  addAgent(agent: AgentBook): void {
    assert(!this.agents.has(agent.id), `agent ${agent.id} is there already`);
    this.agents.set(agent.id, agent);
    this.#changeTotal(agent.total, 1);
  }

  setTotal(agent: AgentBook, total: Resources): void {
    this.#changeTotal(agent.total, -1);
    agent.setTotal(total);
    this.#changeTotal(agent.total, 1);
  }

  removeAgent(agent: AgentBook): void {
    for (const [frameworkId, resources] of agent.byFramework)
      this.release(this.clients.framework(frameworkId), agent, resources);
    this.#changeTotal(agent.total, -1);
    this.filters.dropAgent(agent);
    this.agents.delete(agent.id);
  }

  /** Counts resources as the framework's; `plain` is the same without allocation, where the caller has it. */
  take(framework: Framework, agent: AgentBook, resources: Resources, plain?: Resources): void {
    agent.take(framework.id, resources, plain);
    for (const [role, part] of byRole(resources)) {
      const client = this.clients.client(framework, role);
      this.clients.count(client, this.#amount(client, agent, part, 1), 1);
      this.quota.changeAllocation(role, part, 1);
    }
  }

  /** Frees what a framework has on an agent; gives it by role. */
  release(
    framework: Framework,
    agent: AgentBook,
    resources: Resources,
  ): ReadonlyMap<string, Resources> {
    agent.giveBack(framework.id, resources);
    const parts = byRole(resources);
    for (const [role, part] of parts) {
      const client = this.clients.client(framework, role);
      this.clients.count(client, this.#amount(client, agent, part, -1), -1);
      this.quota.changeAllocation(role, part, -1);
      this.removeIfUnused(client);
    }
    if (this.quota.inUse) this.#candidates.quotaLoosened();
    return parts;
  }

  /** Turns what the framework has into something else of the same amount, and the agent's total with it. */
  convert(framework: FrameworkId, agent: AgentBook, from: Resources, to: Resources): void {
    const [plainFrom, plainTo] = [from.unallocate(), to.unallocate()];
    const isFreeChanged = agent.convert(framework, { from, to, plainFrom, plainTo });
    this.quota.changeTotal(plainFrom, -1);
    this.quota.changeTotal(plainTo, 1);
    for (const [parts, sign] of [
      [byRole(from), -1],
      [byRole(to), 1],
    ] as const) {
      for (const [role, part] of parts) {
        this.quota.changeAllocation(role, part, sign);
        // Amounts stay what they are, so shares and turns do; only who uses shared resources is noted.
        if (isFreeChanged)
          this.#amount(
            this.clients.client(this.clients.framework(framework), role),
            agent,
            part,
            sign,
          );
      }
    }
    if (isFreeChanged) this.#candidates.add(agent);
  }

  /** Turns what nobody has into something else. */
  convertFree(agent: AgentBook, from: Resources, to: Resources): void {
    agent.convertFree(from, to);
    this.#changeTotal(from, -1);
    this.#changeTotal(to, 1);
    this.#candidates.add(agent);
  }

  setQuota(role: string, quota: Quota | undefined): void {
    const wasInUse = this.quota.inUse;
    this.quota.set(role, quota);
    if (!wasInUse && this.quota.inUse) this.#fillQuotaBook();
    this.#candidates.quotaChanged();
  }

  /** Brings the sorters up to date with the totals; needed before they are asked for an order. */
  tellTotal(): void {
    if (!this.#totalChanged) return;
    this.#totalChanged = false;
    this.clients.setTotal(this.#total);
  }

  /** The client may want what it did not. */
  unblock(client: Client): void {
    for (const agent of this.agents.values()) agent.unblock(client.index);
  }

  removeClient(client: Client): void {
    this.filters.dropClient(client);
    this.unblock(client);
    this.clients.removeClient(client);
  }

  /** Forgets a client that is neither subscribed nor has anything, and its framework if it was never added. */
  removeIfUnused(client: Client): void {
    const { framework, role, leaf } = client;
    if (client.subscribed || leaf.allocated.some((milli) => milli !== 0)) return;
    for (const agent of this.agents.values()) {
      const holds = agent
        .of(framework.id)
        .entries.some(({ nature }) => nature.allocatedTo === role.name);
      if (holds) return;
    }
    this.removeClient(client);
    if (!framework.added && framework.clients.size === 0)
      this.clients.frameworks.delete(framework.id);
  }

  /** The book is kept by changes from the first quota on; this is where it begins. */
  #fillQuotaBook(): void {
    for (const agent of this.agents.values()) {
      this.quota.changeTotal(agent.total, 1);
      for (const resources of agent.byFramework.values()) {
        for (const [role, part] of byRole(resources)) this.quota.changeAllocation(role, part, 1);
      }
    }
  }

  /** The scalars of an allocation as sorters count them; keeps note of shared ones. */
  #amount(client: Client, agent: AgentBook, resources: Resources, sign: 1 | -1): Amount {
    if (!resources.entries.some(({ nature }) => nature.shared)) {
      const vector = this.names.vectorOf(resources.entries);
      return { ofClient: vector, ofRole: vector };
    }
    const uses = this.#sharedUses.get(agent) ?? new SharedUses();
    this.#sharedUses.set(agent, uses);
    const ofClient: Entry[] = [];
    const ofRole: Entry[] = [];
    for (const entry of resources.entries) {
      const first = entry.nature.shared ? uses.change(client, entry, sign) : FIRST;
      if (first.ofClient) ofClient.push(entry);
      if (first.ofRole) ofRole.push(entry);
    }
    return { ofClient: this.names.vectorOf(ofClient), ofRole: this.names.vectorOf(ofRole) };
  }

  #changeTotal(total: Resources, sign: 1 | -1): void {
    // A new vector, since the sorters keep the old one and compare by it until they are told.
    this.#total = addTo(this.#total.slice(), this.names.vectorOf(total.entries), sign);
    this.#totalChanged = true;
    this.quota.changeTotal(total, sign);
    if (this.quota.inUse) this.#candidates.quotaLoosened();
  }
}

/** The parts allocated to each role. Asserts that all of it is allocated. */
function byRole(resources: Resources): ReadonlyMap<string, Resources> {
  const first = resources.entries[0]?.nature.allocatedTo;
  assert(first !== undefined, 'resources must carry the role that they are allocated to');
  if (resources.entries.every(({ nature }) => nature.allocatedTo === first)) {
    return new Map([[first, resources]]);
  }
  const parts = new Map<string, Entry[]>();
  for (const entry of resources.entries) {
    const role = entry.nature.allocatedTo;
    assert(role !== undefined, 'resources must carry the role that they are allocated to');
    const part = parts.get(role);
    if (part === undefined) parts.set(role, [entry]);
    else part.push(entry);
  }
  return new Map(Array.from(parts, ([role, part]) => [role, Resources.fromEntries(part)] as const));
}
