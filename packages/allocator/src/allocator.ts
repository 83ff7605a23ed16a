/**
 * The allocator: decides which framework is offered what of which agent.
 *
 * It keeps its own books (`Ledger`) and is told of everything that changes them. Calls are synchronous;
 * the same calls with the same source of chance give the same offers.
 *
 * Invariants: per agent, what is allocated (offered or used) and what is free make up the total; nothing
 * is offered to two frameworks; a client that is inactive, or refused as much, is offered nothing.
 * Source: behaviour of the original's hierarchical allocator; the README lists what differs.
 */

import { assert, type AgentId, type FrameworkId, type Instant } from '@dcos/base';
import type { Resources } from '@dcos/resources';
import { AgentCalls } from './agent-calls.ts';
import type { AgentBook } from './agent-book.ts';
import { runAllocation, type RunContext } from './allocation-run.ts';
import { Candidates } from './candidates.ts';
import { explainAgent, explainRoles } from './explanation.ts';
import { FrameworkCalls } from './framework-calls.ts';
import { InverseOffers } from './inverse-offers.ts';
import { Ledger } from './ledger.ts';
import { MIN_ALLOCATABLE_DEFAULT } from './min-allocatable.ts';
import { QuotaRun } from './quota-run.ts';
import type {
  Allocation,
  Allocator,
  AllocatorOptions,
  AllocatorSnapshot,
  InverseAllocation,
  InverseOfferAnswer,
  OfferRefusal,
  Quota,
  RoleExplanation,
} from './types.ts';

/** Makes an allocator that knows no agents and no frameworks. Its functions may be taken apart from it. */
export function createAllocator(options: AllocatorOptions): Allocator {
  const candidates = new Candidates();
  const ledger = new Ledger(options, candidates);
  const inverse = new InverseOffers();
  const frameworks = new FrameworkCalls(ledger, candidates, inverse);
  const agents = new AgentCalls(ledger, candidates, inverse);
  const allocator = new HierarchicalAllocator(options, { ledger, candidates, inverse });
  return {
    addFramework: (id, framework, used) => frameworks.add(id, framework, used),
    updateFramework: (id, framework) => frameworks.update(id, framework),
    activateFramework: (id) => frameworks.activate(id),
    deactivateFramework: (id) => frameworks.deactivate(id),
    removeFramework: (id) => frameworks.remove(id),
    suppress: (framework, roles) => frameworks.suppress(framework, roles),
    revive: (framework, roles) => frameworks.revive(framework, roles),
    addAgent: (id, agent, used) => agents.add(id, agent, used),
    updateAgent: (id, total, description) => agents.update(id, total, description),
    removeAgent: (id) => agents.remove(id),
    activateAgent: (id) => agents.activate(id),
    deactivateAgent: (id) => agents.deactivate(id),
    track: (framework, agent, resources) => agents.track(framework, agent, resources),
    convertFree: (agent, from, to) => agents.convertFree(agent, from, to),
    updateWhitelist: (hostnames) => agents.updateWhitelist(hostnames),
    updateUnavailability: (agent, unavailability) =>
      agents.updateUnavailability(agent, unavailability),
    convert: (framework, agent, from, to) =>
      ledger.convert(framework, ledger.agent(agent), from, to),
    recover: (framework, agent, resources, refusal, now) =>
      allocator.recover(framework, agent, resources, refusal, now),
    updateWeights: (weights) => allocator.updateWeights(weights),
    updateQuota: (role, quota) => allocator.updateQuota(role, quota),
    pause: () => allocator.pause(),
    resume: () => allocator.resume(),
    answerInverseOffer: (framework, agent, answer, refuseMs, now) =>
      allocator.answerInverseOffer(framework, agent, answer, refuseMs, now),
    inverseOfferAnswers: () => inverse.answers(),
    inverseAllocate: (now) => allocator.inverseAllocate(now),
    hasCandidates: () => allocator.hasCandidates(),
    allocate: (now, scope) => allocator.allocate(now, scope),
    explain: (role) => allocator.explain(role),
    explainAgents: (framework, agentIds, now, role) =>
      allocator.explainAgents(framework, agentIds, now, role),
    snapshot: () => ({ agents: Array.from(ledger.agents.values(), snapshotOf) }),
  };
}

interface Parts {
  readonly ledger: Ledger;
  readonly candidates: Candidates;
  readonly inverse: InverseOffers;
}

/** Runs, what comes back from them, the settings that they heed, and reports. */
class HierarchicalAllocator {
  readonly #options: AllocatorOptions;
  readonly #ledger: Ledger;
  readonly #candidates: Candidates;
  readonly #inverse: InverseOffers;
  #paused = false;

  constructor(options: AllocatorOptions, { ledger, candidates, inverse }: Parts) {
    this.#options = options;
    this.#ledger = ledger;
    this.#candidates = candidates;
    this.#inverse = inverse;
  }

