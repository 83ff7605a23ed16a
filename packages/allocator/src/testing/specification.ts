/**
 * What the allocator must decide, written for clarity and without indexes: shares and quota are summed up
 * from all allocations at each step, filters are a list. Tests run it beside the real one.
 */

import type { AgentId, FrameworkId, Instant } from '@dcos/base';
import { Resources } from '@dcos/resources';
import type { Unavailability } from '@dcos/wire';
import type {
  AgentDescription,
  Allocation,
  FrameworkDescription,
  InverseOfferAnswer,
  OfferRefusal,
  Quota,
} from '../types.ts';
import { runSpecified } from './specification-run.ts';
import {
  agentOf,
  copyForRun,
  freeOf,
  heldBy,
  hold,
  roleOf,
  setHeld,
  type Filter,
  type Holding,
  type SpecifiedFramework,
  type SpecifiedOptions,
  type SpecifiedState,
} from './specification-state.ts';

export class AllocatorSpecification {
  state: SpecifiedState;
  readonly candidates = new Set<AgentId>();
  paused = false;

  constructor(options: SpecifiedOptions) {
    this.state = {
      options,
      frameworks: new Map(),
      agents: new Map(),
      weights: new Map(),
      quotas: new Map(),
      served: new Map(),
      filters: [],
      holdings: [],
      whitelist: undefined,
    };
  }

  addFramework(
    id: FrameworkId,
    { roles, suppressedRoles, ...more }: FrameworkDescription & { readonly active: boolean },
    used: ReadonlyMap<AgentId, Resources>,
  ): void {
    const suppressed = new Set(suppressedRoles);
    this.state.frameworks.set(id, { ...more, suppressedRoles, roles: new Set(roles), suppressed });
    for (const [agent, resources] of used)
      if (heldBy(this.state, id, agent) === undefined) this.track(id, agent, resources);
    if (more.active) this.#allAreCandidates();
  }

  updateFramework(id: FrameworkId, description: FrameworkDescription): void {
    const framework = this.#framework(id);
    const roles = new Set(description.roles);
    const suppressed = new Set(description.suppressedRoles);
    const keeps = (role: string): boolean =>
      roles.has(role) && (suppressed.has(role) || !framework.suppressed.has(role));
    this.#dropFilters((filter) => filter.framework === id && !keeps(filter.role));
    const { active } = framework;
    this.state.frameworks.set(id, { ...description, roles, suppressed, active });
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
    const { state } = this;
    state.frameworks.delete(id);
    for (const { framework, agent } of state.holdings) if (framework === id) this.#freed(agent);
    state.holdings = state.holdings.filter((holding) => holding.framework !== id);
    for (const { questions } of state.agents.values()) questions.delete(id);
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
    for (const { questions } of this.state.agents.values()) {
      const question = questions.get(id);
      if (question !== undefined) question.until = Number.NEGATIVE_INFINITY;
    }
    this.#allAreCandidates();
  }

  addAgent(
    id: AgentId,
    agent: AgentDescription & { readonly active: boolean },
    used: ReadonlyMap<FrameworkId, Resources>,
  ): void {
    this.state.agents.set(id, { ...agent, questions: new Map() });
    for (const [framework, resources] of used) this.track(framework, id, resources);
    this.candidates.add(id);
  }

  updateAgent(
    id: AgentId,
    total: Resources,
    description?: Pick<AgentDescription, 'info' | 'capabilities'>,
  ): void {
    const agent = agentOf(this.state, id);
    this.state.agents.set(id, { ...agent, ...description, total });
    const changed =
      description !== undefined &&
      JSON.stringify(description.info.attributes) !== JSON.stringify(agent.info.attributes);
    if (changed) this.#dropFilters((filter) => filter.agent === id);
    this.candidates.add(id);
  }

  removeAgent(id: AgentId): void {
    const { state } = this;
    state.agents.delete(id);
    this.candidates.delete(id);
    state.holdings = state.holdings.filter((holding) => holding.agent !== id);
    this.#dropFilters((filter) => filter.agent === id);
    this.#forgetServed();
  }

  setAgentActive(id: AgentId, { active }: { readonly active: boolean }): void {
    agentOf(this.state, id).active = active;
    if (active) this.candidates.add(id);
  }

  updateWeights(weights: ReadonlyMap<string, number>): void {
    for (const [role, weight] of weights) this.state.weights.set(role, weight);
  }

  updateQuota(role: string, quota: Quota | undefined): void {
    if (quota === undefined) this.state.quotas.delete(role);
    else this.state.quotas.set(role, quota);
  }

  updateWhitelist(hostnames: ReadonlySet<string> | undefined): void {
    this.state.whitelist = hostnames;
    this.#allAreCandidates();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#allAreCandidates();
  }

  track(framework: FrameworkId, agent: AgentId, resources: Resources): void {
    hold(this.state, { framework, agent, resources });
  }

