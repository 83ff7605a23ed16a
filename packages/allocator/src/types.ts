/**
 * What the allocator is told and what it answers. All ids are opaque; instants are those of the caller.
 */

import type { AgentId, FrameworkId, Instant, Random } from '@dcos/base';
import type { Resources } from '@dcos/resources';
import type { AgentInfo, Unavailability } from '@dcos/wire';

export type SorterKind = 'drf' | 'random';

/** An amount that is worth an offer: all of these quantities (in thousandths) at once. */
export type Quantities = ReadonlyMap<string, number>;

/** Offers must reach at least one of these; none at all means that anything not empty will do. */
export type MinAllocatable = readonly Quantities[];

export interface AllocatorOptions {
  readonly random: Random;
  /** Order of roles; `drf` unless said otherwise. */
  readonly roleSorter?: SorterKind;
  /** Order of frameworks inside a role; `drf` unless said otherwise. */
  readonly frameworkSorter?: SorterKind;
  /** 0.01 cpus or 32 MB of memory unless said otherwise. */
  readonly minAllocatable?: MinAllocatable;
  /** Whether agents with GPUs are kept for frameworks with GPU_RESOURCES; true unless said otherwise. */
  readonly filterGpuResources?: boolean;
  /** Resource names that do not count for shares. */
  readonly fairSharingExcluded?: readonly string[];
  /** The master's region; agents of another one go to REGION_AWARE frameworks only. */
  readonly region?: string;
  /** Period of the caller's full rounds; no filter is shorter. */
  readonly allocationIntervalMs: number;
}

/** What a framework may be given; `roles` are those it is subscribed to. */
export interface FrameworkDescription {
  readonly roles: readonly string[];
  readonly suppressedRoles: readonly string[];
  readonly capabilities: ReadonlySet<string>;
  /** Overrides per role of what is worth an offer. */
  readonly minAllocatable?: ReadonlyMap<string, MinAllocatable>;
  /** By role: which agents may be offered for it; a role that is absent takes any. */
  readonly agentFilters?: ReadonlyMap<string, AgentFilter>;
}

/** Says whether an agent satisfies a framework's offer constraints; depends on the description only. */
export type AgentFilter = (info: AgentInfo) => boolean;

export interface AgentDescription {
  readonly info: AgentInfo;
  readonly total: Resources;
  readonly capabilities: ReadonlySet<string>;
}

/** Guarantees and limits of a top-level role in thousandths; a missing limit means unlimited. */
export interface Quota {
  readonly guarantees: Quantities;
  readonly limits: Quantities;
}

/** How a framework gave back what it was offered. */
export interface OfferRefusal {
  /** How long it does not want the same or less of the agent; 0 for no filter. */
  readonly refuseMs: number;
  /** It used the rest of the offer, so others may have what is left at once. */
  readonly leftover?: boolean;
}

/** One decision: these resources, allocated to the role, go to the framework as an offer. */
export interface Allocation {
  readonly frameworkId: FrameworkId;
  readonly role: string;
  readonly agentId: AgentId;
  readonly resources: Resources;
}

/** A question to a framework that has something on an agent whose machine will be taken away. */
export interface InverseAllocation {
  readonly frameworkId: FrameworkId;
  readonly agentId: AgentId;
  readonly unavailability: Unavailability;
}

/** What a framework answered to an inverse offer; `instant` is that of the answer. */
export interface InverseOfferAnswer {
  readonly willing: boolean;
  readonly instant: Instant;
}

