/**
 * What the specification of the allocator knows: plain lists, no sums, no indexes. For tests only.
 */

import type { AgentId, FrameworkId, Instant } from '@dcos/base';
import { milliOf, Resources, topLevelRole, type Entry } from '@dcos/resources';
import type { Unavailability } from '@dcos/wire';
import type {
  AgentDescription,
  FrameworkDescription,
  InverseOfferAnswer,
  MinAllocatable,
  Quota,
  SorterKind,
} from '../types.ts';

export interface SpecifiedFramework extends Omit<FrameworkDescription, 'roles'> {
  roles: ReadonlySet<string>;
  suppressed: Set<string>;
  active: boolean;
}

export interface SpecifiedAgent extends AgentDescription {
  active: boolean;
  unavailability?: Unavailability | undefined;
  /** By framework: an inverse offer was made. */
  questions: Map<FrameworkId, Question>;
}

export interface Question {
  outstanding: boolean;
  until: Instant;
  answer?: InverseOfferAnswer | undefined;
}

export interface Filter {
  readonly framework: FrameworkId;
  readonly role: string;
  readonly agent: AgentId;
  readonly refused: Resources;
  readonly until: Instant;
}

/** What a framework has on an agent, offered or used, with allocation. One for each pair. */
export interface Holding {
  readonly framework: FrameworkId;
  readonly agent: AgentId;
  readonly resources: Resources;
}

export interface SpecifiedOptions {
  /** Of roles and of frameworks inside a role. */
  readonly sorter: SorterKind;
  readonly allocationIntervalMs: number;
  readonly minAllocatable: MinAllocatable;
  readonly filterGpuResources: boolean;
  readonly fairSharingExcluded: readonly string[];
  readonly region: string;
}

export interface SpecifiedState {
  readonly options: SpecifiedOptions;
  readonly frameworks: Map<FrameworkId, SpecifiedFramework>;
  readonly agents: Map<AgentId, SpecifiedAgent>;
  readonly weights: Map<string, number>;
  readonly quotas: Map<string, Quota>;
  /** How often each place was served: a framework in a role (`role framework`), a path of roles. */
  readonly served: Map<string, number>;
  filters: Filter[];
  holdings: Holding[];
  whitelist: ReadonlySet<string> | undefined;
}

/** A state that can be changed without changing the given one, as far as a run changes it. */
export function copyForRun(state: SpecifiedState): SpecifiedState {
  return { ...state, holdings: [...state.holdings], served: new Map(state.served) };
}

/** The role that all of it is allocated to. */
export function roleOf(resources: Resources): string {
  return resources.entries[0]?.nature.allocatedTo ?? '';
}

export function heldBy(
  state: SpecifiedState,
  framework: FrameworkId,
  agent: AgentId,
): Resources | undefined {
  return state.holdings.find((other) => other.framework === framework && other.agent === agent)
    ?.resources;
}

/** Replaces what the framework has on the agent. */
export function setHeld(state: SpecifiedState, { framework, agent, resources }: Holding): void {
  state.holdings = state.holdings.filter(
    (other) => other.framework !== framework || other.agent !== agent,
  );
  if (!resources.isEmpty()) state.holdings.push({ framework, agent, resources });
}

/** The framework gets more on the agent, all of it for one role; that is a turn. */
export function hold(state: SpecifiedState, { framework, agent, resources }: Holding): void {
  const held = heldBy(state, framework, agent);
  const sum = held === undefined ? resources : held.add(resources);
  setHeld(state, { framework, agent, resources: sum });
  const role = roleOf(resources);
  const parts = role.split('/');
  const paths = parts.map((_part, depth) => parts.slice(0, depth + 1).join('/'));
  for (const place of [...paths, `${role}/.`, `${role} ${framework}`])
    state.served.set(place, (state.served.get(place) ?? 0) + 1);
}

/** What anyone has on the agent, without shared resources. */
export function allocatedOf(state: SpecifiedState, id: AgentId): Resources {
  const parts = state.holdings
    .filter(({ agent }) => agent === id)
    .map(({ resources }) => resources.filterEntries(isOwned).unallocate());
  return parts.reduce((sum, part) => sum.add(part), Resources.empty);
}

/** What is neither offered nor used; when the total shrank below that, what can be told to be free. */
export function freeOf(state: SpecifiedState, id: AgentId): Resources {
  const { total } = agentOf(state, id);
  const shared = total.filterEntries((entry) => !isOwned(entry));
  return total.filterEntries(isOwned).without(allocatedOf(state, id)).add(shared);
}

export function agentOf(state: SpecifiedState, id: AgentId): SpecifiedAgent {
  const agent = state.agents.get(id);
  if (agent === undefined) throw new Error(`no agent ${id}`);
  return agent;
}

/** What quota counts and chops: scalars, unreserved and there to stay. */
export function isChoppable({ nature }: Entry): boolean {
  return nature.kind === 'scalar' && nature.reservedTo === undefined && !nature.revocable;
}

/** Thousandths of a name that a top-level role consumes of its quota. */
export function consumedOf(state: SpecifiedState, top: string, name: string): number {
  let sum = 0;
  for (const { total } of state.agents.values()) {
    for (const entry of total.entries) {
      const { reservedTo, kind } = entry.nature;
      if (entry.nature.name !== name || kind !== 'scalar' || reservedTo === undefined) continue;
      if (topLevelRole(reservedTo) === top) sum += milliOf(entry);
    }
  }
  for (const { resources } of state.holdings) {
    for (const entry of resources.entries) {
      if (entry.nature.name !== name || !isChoppable(entry)) continue;
      if (topLevelRole(entry.nature.allocatedTo ?? '') === top) sum += milliOf(entry);
    }
  }
  return sum;
}

/** Thousandths of a name that guarantees still need. */
export function requiredOf(state: SpecifiedState, name: string): number {
  return [...state.quotas].reduce((sum, [role, { guarantees }]) => {
    const missing = (guarantees.get(name) ?? 0) - consumedOf(state, role, name);
    return sum + Math.max(0, missing);
  }, 0);
}

/** Thousandths of a name that quota could count and nobody has. */
export function availableOf(state: SpecifiedState, name: string): number {
  const sumOf = (resources: Resources): number =>
    resources.filterEntries(isChoppable).scalarMilli(name);
  const total = [...state.agents.values()].reduce((sum, agent) => sum + sumOf(agent.total), 0);
  return state.holdings.reduce((left, { resources }) => left - sumOf(resources), total);
}

function isOwned({ nature }: Entry): boolean {
  return !nature.shared;
}
