/**
 * The allocator: decides which framework is offered what of which agent.
 *
 * It keeps its own books (`AgentBook`, `ClientTree`) and is told of everything that changes them. Calls
 * are synchronous; the same calls with the same source of chance give the same offers.
 *
 * Invariants: per agent, what is allocated (offered or used) and what is free make up the total; nothing
 * is offered to two frameworks; a client that is inactive, or refused as much, is offered nothing.
 * Source: behaviour of the original's hierarchical allocator; the README lists what differs.
 */

import { assert, compareText, type AgentId, type FrameworkId, type Instant } from '@dcos/base';
import { Resources, type Entry } from '@dcos/resources';
import { toJsonText, AttributeType, type AgentInfo, type Unavailability } from '@dcos/wire';
import { AgentBook } from './agent-book.ts';
import { runAllocation, type RunContext } from './allocation-run.ts';
import { ClientTree, type Amount, type Client, type Framework } from './clients.ts';
import { explainAgent, explainRoles } from './explanation.ts';
import { InverseOffers } from './inverse-offers.ts';
import { MIN_ALLOCATABLE_DEFAULT } from './min-allocatable.ts';
import { OfferFilters } from './offer-filters.ts';
import { QuotaBook } from './quota-book.ts';
import { QuotaRun } from './quota-run.ts';
import { addTo, ScalarNames, type ScalarVector } from './scalar-vector.ts';
import { SharedUses } from './shared-uses.ts';
import type {
  AgentDescription,
  Allocation,
  Allocator,
  AllocatorOptions,
  AllocatorSnapshot,
  FrameworkDescription,
  InverseAllocation,
  InverseOfferAnswer,
  OfferRefusal,
  Quota,
  RoleExplanation,
} from './types.ts';

/** Makes an allocator that knows no agents and no frameworks. Its functions may be taken apart from it. */
export function createAllocator(options: AllocatorOptions): Allocator {
  const allocator = new HierarchicalAllocator(options);
  return {
    addFramework: (id, framework, used) => allocator.addFramework(id, framework, used),
    updateFramework: (id, framework) => allocator.updateFramework(id, framework),
    activateFramework: (id) => allocator.activateFramework(id),
    deactivateFramework: (id) => allocator.deactivateFramework(id),
    removeFramework: (id) => allocator.removeFramework(id),
    addAgent: (id, agent, used) => allocator.addAgent(id, agent, used),
    updateAgent: (id, total, description) => allocator.updateAgent(id, total, description),
    removeAgent: (id) => allocator.removeAgent(id),
    activateAgent: (id) => allocator.activateAgent(id),
    deactivateAgent: (id) => allocator.deactivateAgent(id),
    recover: (framework, agent, resources, refusal, now) =>
      allocator.recover(framework, agent, resources, refusal, now),
    track: (framework, agent, resources) => allocator.track(framework, agent, resources),
    suppress: (framework, roles) => allocator.suppress(framework, roles),
    revive: (framework, roles) => allocator.revive(framework, roles),
    updateWeights: (weights) => allocator.updateWeights(weights),
    updateQuota: (role, quota) => allocator.updateQuota(role, quota),
    updateWhitelist: (hostnames) => allocator.updateWhitelist(hostnames),
    pause: () => allocator.pause(),
    resume: () => allocator.resume(),
    convert: (framework, agent, from, to) => allocator.convert(framework, agent, from, to),
    convertFree: (agent, from, to) => allocator.convertFree(agent, from, to),
    updateUnavailability: (agent, unavailability) =>
      allocator.updateUnavailability(agent, unavailability),
    answerInverseOffer: (framework, agent, answer, refuseMs, now) =>
      allocator.answerInverseOffer(framework, agent, answer, refuseMs, now),
    inverseOfferAnswers: () => allocator.inverseOfferAnswers(),
    inverseAllocate: (now) => allocator.inverseAllocate(now),
    hasCandidates: () => allocator.hasCandidates(),
    allocate: (now, scope) => allocator.allocate(now, scope),
    explain: (role) => allocator.explain(role),
    explainAgent: (framework, agent, now, role) =>
      allocator.explainAgent(framework, agent, now, role),
    snapshot: () => allocator.snapshot(),
  };
}

