/**
 * What the allocator must decide, written for clarity and without indexes: shares are summed up from all
 * allocations at each step, filters are a list. Tests run it beside the real one.
 *
 * The order of agents is chance; here it is an argument, so that the real one's order can be replayed.
 */

import { compareText, type AgentId, type FrameworkId, type Instant } from '@dcos/base';
import { isAncestorRole, Resources } from '@dcos/resources';
import type { AgentDescription, Allocation, FrameworkDescription, OfferRefusal } from '../types.ts';

interface Framework {
  roles: ReadonlySet<string>;
  suppressed: Set<string>;
  capabilities: ReadonlySet<string>;
  active: boolean;
}

interface Agent extends AgentDescription {
  active: boolean;
}

interface Filter {
  readonly framework: FrameworkId;
  readonly role: string;
  readonly agent: AgentId;
  readonly refused: Resources;
  readonly until: Instant;
}

interface Holding {
  readonly framework: FrameworkId;
  readonly agent: AgentId;
  readonly resources: Resources;
}

export class AllocatorSpecification {
  readonly frameworks = new Map<FrameworkId, Framework>();
  readonly agents = new Map<AgentId, Agent>();
  readonly candidates = new Set<AgentId>();
  holdings: Holding[] = [];
  #filters: Filter[] = [];
  readonly #weights = new Map<string, number>();
  /** How often each place was served: a framework in a role (`role framework`), a path of roles. */
  readonly #served = new Map<string, number>();
  readonly #intervalMs: number;

  constructor(options: { readonly allocationIntervalMs: number }) {
    this.#intervalMs = options.allocationIntervalMs;
  }

  addFramework(
    id: FrameworkId,
    description: FrameworkDescription & { readonly active: boolean },
  ): void {
    this.frameworks.set(id, {
      roles: new Set(description.roles),
      suppressed: new Set(description.suppressedRoles),
      capabilities: description.capabilities,
      active: description.active,
    });
    if (description.active) this.#allAreCandidates();
  }

  updateFramework(id: FrameworkId, description: FrameworkDescription): void {
    const framework = this.#framework(id);
    const roles = new Set(description.roles);
    const suppressed = new Set(description.suppressedRoles);
    const keeps = (role: string): boolean =>
      roles.has(role) && (suppressed.has(role) || !framework.suppressed.has(role));
    this.#dropFilters((filter) => filter.framework === id && !keeps(filter.role));
    Object.assign(framework, { roles, suppressed, capabilities: description.capabilities });
    this.#forgetServed();
    this.#allAreCandidates();
  }

  activateFramework(id: FrameworkId): void {
    this.#framework(id).active = true;
    this.#allAreCandidates();
  }

  deactivateFramework(id: FrameworkId): void {
    this.#framework(id).active = false;
    this.#dropFilters((filter) => filter.framework === id);
  }

  removeFramework(id: FrameworkId): void {
    this.frameworks.delete(id);
    for (const { framework, agent } of this.holdings) if (framework === id) this.#freed(agent);
    this.holdings = this.holdings.filter((holding) => holding.framework !== id);
    this.#dropFilters((filter) => filter.framework === id);
    this.#forgetServed();
  }

