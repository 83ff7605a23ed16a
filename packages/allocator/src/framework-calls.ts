/**
 * What the allocator is told of frameworks: they come, change, are active or not, suppress and revive
 * offers, go. Filters end where the framework says that it wants something again, or cannot.
 */

import { assert, type AgentId, type FrameworkId } from '@dcos/base';
import type { Resources } from '@dcos/resources';
import type { Candidates } from './candidates.ts';
import type { Client, Framework } from './clients.ts';
import type { InverseOffers } from './inverse-offers.ts';
import type { Ledger } from './ledger.ts';
import type { FrameworkDescription } from './types.ts';

export class FrameworkCalls {
  readonly #ledger: Ledger;
  readonly #candidates: Candidates;
  readonly #inverse: InverseOffers;

  constructor(ledger: Ledger, candidates: Candidates, inverse: InverseOffers) {
    this.#ledger = ledger;
    this.#candidates = candidates;
    this.#inverse = inverse;
  }

  add(
    id: FrameworkId,
    description: FrameworkDescription & { readonly active: boolean },
    used: ReadonlyMap<AgentId, Resources>,
  ): void {
    const framework = this.#ledger.clients.framework(id);
    assert(!framework.added, `framework ${id} is there already`);
    framework.added = true;
    framework.active = description.active;
    this.#describe(framework, description);
    for (const [agentId, resources] of used) {
      const agent = this.#ledger.agents.get(agentId);
      // What the agent brought with it is counted; only what it did not know of is news.
      if (agent?.of(id).isEmpty() === true && !resources.isEmpty())
        this.#ledger.take(framework, agent, resources);
    }
    if (description.active) this.#candidates.wake();
  }

  update(id: FrameworkId, description: FrameworkDescription): void {
    this.#describe(this.#added(id), description);
    this.#candidates.wake();
  }

  activate(id: FrameworkId): void {
    const framework = this.#added(id);
    framework.active = true;
    this.#refresh(framework);
    this.#candidates.wake();
  }

  deactivate(id: FrameworkId): void {
    const framework = this.#added(id);
    framework.active = false;
    this.#refresh(framework);
    for (const client of framework.clients.values()) this.#ledger.filters.dropClient(client);
  }

  remove(id: FrameworkId): void {
    const framework = this.#added(id);
    framework.active = false;
    framework.added = false;
    this.#refresh(framework);
    const isAnythingWanted = !this.#ledger.clients.active.isEmpty();
    for (const agent of this.#ledger.agents.values()) {
      const resources = agent.of(id);
      if (resources.isEmpty()) continue;
      this.#ledger.release(framework, agent, resources);
      if (isAnythingWanted) this.#candidates.add(agent);
    }
    for (const client of framework.clients.values()) this.#ledger.removeClient(client);
    this.#inverse.forget(id);
    this.#ledger.clients.frameworks.delete(id);
  }

  suppress(id: FrameworkId, roles: readonly string[]): void {
    for (const client of this.#subscribed(id, roles)) {
      client.suppressed = true;
      this.#ledger.clients.refreshActive(client);
    }
  }

  revive(id: FrameworkId, roles: readonly string[]): void {
    for (const client of this.#subscribed(id, roles)) {
      client.suppressed = false;
      this.#ledger.filters.dropClient(client);
      this.#ledger.clients.refreshActive(client);
    }
    this.#inverse.revive(id);
    this.#candidates.wake();
  }

  #added(id: FrameworkId): Framework {
    const framework = this.#ledger.clients.frameworks.get(id);
    assert(framework?.added === true, `framework ${id} is not known to the allocator`);
    return framework;
  }

  /** Clients of the named roles, of all when none is named. Roles without subscription are passed over. */
  #subscribed(id: FrameworkId, roles: readonly string[]): readonly Client[] {
    const clients = [...this.#added(id).clients.values()].filter(({ subscribed }) => subscribed);
    return roles.length === 0 ? clients : clients.filter(({ role }) => roles.includes(role.name));
  }

  /** Takes over roles, suppression and capabilities. */
  #describe(framework: Framework, description: FrameworkDescription): void {
    framework.capabilities = description.capabilities;
    framework.minAllocatable = description.minAllocatable ?? new Map();
    framework.agentFilters = description.agentFilters ?? new Map();
    const roles = new Set(description.roles);
    const suppressed = new Set(description.suppressedRoles);
    for (const role of roles) this.#ledger.clients.client(framework, role);
    for (const client of framework.clients.values()) {
      const { name } = client.role;
      const left = client.subscribed && !roles.has(name);
      const unsuppressed = client.suppressed && !suppressed.has(name);
      client.subscribed = roles.has(name);
      client.suppressed = suppressed.has(name);
      if (left || unsuppressed) this.#ledger.filters.dropClient(client);
      this.#ledger.unblock(client);
      this.#ledger.clients.refreshActive(client);
      this.#ledger.removeIfUnused(client);
    }
  }

  #refresh(framework: Framework): void {
    for (const client of framework.clients.values()) this.#ledger.clients.refreshActive(client);
  }
}