  recover(holding: Holding, refusal: OfferRefusal | undefined, now: Instant): void {
    const { framework, agent, resources } = holding;
    const held = heldBy(this.state, framework, agent) ?? Resources.empty;
    setHeld(this.state, { framework, agent, resources: held.subtract(resources) });
    this.#forgetServed();
    if (refusal === undefined || refusal.leftover === true) this.#freed(agent);
    const role = roleOf(resources);
    const { active, roles } = this.state.frameworks.get(framework) ?? {};
    if (refusal === undefined || refusal.refuseMs <= 0) return;
    if (active !== true || roles?.has(role) !== true) return;
    const until = now + this.#atLeastOneInterval(refusal.refuseMs);
    const refused = resources.unallocate();
    this.state.filters.push({ framework, role, agent, refused, until });
  }

  convert({ framework, agent, resources }: Holding, to: Resources): void {
    const free = freeOf(this.state, agent);
    const held = heldBy(this.state, framework, agent) ?? Resources.empty;
    setHeld(this.state, { framework, agent, resources: held.subtract(resources).add(to) });
    this.#exchange(agent, resources.unallocate(), to.unallocate());
    // Others may want a shared volume that was made.
    if (!freeOf(this.state, agent).equals(free)) this.candidates.add(agent);
  }

  convertFree(agent: AgentId, from: Resources, to: Resources): boolean {
    if (!freeOf(this.state, agent).contains(from)) return false;
    this.#exchange(agent, from, to);
    this.candidates.add(agent);
    return true;
  }

  updateUnavailability(id: AgentId, unavailability: Unavailability | undefined): void {
    const agent = agentOf(this.state, id);
    agent.unavailability = unavailability;
    agent.questions = new Map();
    this.candidates.add(id);
  }

  answerInverseOffer(
    framework: FrameworkId,
    id: AgentId,
    answer: InverseOfferAnswer | undefined,
    refuseMs: number,
    now: Instant,
  ): void {
    const { unavailability, questions } = agentOf(this.state, id);
    if (unavailability === undefined) return;
    const until = now + (refuseMs <= 0 ? 0 : this.#atLeastOneInterval(refuseMs));
    const latest = answer ?? questions.get(framework)?.answer;
    questions.set(framework, { outstanding: false, until, answer: latest });
  }

  /** Who is asked now, as `framework agent`. */
  inverseAllocate(now: Instant): readonly string[] {
    const asked: string[] = [];
    for (const { framework, agent } of this.state.holdings) {
      const { unavailability, questions } = agentOf(this.state, agent);
      const question = questions.get(framework);
      const mayBeAsked = question === undefined || (!question.outstanding && now > question.until);
      const isActive = this.state.frameworks.get(framework)?.active === true;
      if (unavailability === undefined || !mayBeAsked || !isActive) continue;
      questions.set(framework, { outstanding: true, until: now, answer: question?.answer });
      asked.push(`${framework} ${agent}`);
    }
    return asked.sort();
  }

  /** What would be decided if chance gave these turns; nothing is changed. */
  decide(
    now: Instant,
    turns: Parameters<typeof runSpecified>[1],
  ): { offers: readonly Allocation[]; after: SpecifiedState } {
    const after = copyForRun(this.state);
    return { offers: runSpecified(after, turns, now), after };
  }

  #exchange(id: AgentId, from: Resources, to: Resources): void {
    const agent = agentOf(this.state, id);
    this.state.agents.set(id, { ...agent, total: agent.total.subtract(from).add(to) });
  }

  /** Counts of places that nobody is subscribed to and nothing is allocated in start again at 0. */
  #forgetServed(): void {
    const { frameworks, holdings, served } = this.state;
    const clients = new Set<string>();
    for (const [id, { roles }] of frameworks)
      for (const role of roles) clients.add(`${role} ${id}`);
    for (const { framework, resources } of holdings) {
      for (const { nature } of resources.entries)
        clients.add(`${nature.allocatedTo ?? ''} ${framework}`);
    }
    const roles = [...clients].map((client) => client.split(' ')[0] ?? '');
    for (const place of served.keys()) {
      const isLeaf = place.endsWith('/.');
      const path = isLeaf ? place.slice(0, -'/.'.length) : place;
      const isKnown = place.includes(' ')
        ? clients.has(place)
        : roles.some((role) => role === path || (!isLeaf && role.startsWith(`${path}/`)));
      if (!isKnown) served.delete(place);
    }
  }

  #dropFilters(drop: (filter: Filter) => boolean): void {
    this.state.filters = this.state.filters.filter((filter) => !drop(filter));
  }

  #freed(agent: AgentId): void {
    const isWanted = [...this.state.frameworks.values()].some(
      ({ active, roles, suppressed }) => active && [...roles].some((role) => !suppressed.has(role)),
    );
    if (isWanted) this.candidates.add(agent);
  }

  #allAreCandidates(): void {
    for (const id of this.state.agents.keys()) this.candidates.add(id);
  }

  #atLeastOneInterval(ms: number): number {
    return Math.max(ms, this.state.options.allocationIntervalMs);
  }

  #named(id: FrameworkId, roles: readonly string[]): readonly string[] {
    const subscribed = [...this.#framework(id).roles];
    return roles.length === 0 ? subscribed : subscribed.filter((role) => roles.includes(role));
  }

  #framework(id: FrameworkId): SpecifiedFramework {
    const framework = this.state.frameworks.get(id);
    if (framework === undefined) throw new Error(`no framework ${id}`);
    return framework;
  }
}