  suppress(id: FrameworkId, roles: readonly string[]): void {
    for (const role of this.#named(id, roles)) this.#framework(id).suppressed.add(role);
  }

  revive(id: FrameworkId, roles: readonly string[]): void {
    const named = this.#named(id, roles);
    for (const role of named) this.#framework(id).suppressed.delete(role);
    this.#dropFilters((filter) => filter.framework === id && named.includes(filter.role));
    this.#allAreCandidates();
  }

  addAgent(id: AgentId, agent: AgentDescription & { readonly active: boolean }): void {
    this.agents.set(id, { ...agent });
    this.candidates.add(id);
  }

  updateAgent(id: AgentId, total: Resources): void {
    const agent = this.#agent(id);
    this.agents.set(id, { ...agent, total });
    this.candidates.add(id);
  }

  removeAgent(id: AgentId): void {
    this.agents.delete(id);
    this.candidates.delete(id);
    this.holdings = this.holdings.filter((holding) => holding.agent !== id);
    this.#dropFilters((filter) => filter.agent === id);
    this.#forgetServed();
  }

  setAgentActive(id: AgentId, { active }: { readonly active: boolean }): void {
    this.#agent(id).active = active;
    if (active) this.candidates.add(id);
  }

  updateWeights(weights: ReadonlyMap<string, number>): void {
    for (const [role, weight] of weights) this.#weights.set(role, weight);
  }

  track(framework: FrameworkId, agent: AgentId, resources: Resources): void {
    this.#hold({ framework, agent, resources });
  }

  recover(holding: Holding, refusal: OfferRefusal | undefined, now: Instant): void {
    const { framework, agent, resources } = holding;
    const held = this.#heldBy(framework, agent).subtract(resources);
    this.holdings = this.holdings.filter(
      (other) => other.framework !== framework || other.agent !== agent,
    );
    if (!held.isEmpty()) this.holdings.push({ framework, agent, resources: held });
    this.#forgetServed();
    if (refusal === undefined || refusal.leftover === true) this.#freed(agent);
    const role = roleOf(resources);
    const { active, roles } = this.#framework(framework);
    if (refusal === undefined || refusal.refuseMs <= 0 || !active || !roles.has(role)) return;
    const until = now + Math.max(refusal.refuseMs, this.#intervalMs);
    this.#filters.push({ framework, role, agent, refused: resources.unallocate(), until });
  }

  /** Serves these agents in this order. */
  allocate(now: Instant, agents: readonly AgentId[]): readonly Allocation[] {
    const allocations: Allocation[] = [];
    for (const agentId of agents) {
      const agent = this.#agent(agentId);
      if (!agent.active) continue;
      let left = this.freeOf(agentId);
      const decided: Allocation[] = [];
      for (const [frameworkId, role] of this.#order()) {
        const resources = this.#offer(frameworkId, role, { id: agentId, agent, left, now });
        if (resources === undefined) continue;
        left = left.subtract(resources);
        decided.push({ frameworkId, role, agentId, resources: resources.allocate(role) });
      }
      for (const allocation of decided) {
        this.#hold({
          framework: allocation.frameworkId,
          agent: agentId,
          resources: allocation.resources,
        });
      }
      allocations.push(...decided);
    }
    return allocations;
  }

  /** What is neither offered nor used; when the total shrank below that, what can be told to be free. */
  freeOf(id: AgentId): Resources {
    return this.#agent(id).total.without(this.allocatedOf(id));
  }

  allocatedOf(id: AgentId): Resources {
    let sum = Resources.empty;
    for (const { agent, resources } of this.holdings)
      if (agent === id) sum = sum.add(resources.unallocate());
    return sum;
  }