class HierarchicalAllocator implements Allocator {
  readonly #options: AllocatorOptions;
  readonly #names = new ScalarNames();
  readonly #agents = new Map<AgentId, AgentBook>();
  readonly #clients: ClientTree;
  readonly #filters: OfferFilters<Client, AgentBook>;
  readonly #sharedUses = new WeakMap<AgentBook, SharedUses>();
  /** Sum of all agents' totals. */
  #total: ScalarVector = new Float64Array(0);
  #totalChanged = false;
  #candidates = new Set<AgentBook>();
  #allAreCandidates = false;
  /** Changes whenever somebody may want what nobody wanted before. */
  #wakeEpoch = 0;
  #paused = false;
  #whitelist: ReadonlySet<string> | undefined;
  readonly #quota = new QuotaBook();
  /** Something was not offered because of quota since quota last left more. */
  #quotaHeldBack = false;
  readonly #inverse = new InverseOffers();

  constructor(options: AllocatorOptions) {
    this.#options = options;
    const excluded = new Set(
      (options.fairSharingExcluded ?? []).map((name) => this.#names.indexOf(name)),
    );
    const counts = (index: number): boolean => !excluded.has(index);
    this.#clients = new ClientTree({
      roles: { counts, random: options.roleSorter === 'random' ? options.random : undefined },
      frameworks: {
        counts,
        random: options.frameworkSorter === 'random' ? options.random : undefined,
      },
    });
    this.#filters = new OfferFilters((client, agent) => agent.unblock(client.index));
  }

  // Frameworks

  addFramework(
    id: FrameworkId,
    description: FrameworkDescription & { readonly active: boolean },
    used: ReadonlyMap<AgentId, Resources>,
  ): void {
    const framework = this.#clients.framework(id);
    assert(!framework.added, `framework ${id} is there already`);
    framework.added = true;
    framework.active = description.active;
    this.#describe(framework, description);
    for (const [agentId, resources] of used) {
      // What the agent brought with it is counted; only what it did not know of is news.
      if (this.#agents.get(agentId)?.of(id).isEmpty() === true) this.track(id, agentId, resources);
    }
    if (description.active) this.#wake();
  }

  updateFramework(id: FrameworkId, description: FrameworkDescription): void {
    this.#describe(this.#added(id), description);
    this.#wake();
  }

  activateFramework(id: FrameworkId): void {
    const framework = this.#added(id);
    framework.active = true;
    this.#refresh(framework);
    this.#wake();
  }

  deactivateFramework(id: FrameworkId): void {
    const framework = this.#added(id);
    framework.active = false;
    this.#refresh(framework);
    for (const client of framework.clients.values()) this.#filters.dropClient(client);
  }

  removeFramework(id: FrameworkId): void {
    const framework = this.#added(id);
    framework.active = false;
    framework.added = false;
    this.#refresh(framework);
    for (const agent of this.#agents.values()) {
      const resources = agent.of(id);
      if (resources.isEmpty()) continue;
      this.#release(framework, agent, resources);
      this.#freed(agent);
    }
    for (const client of framework.clients.values()) this.#removeClient(client);
    this.#inverse.forget(id);
    this.#clients.frameworks.delete(id);
  }

  suppress(id: FrameworkId, roles: readonly string[]): void {
    for (const client of this.#subscribed(id, roles)) {
      client.suppressed = true;
      this.#clients.refreshActive(client);
    }
  }

  revive(id: FrameworkId, roles: readonly string[]): void {
    for (const client of this.#subscribed(id, roles)) {
      client.suppressed = false;
      this.#filters.dropClient(client);
      this.#clients.refreshActive(client);
    }
    this.#inverse.revive(id);
    this.#wake();
  }

  // Agents

  addAgent(
    id: AgentId,
    description: AgentDescription & { readonly active: boolean },
    used: ReadonlyMap<FrameworkId, Resources>,
  ): void {
    assert(!this.#agents.has(id), `agent ${id} is there already`);
    const agent = new AgentBook(id, description);
    agent.listed = this.#isListed(agent);
    this.#agents.set(id, agent);
    this.#changeTotal(agent.total, 1);
    for (const [frameworkId, resources] of used) this.track(frameworkId, id, resources);
    this.#candidates.add(agent);
  }

  updateAgent(
    id: AgentId,
    total: Resources,
    description?: { readonly info: AgentInfo; readonly capabilities: ReadonlySet<string> },
  ): void {
    const agent = this.#agent(id);
    this.#changeTotal(agent.total, -1);
    agent.setTotal(total);
    this.#changeTotal(agent.total, 1);
    if (description !== undefined) {
      const attributesBefore = attributesText(agent.info);
      agent.info = description.info;
      agent.capabilities = description.capabilities;
      agent.listed = this.#isListed(agent);
      if (attributesText(agent.info) !== attributesBefore) this.#filters.dropAgent(agent);
    }
    this.#candidates.add(agent);
  }

  removeAgent(id: AgentId): void {
    const agent = this.#agent(id);
    for (const [frameworkId, resources] of agent.byFramework) {
      this.#release(this.#clients.framework(frameworkId), agent, resources);
    }
    this.#filters.dropAgent(agent);
    this.#changeTotal(agent.total, -1);
    this.#agents.delete(id);
    this.#inverse.setUnavailability(id, undefined);
    this.#candidates.delete(agent);
  }

  activateAgent(id: AgentId): void {
    const agent = this.#agent(id);
    agent.active = true;
    this.#candidates.add(agent);
  }

  deactivateAgent(id: AgentId): void {
    this.#agent(id).active = false;
  }

  // Allocation

  recover(
    frameworkId: FrameworkId,
    agentId: AgentId,
    resources: Resources,
    refusal: OfferRefusal | undefined,
    now: Instant,
  ): void {
    const framework = this.#clients.frameworks.get(frameworkId);
    const agent = this.#agents.get(agentId);
    if (framework === undefined || agent === undefined || resources.isEmpty()) return;
    const roles = this.#release(framework, agent, resources);
    if (refusal === undefined || refusal.leftover === true) this.#freed(agent);
    if (refusal === undefined || refusal.refuseMs <= 0 || !framework.active) return;
    const lastsMs = Math.max(refusal.refuseMs, this.#options.allocationIntervalMs);
    for (const [role, refused] of roles) {
      const client = framework.clients.get(role);
      if (client?.subscribed !== true) continue;
      const plain = refused.unallocate();
      this.#filters.add(client, agent, plain, now + lastsMs);
      agent.beginVisit();
      if (plain.contains(agent.free)) agent.block(client.index);
    }
  }

  track(frameworkId: FrameworkId, agentId: AgentId, resources: Resources): void {
    const agent = this.#agent(agentId);
    if (resources.isEmpty()) return;
    const framework = this.#clients.framework(frameworkId);
    agent.take(frameworkId, resources);
    for (const [role, part] of byRole(resources)) {
      const client = this.#clients.client(framework, role);
      this.#clients.count(client, this.#amount(client, agent, part, 1), 1);
      this.#quota.changeAllocation(role, part, 1);
    }
  }

  updateWeights(weights: ReadonlyMap<string, number>): void {
    for (const [role, weight] of weights) {
      assert(weight > 0 && Number.isFinite(weight), `the weight of ${role} must be positive`);
      this.#clients.roleSorter.setWeight(role, weight);
    }
  }

  updateQuota(role: string, quota: Quota | undefined): void {
    assert(!role.includes('/'), `quota is for top-level roles, not for ${role}`);
    const wasInUse = this.#quota.inUse;
    this.#quota.set(role, quota);
    if (!wasInUse && this.#quota.inUse) this.#fillQuotaBook();
    this.#quotaHeldBack = false;
    this.#wakeEpoch += 1;
  }

  updateWhitelist(hostnames: ReadonlySet<string> | undefined): void {
    this.#whitelist = hostnames;
    for (const agent of this.#agents.values()) agent.listed = this.#isListed(agent);
    this.#wake();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake();
  }

  convert(frameworkId: FrameworkId, agentId: AgentId, from: Resources, to: Resources): void {
    const agent = this.#agent(agentId);
    const [plainFrom, plainTo] = [from.unallocate(), to.unallocate()];
    const isFreeChanged = agent.convert(frameworkId, { from, to, plainFrom, plainTo });
    this.#quota.changeTotal(plainFrom, -1);
    this.#quota.changeTotal(plainTo, 1);
    const framework = this.#clients.framework(frameworkId);
    for (const [parts, sign] of [
      [byRole(from), -1],
      [byRole(to), 1],
    ] as const) {
      for (const [role, part] of parts) {
        this.#quota.changeAllocation(role, part, sign);
        // Amounts stay what they are, so shares and turns do; only who uses shared resources is noted.
        if (isFreeChanged) this.#amount(this.#clients.client(framework, role), agent, part, sign);
      }
    }
    if (isFreeChanged) this.#candidates.add(agent);
  }

  convertFree(agentId: AgentId, from: Resources, to: Resources): boolean {
    const agent = this.#agent(agentId);
    if (!agent.free.contains(from)) return false;
    this.updateAgent(agentId, agent.total.subtract(from).add(to));
    return true;
  }

  updateUnavailability(agentId: AgentId, unavailability: Unavailability | undefined): void {
    this.#inverse.setUnavailability(agentId, unavailability);
    this.#candidates.add(this.#agent(agentId));
  }

  answerInverseOffer(
    framework: FrameworkId,
    agent: AgentId,
    answer: InverseOfferAnswer | undefined,
    refuseMs: number,
    now: Instant,
  ): void {
    const lastsMs = refuseMs <= 0 ? 0 : Math.max(refuseMs, this.#options.allocationIntervalMs);
    this.#inverse.answer(framework, agent, answer, now + lastsMs);
  }

  inverseOfferAnswers(): ReadonlyMap<AgentId, ReadonlyMap<FrameworkId, InverseOfferAnswer>> {
    return this.#inverse.answers();
  }

  inverseAllocate(now: Instant): readonly InverseAllocation[] {
    return this.#inverse.ask(now, (agentId) =>
      [...(this.#agents.get(agentId)?.byFramework.keys() ?? [])].filter((id) => {
        const framework = this.#clients.frameworks.get(id);
        return framework?.added === true && framework.active;
      }),
    );
  }

  /** The book is kept by changes from the first quota on; this is where it begins. */
  #fillQuotaBook(): void {
    for (const agent of this.#agents.values()) {
      this.#quota.changeTotal(agent.total, 1);
      for (const resources of agent.byFramework.values()) {
        for (const [role, part] of byRole(resources)) this.#quota.changeAllocation(role, part, 1);
      }
    }
  }

  /** Quota leaves more than it did: what it held back is worth another look in the next round. */
  #quotaLoosened(): void {
    if (!this.#quotaHeldBack) return;
    this.#quotaHeldBack = false;
    this.#wakeEpoch += 1;
  }

  #isListed(agent: AgentBook): boolean {
    return this.#whitelist === undefined || this.#whitelist.has(agent.info.hostname);
  }

  hasCandidates(): boolean {
    if (this.#paused) return false;
    return this.#allAreCandidates ? this.#agents.size > 0 : this.#candidates.size > 0;
  }

  allocate(now: Instant, scope: 'candidates' | 'all'): readonly Allocation[] {
    if (this.#paused) return [];
    this.#filters.expire(now);
    const everyone = scope === 'all' || this.#allAreCandidates;
    const agents = [...(everyone ? this.#agents.values() : this.#candidates)];
    this.#candidates = new Set();
    this.#allAreCandidates = false;
    this.#tellTotal();
    return runAllocation(this.#context(), agents);
  }

  // Reports

  explain(role?: string): readonly RoleExplanation[] {
    this.#tellTotal();
    return explainRoles(
      {
        agents: this.#agents.values(),
        clients: this.#clients,
        filters: this.#filters,
        names: this.#names,
        quota: this.#quota,
      },
      role,
    );
  }

  explainAgent(
    frameworkId: FrameworkId,
    agentId: AgentId,
    now: Instant,
    role?: string,
  ): readonly string[] {
    const framework = this.#clients.frameworks.get(frameworkId);
    const agent = this.#agents.get(agentId);
    if (framework === undefined) return [`framework ${frameworkId} is not known`];
    if (agent === undefined) return [`agent ${agentId} is not known`];
    this.#filters.expire(now);
    return explainAgent({ ...this.#context(), paused: this.#paused }, framework, agent, {
      now,
      role,
    });
  }

  snapshot(): AllocatorSnapshot {
    return {
      agents: Array.from(this.#agents.values(), (agent) => ({
        id: agent.id,
        active: agent.active,
        total: agent.total,
        allocated: agent.allocated(),
        free: agent.free,
        byFramework: new Map(agent.byFramework),
      })),
    };
  }

  // Inside

  #context(): RunContext {
    const minAllocatable = this.#options.minAllocatable ?? MIN_ALLOCATABLE_DEFAULT;
    return {
      clients: this.#clients,
      filters: this.#filters,
      random: this.#options.random,
      minAllocatable,
      hasMinOverrides: this.#anyMinOverride(),
      filterGpuResources: this.#options.filterGpuResources ?? true,
      region: this.#options.region,
      wakeEpoch: this.#wakeEpoch,
      quota: this.#quota.inUse ? new QuotaRun(this.#quota, minAllocatable) : undefined,
      heldBack: () => void (this.#quotaHeldBack = true),
      commit: (client, agent, offer, plain) => {
        agent.take(client.framework.id, offer, plain);
        this.#quota.changeAllocation(client.role.name, offer, 1);
        this.#clients.count(client, this.#amount(client, agent, offer, 1), 1);
      },
    };
  }

  #anyMinOverride(): boolean {
    for (const framework of this.#clients.frameworks.values()) {
      if (framework.minAllocatable.size > 0) return true;
    }
    return false;
  }

  #agent(id: AgentId): AgentBook {
    const agent = this.#agents.get(id);
    assert(agent !== undefined, `agent ${id} is not known to the allocator`);
    return agent;
  }

  #added(id: FrameworkId): Framework {
    const framework = this.#clients.frameworks.get(id);
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
    for (const role of roles) this.#clients.client(framework, role);
    for (const client of framework.clients.values()) {
      const { name } = client.role;
      const left = client.subscribed && !roles.has(name);
      const unsuppressed = client.suppressed && !suppressed.has(name);
      client.subscribed = roles.has(name);
      client.suppressed = suppressed.has(name);
      if (left || unsuppressed) this.#filters.dropClient(client);
      this.#unblock(client);
      this.#clients.refreshActive(client);
      this.#removeIfUnused(client);
    }
  }

  #refresh(framework: Framework): void {
    for (const client of framework.clients.values()) this.#clients.refreshActive(client);
  }

  /** Somebody may want what nobody wanted: all agents are worth a look. */
  #wake(): void {
    this.#wakeEpoch += 1;
    this.#allAreCandidates = true;
  }

  /** Something is free that was not; worth a look if there is anybody who might want it. */
  #freed(agent: AgentBook): void {
    if (!this.#clients.active.isEmpty()) this.#candidates.add(agent);
  }

  #unblock(client: Client): void {
    for (const agent of this.#agents.values()) agent.unblock(client.index);
  }

  /** Frees what a framework has on an agent; gives it by role. */
  #release(
    framework: Framework,
    agent: AgentBook,
    resources: Resources,
  ): ReadonlyMap<string, Resources> {
    agent.giveBack(framework.id, resources);
    const parts = byRole(resources);
    for (const [role, part] of parts) {
      const client = this.#clients.client(framework, role);
      this.#clients.count(client, this.#amount(client, agent, part, -1), -1);
      this.#quota.changeAllocation(role, part, -1);
      this.#removeIfUnused(client);
    }
    if (this.#quota.inUse) this.#quotaLoosened();
    return parts;
  }

  /** Forgets a client that is neither subscribed nor has anything, and its framework if it was never added. */
  #removeIfUnused(client: Client): void {
    const { framework, role, leaf } = client;
    if (client.subscribed || leaf.allocated.some((milli) => milli !== 0)) return;
    for (const agent of this.#agents.values()) {
      const holds = agent
        .of(framework.id)
        .entries.some(({ nature }) => nature.allocatedTo === role.name);
      if (holds) return;
    }
    this.#removeClient(client);
    if (!framework.added && framework.clients.size === 0)
      this.#clients.frameworks.delete(framework.id);
  }

  #removeClient(client: Client): void {
    this.#filters.dropClient(client);
    this.#unblock(client);
    this.#clients.removeClient(client);
  }

  /** The scalars of an allocation as sorters count them; keeps note of shared ones. */
  #amount(client: Client, agent: AgentBook, resources: Resources, sign: 1 | -1): Amount {
    if (!resources.entries.some(({ nature }) => nature.shared)) {
      const vector = this.#names.vectorOf(resources.entries);
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
    return { ofClient: this.#names.vectorOf(ofClient), ofRole: this.#names.vectorOf(ofRole) };
  }

  #changeTotal(total: Resources, sign: 1 | -1): void {
    // A new vector, since the sorters keep the old one and compare by it until they are told.
    this.#total = addTo(this.#total.slice(), this.#names.vectorOf(total.entries), sign);
    this.#totalChanged = true;
    this.#quota.changeTotal(total, sign);
    if (this.#quota.inUse) this.#quotaLoosened();
  }

  #tellTotal(): void {
    if (!this.#totalChanged) return;
    this.#totalChanged = false;
    this.#clients.setTotal(this.#total);
  }
}

const FIRST = { ofClient: true, ofRole: true } as const;

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

function attributesText(info: AgentInfo): string {
  return (info.attributes ?? [])
    .map((attribute) => toJsonText(AttributeType, attribute))
    .sort(compareText)
    .join();
}