export interface Allocator {
  /** Adds a framework; `used` is what it is known to have on agents that are added already. */
  addFramework(
    id: FrameworkId,
    framework: FrameworkDescription & { readonly active: boolean },
    used: ReadonlyMap<AgentId, Resources>,
  ): void;
  /** Replaces roles, suppression and capabilities. Filters of roles that leave suppression are dropped. */
  updateFramework(id: FrameworkId, framework: FrameworkDescription): void;
  /** The framework takes offers (again). */
  activateFramework(id: FrameworkId): void;
  /** The framework takes no offers; its filters are dropped, its allocation stays. */
  deactivateFramework(id: FrameworkId): void;
  /** Forgets the framework; what it still had is free. */
  removeFramework(id: FrameworkId): void;
  /** Adds an agent; `used` is what frameworks have on it, known to the allocator or not yet. */
  addAgent(
    id: AgentId,
    agent: AgentDescription & { readonly active: boolean },
    used: ReadonlyMap<FrameworkId, Resources>,
  ): void;
  /** Changes the total; filters stay. With a description, changed attributes drop the agent's filters. */
  updateAgent(
    id: AgentId,
    total: Resources,
    description?: { readonly info: AgentInfo; readonly capabilities: ReadonlySet<string> },
  ): void;
  /** Forgets the agent with all that is allocated on it. */
  removeAgent(id: AgentId): void;
  activateAgent(id: AgentId): void;
  /** Nothing of the agent is offered until it is activated. */
  deactivateAgent(id: AgentId): void;
  /**
   * Gives back what was offered or used. With a refusal the framework is not offered the same or less of
   * the agent for that long, at least for one interval, unless that is 0. What nobody refused is worth an
   * event-driven run; what was refused waits for the periodic one, or else frameworks that decline would
   * be asked again as fast as they answer. Does nothing for a framework or agent that was removed, since
   * that freed everything. Asserts that no more comes back than was given.
   */
  recover(
    framework: FrameworkId,
    agent: AgentId,
    resources: Resources,
    refusal: OfferRefusal | undefined,
    now: Instant,
  ): void;
  /** Counts resources as used that were learned, not offered: tasks of a returning agent. */
  track(framework: FrameworkId, agent: AgentId, resources: Resources): void;
  /** No offers for these roles of the framework; none named means all. */
  suppress(framework: FrameworkId, roles: readonly string[]): void;
  /** Ends suppression and drops filters for these roles of the framework; none named means all. */
  revive(framework: FrameworkId, roles: readonly string[]): void;
  /** Sets weights of the named roles; others keep theirs (1 at first). */
  updateWeights(weights: ReadonlyMap<string, number>): void;
  /** Sets or (undefined) removes the quota of a top-level role. */
  updateQuota(role: string, quota: Quota | undefined): void;
  /** Only agents of these host names are offered; undefined for all. */
  updateWhitelist(hostnames: ReadonlySet<string> | undefined): void;
  /** Nothing is allocated between the two: after a failover with quota, until enough agents are back. */
  pause(): void;
  resume(): void;
  /**
   * Turns resources that the framework holds on the agent (both with allocation) into others: what
   * RESERVE, CREATE, ... do at once. The agent's total changes with them. Asserts that `from` is held.
   */
  convert(framework: FrameworkId, agent: AgentId, from: Resources, to: Resources): void;
  /**
   * The same for an operator, with resources that nobody holds (without allocation). Returns false, and
   * changes nothing, when they are not free.
   */
  convertFree(agent: AgentId, from: Resources, to: Resources): boolean;
  /** The agent's machine will be away (undefined: no longer); inverse offers follow. Makes it a candidate. */
  updateUnavailability(agent: AgentId, unavailability: Unavailability | undefined): void;
  /**
   * Takes a framework's answer to an inverse offer, or (undefined) that the inverse offer was withdrawn
   * without one; it may be asked again `refuseMs` later.
   */
  answerInverseOffer(
    framework: FrameworkId,
    agent: AgentId,
    answer: InverseOfferAnswer | undefined,
    refuseMs: number,
    now: Instant,
  ): void;
  /** Answers by agent and framework, for agents with an unavailability. */
  inverseOfferAnswers(): ReadonlyMap<AgentId, ReadonlyMap<FrameworkId, InverseOfferAnswer>>;
  /**
   * Which frameworks are to be asked now about agents with an unavailability: those that have something
   * there, are active, have no inverse offer outstanding for it and no filter.
   */
  inverseAllocate(now: Instant): readonly InverseAllocation[];
  /** Whether events made agents worth a look since the last run. */
  hasCandidates(): boolean;
  /** Decides who is offered what, and counts it as allocated. */
  allocate(now: Instant, scope: 'candidates' | 'all'): readonly Allocation[];
  /** Where roles stand; for people who ask why they get no offers. */
  explain(role?: string): readonly RoleExplanation[];
  /**
   * Why the framework would or would not be offered each of these agents now, in any of its roles or in
   * one: reasons, none when it would.
   */
  explainAgents(
    framework: FrameworkId,
    agents: Iterable<AgentId>,
    now: Instant,
    role?: string,
  ): ReadonlyMap<AgentId, readonly string[]>;
  /** Books per agent, for checkers. */
  snapshot(): AllocatorSnapshot;
}

export interface FrameworkExplanation {
  readonly id: FrameworkId;
  readonly active: boolean;
  readonly suppressed: boolean;
  /** Dominant share inside the role, before other roles are looked at. */
  readonly share: number;
  /** How often it was given something; breaks ties. */
  readonly allocations: number;
  /** Agents of which something is refused at present. */
  readonly filters: number;
  /** Thousandths, offered or used. */
  readonly allocated: Quantities;
}

export interface RoleExplanation {
  readonly role: string;
  readonly weight: number;
  /** Dominant share divided by weight, of the role and those below it. */
  readonly share: number;
  readonly allocations: number;
  readonly allocated: Quantities;
  /** What agents have reserved for exactly this role, used or not. */
  readonly reserved: Quantities;
  /** Of its top-level role. */
  readonly quota: Quota | undefined;
  /** What the top-level role consumes of its quota; empty while there is no quota at all. */
  readonly quotaConsumed: Quantities;
  readonly frameworks: readonly FrameworkExplanation[];
}

export interface AllocatorSnapshot {
  readonly agents: readonly {
    readonly id: AgentId;
    readonly active: boolean;
    readonly total: Resources;
    /** Offered or used by anyone, without allocation info; shared resources are left out. */
    readonly allocated: Resources;
    /** What is left; shared resources are always free. */
    readonly free: Resources;
    readonly byFramework: ReadonlyMap<FrameworkId, Resources>;
  }[];
}