  /** What of the agent the framework would take for the role, nothing when it may not or would not. */
  #offer(
    frameworkId: FrameworkId,
    role: string,
    { id, agent, left, now }: { id: AgentId; agent: Agent; left: Resources; now: Instant },
  ): Resources | undefined {
    const { capabilities } = this.#framework(frameworkId);
    if (capabilities.has('MULTI_ROLE') && !agent.capabilities.has('MULTI_ROLE')) return undefined;
    if (role.includes('/') && !agent.capabilities.has('HIERARCHICAL_ROLE')) return undefined;
    if (agent.total.gpus() > 0 && !capabilities.has('GPU_RESOURCES')) return undefined;
    const offer = left.filter((resource) => {
      const owner = resource.reservations?.at(-1)?.role;
      if (owner !== undefined && owner !== role && !isAncestorRole(owner, role)) return false;
      if (resource.revocable !== undefined && !capabilities.has('REVOCABLE_RESOURCES'))
        return false;
      return (
        (resource.reservations ?? []).length <= 1 || capabilities.has('RESERVATION_REFINEMENT')
      );
    });
    if (offer.scalarMilli('cpus') < 10 && offer.scalarMilli('mem') < 32_000) return undefined;
    const hidden = this.#filters.some(
      (filter) =>
        filter.framework === frameworkId &&
        filter.role === role &&
        filter.agent === id &&
        now <= filter.until &&
        filter.refused.contains(offer),
    );
    return hidden ? undefined : offer;
  }

  /** Frameworks with their roles, in the order of service. */
  #order(): readonly (readonly [FrameworkId, string])[] {
    const clients = [...this.frameworks].flatMap(([id, { active, roles, suppressed }]) =>
      active
        ? [...roles].filter((role) => !suppressed.has(role)).map((role) => [id, role] as const)
        : [],
    );
    const paths = [...new Set(clients.map(([, role]) => `${role}/.`))];
    return this.#sortPaths(paths, '').flatMap((path) => {
      const role = path.slice(0, -'/.'.length);
      const members = clients.filter(([, name]) => name === role);
      return this.#sorted(members, ([id]) => ({
        share: this.#share((holder, name) => holder === id && name === role),
        served: this.#served.get(`${role} ${id}`) ?? 0,
        name: id,
      }));
    });
  }

  /** Sorts leaves (`a/b/.`) below a path, siblings by weighted share. */
  #sortPaths(leaves: readonly string[], above: string): readonly string[] {
    const children = new Set(leaves.map((leaf) => leaf.slice(above.length).split('/')[0] ?? ''));
    const ordered = this.#sorted([...children], (name) => {
      const path = above + name;
      const within = name === '.' ? above.slice(0, -1) : path;
      const share = this.#share((_holder, role) =>
        name === '.' ? role === within : role === within || isAncestorRole(within, role),
      );
      const weight = name === '.' ? 1 : (this.#weights.get(path) ?? 1);
      return { share: share / weight, served: this.#served.get(path) ?? 0, name: path };
    });
    return ordered.flatMap((name) => {
      const path = above + name;
      if (name === '.') return [path];
      return this.#sortPaths(
        leaves.filter((leaf) => leaf.startsWith(`${path}/`)),
        `${path}/`,
      );
    });
  }

  #sorted<T>(
    items: readonly T[],
    keyOf: (item: T) => { readonly share: number; readonly served: number; readonly name: string },
  ): readonly T[] {
    return items
      .map((item) => ({ item, ...keyOf(item) }))
      .sort(
        (left, right) =>
          left.share - right.share ||
          left.served - right.served ||
          compareText(left.name, right.name),
      )
      .map(({ item }) => item);
  }

  #share(counts: (framework: FrameworkId, role: string) => boolean): number {
    const totals = new Map<string, number>();
    for (const { total } of this.agents.values()) addAll(totals, total);
    const sums = new Map<string, number>();
    for (const { framework, resources } of this.holdings) {
      addAll(
        sums,
        resources.filter((resource) => counts(framework, resource.allocation_info?.role ?? '')),
      );
    }
    return Math.max(
      0,
      ...Array.from(
        sums,
        ([name, milli]) => milli / (totals.get(name) ?? Number.POSITIVE_INFINITY),
      ),
    );
  }

  #hold(holding: Holding): void {
    const { framework, agent, resources } = holding;
    const sum = this.#heldBy(framework, agent).add(resources);
    this.holdings = this.holdings.filter(
      (other) => other.framework !== framework || other.agent !== agent,
    );
    this.holdings.push({ framework, agent, resources: sum });
    const role = roleOf(resources);
    const parts = role.split('/');
    const paths = parts.map((_part, depth) => parts.slice(0, depth + 1).join('/'));
    for (const place of [...paths, `${role}/.`, `${role} ${framework}`]) {
      this.#served.set(place, (this.#served.get(place) ?? 0) + 1);
    }
  }

  #heldBy(framework: FrameworkId, agent: AgentId): Resources {
    return (
      this.holdings.find((other) => other.framework === framework && other.agent === agent)
        ?.resources ?? Resources.empty
    );
  }

  /** Counts of places that nobody is subscribed to and nothing is allocated in start again at 0. */
  #forgetServed(): void {
    const clients = new Set<string>();
    for (const [id, { roles }] of this.frameworks)
      for (const role of roles) clients.add(`${role} ${id}`);
    for (const { framework, resources } of this.holdings) {
      for (const { nature } of resources.entries)
        clients.add(`${nature.allocatedTo ?? ''} ${framework}`);
    }
    const roles = [...clients].map((client) => client.split(' ')[0] ?? '');
    for (const place of this.#served.keys()) {
      const path = place.endsWith('/.') ? place.slice(0, -'/.'.length) : place;
      const known = place.includes(' ')
        ? clients.has(place)
        : roles.some((role) => role === path || (path === place && isAncestorRole(path, role)));
      if (!known) this.#served.delete(place);
    }
  }

  #dropFilters(drop: (filter: Filter) => boolean): void {
    this.#filters = this.#filters.filter((filter) => !drop(filter));
  }

  #freed(agent: AgentId): void {
    const wanted = [...this.frameworks.values()].some(
      ({ active, roles, suppressed }) => active && [...roles].some((role) => !suppressed.has(role)),
    );
    if (wanted) this.candidates.add(agent);
  }

  #allAreCandidates(): void {
    for (const id of this.agents.keys()) this.candidates.add(id);
  }

  #named(id: FrameworkId, roles: readonly string[]): readonly string[] {
    const subscribed = [...this.#framework(id).roles];
    return roles.length === 0 ? subscribed : subscribed.filter((role) => roles.includes(role));
  }

  #framework(id: FrameworkId): Framework {
    const framework = this.frameworks.get(id);
    if (framework === undefined) throw new Error(`no framework ${id}`);
    return framework;
  }

  #agent(id: AgentId): Agent {
    const agent = this.agents.get(id);
    if (agent === undefined) throw new Error(`no agent ${id}`);
    return agent;
  }
}

/** The role that all of it is allocated to. */
export function roleOf(resources: Resources): string {
  return resources.entries[0]?.nature.allocatedTo ?? '';
}

function addAll(sums: Map<string, number>, resources: Resources): void {
  for (const [name, milli] of resources.scalarQuantities())
    sums.set(name, (sums.get(name) ?? 0) + milli);
}