  recover(
    frameworkId: FrameworkId,
    agentId: AgentId,
    resources: Resources,
    refusal: OfferRefusal | undefined,
    now: Instant,
  ): void {
    const { clients, agents, filters } = this.#ledger;
    const framework = clients.frameworks.get(frameworkId);
    const agent = agents.get(agentId);
    if (framework === undefined || agent === undefined || resources.isEmpty()) return;
    const roles = this.#ledger.release(framework, agent, resources);
    // Something is free that was not; worth a look if there is anybody who might want it.
    if ((refusal === undefined || refusal.leftover === true) && !clients.active.isEmpty())
      this.#candidates.add(agent);
    if (refusal === undefined || refusal.refuseMs <= 0 || !framework.active) return;
    const lastInstant = now + this.#atLeastOneInterval(refusal.refuseMs);
    for (const [role, refused] of roles) {
      const client = framework.clients.get(role);
      if (client?.subscribed !== true) continue;
      const plain = refused.unallocate();
      filters.add(client, agent, plain, lastInstant);
      agent.beginVisit();
      if (plain.contains(agent.free)) agent.block(client.index);
    }
  }

  updateWeights(weights: ReadonlyMap<string, number>): void {
    for (const [role, weight] of weights) {
      assert(weight > 0 && Number.isFinite(weight), `the weight of ${role} must be positive`);
      this.#ledger.clients.roleSorter.setWeight(role, weight);
    }
  }

  updateQuota(role: string, quota: Quota | undefined): void {
    assert(!role.includes('/'), `quota is for top-level roles, not for ${role}`);
    this.#ledger.setQuota(role, quota);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#candidates.wake();
  }

  answerInverseOffer(
    framework: FrameworkId,
    agent: AgentId,
    answer: InverseOfferAnswer | undefined,
    refuseMs: number,
    now: Instant,
  ): void {
    const lastsMs = refuseMs <= 0 ? 0 : this.#atLeastOneInterval(refuseMs);
    this.#inverse.answer(framework, agent, answer, now + lastsMs);
  }

  inverseAllocate(now: Instant): readonly InverseAllocation[] {
    const { agents, clients } = this.#ledger;
    return this.#inverse.ask(now, (agentId) =>
      [...(agents.get(agentId)?.byFramework.keys() ?? [])].filter((id) => {
        const framework = clients.frameworks.get(id);
        return framework?.added === true && framework.active;
      }),
    );
  }

  hasCandidates(): boolean {
    return !this.#paused && this.#candidates.hasAny(this.#ledger.agents.size);
  }

  allocate(now: Instant, scope: 'candidates' | 'all'): readonly Allocation[] {
    if (this.#paused) return [];
    this.#ledger.filters.expire(now);
    const agents = this.#candidates.take(scope, this.#ledger.agents.values());
    this.#ledger.tellTotal();
    return runAllocation(this.#context(), agents);
  }

  explain(role?: string): readonly RoleExplanation[] {
    this.#ledger.tellTotal();
    return explainRoles(this.#ledger, role);
  }

  explainAgents(
    frameworkId: FrameworkId,
    agentIds: Iterable<AgentId>,
    now: Instant,
    role?: string,
  ): ReadonlyMap<AgentId, readonly string[]> {
    const { clients, agents, filters } = this.#ledger;
    filters.expire(now);
    const framework = clients.frameworks.get(frameworkId);
    // Once for all agents: what quota leaves is summed up over all roles.
    const context = { ...this.#context(), paused: this.#paused };
    const reasonsOf = (id: AgentId): readonly string[] => {
      const agent = agents.get(id);
      if (framework === undefined) return [`framework ${frameworkId} is not known`];
      if (agent === undefined) return [`agent ${id} is not known`];
      return explainAgent(context, framework, agent, { now, role });
    };
    return new Map(Array.from(agentIds, (id) => [id, reasonsOf(id)] as const));
  }

  #context(): RunContext {
    const { clients, filters, quota } = this.#ledger;
    const minAllocatable = this.#options.minAllocatable ?? MIN_ALLOCATABLE_DEFAULT;
    return {
      clients,
      filters,
      random: this.#options.random,
      minAllocatable,
      hasMinOverrides: this.#anyMinOverride(),
      filterGpuResources: this.#options.filterGpuResources ?? true,
      region: this.#options.region,
      wakeEpoch: this.#candidates.wakeEpoch,
      quota: quota.inUse ? new QuotaRun(quota, minAllocatable) : undefined,
      heldBack: () => this.#candidates.noteHeldBack(),
      commit: (client, agent, offer, plain) =>
        this.#ledger.take(client.framework, agent, offer, plain),
    };
  }

  #anyMinOverride(): boolean {
    for (const framework of this.#ledger.clients.frameworks.values()) {
      if (framework.minAllocatable.size > 0) return true;
    }
    return false;
  }

  /** No filter is shorter than the period of full rounds. */
  #atLeastOneInterval(ms: number): number {
    return Math.max(ms, this.#options.allocationIntervalMs);
  }
}

function snapshotOf(agent: AgentBook): AllocatorSnapshot['agents'][number] {
  return {
    id: agent.id,
    active: agent.active,
    total: agent.total,
    allocated: agent.allocated(),
    free: agent.free,
    byFramework: new Map(agent.byFramework),
  };
}
