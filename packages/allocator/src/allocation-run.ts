/**
 * One allocation run: agents in random order, for each the roles and inside them the frameworks in the
 * sorters' order; the first that can take what is free on the agent is offered all of it that it may
 * have, what is left over goes to the next.
 *
 * Shares change with each allocation, but within one agent's turn no later choice depends on an earlier
 * one: a role is visited once, and a framework sorter counts only its own role. So the sorters are told
 * after the turn, which gives the same order and lets a turn end without a copy of it.
 *
 * An agent that nobody wants is settled: it is not looked at again before something is freed on it, a
 * filter of it ends, or somebody new can want it (`wakeEpoch`).
 */

import { shuffle, type Instant, type Random } from '@dcos/base';
import { isAncestorRole, Resources, type Entry } from '@dcos/resources';
import type { AgentBook } from './agent-book.ts';
import type { Client, ClientTree, Role } from './clients.ts';
import { isAllocatable } from './min-allocatable.ts';
import type { OfferFilters } from './offer-filters.ts';
import { isChoppable } from './quota-book.ts';
import type { QuotaRun, Stage } from './quota-run.ts';
import type { Allocation, MinAllocatable } from './types.ts';

/** What a run looks at. */
export interface RunContext {
  readonly clients: ClientTree;
  readonly filters: OfferFilters<Client, AgentBook>;
  readonly random: Random;
  readonly minAllocatable: MinAllocatable;
  /** Whether some framework may have a lower bar than `minAllocatable`. */
  readonly hasMinOverrides: boolean;
  readonly filterGpuResources: boolean;
  readonly region: string | undefined;
  readonly wakeEpoch: number;
  /** Present while some role has a quota. */
  readonly quota: QuotaRun | undefined;
  /** Notes that quota held something back in this run. */
  readonly heldBack: () => void;
  /** Moves what was decided from free to allocated, in books and sorters. */
  readonly commit: (client: Client, agent: AgentBook, offer: Resources, plain: Resources) => void;
}

/** Why a client is not offered an agent. */
export type Refusal =
  | { readonly kind: 'agent-capability'; readonly capability: string }
  | { readonly kind: 'framework-capability'; readonly capability: string }
  | { readonly kind: 'nothing-allocatable' }
  /** Limits of the role, or guarantees of others, leave too little. */
  | { readonly kind: 'quota' }
  /** The framework's offer constraints exclude the agent. */
  | { readonly kind: 'constraints' }
  | { readonly kind: 'filtered'; readonly until: Instant; readonly chopped: boolean };

/** Runs over the agents and gives what was decided, in the order of decision. */
export function runAllocation(
  context: RunContext,
  agents: readonly AgentBook[],
): readonly Allocation[] {
  const due = agents.filter(
    (agent) =>
      agent.active &&
      agent.listed &&
      agent.settledEpoch !== context.wakeEpoch &&
      !agent.free.isEmpty(),
  );
  const progress: Progress = { allocations: [], sharedGiven: new Map(), quotaLeavesNothing: false };
  context.clients.roleSorter.refresh();
  const { quota } = context;
  if (quota?.hasUnmet === true) {
    for (const agent of shuffle(context.random, due)) {
      if (!quota.hasUnmet) break;
      serveAgent(context, agent, progress, 'guarantees');
    }
  }
  for (const agent of shuffle(context.random, due)) {
    if (!agent.free.isEmpty()) serveAgent(context, agent, progress, 'everything');
  }
  return progress.allocations;
}

/** What a run did so far. */
interface Progress {
  readonly allocations: Allocation[];
  /** Shared resources that were offered in this run; they stay free, but go to one framework a run. */
  readonly sharedGiven: Map<AgentBook, Resources>;
  /** No role can be offered anything that quota counts. */
  quotaLeavesNothing: boolean;
}

/** An offer that was decided in an agent's turn and is not yet counted in the sorters. */
interface Decision {
  readonly client: Client;
  readonly plain: Resources;
}

function serveAgent(context: RunContext, agent: AgentBook, progress: Progress, stage: Stage): void {
  const { allocations, sharedGiven } = progress;
  if (!context.hasMinOverrides && !isAllocatable(agent.free, context.minAllocatable)) {
    agent.settledEpoch = context.wakeEpoch;
    return;
  }
  agent.beginVisit();
  if (agent.blocksAll(context.clients.active)) {
    agent.settledEpoch = context.wakeEpoch;
    return;
  }
  const decisions: Decision[] = [];
  const given = sharedGiven.get(agent);
  let left = given === undefined ? agent.free : agent.free.without(given);
  const serveClient = (client: Client): boolean => {
    if (agent.isBlocked(client.index)) return true;
    const plain = offerable(context, client, agent, left, stage);
    if (!(plain instanceof Resources)) {
      // A verdict on leftovers holds for less than is free now; the next turn will find it out. One on
      // what quota left holds until quota leaves more, wherever that happens.
      const heldBack = plain.kind === 'quota' || (plain.kind === 'filtered' && plain.chopped);
      if (heldBack) context.heldBack();
      else if (decisions.length === 0 && given === undefined) agent.block(client.index);
      return true;
    }
    decisions.push({ client, plain });
    context.quota?.record(client.role, plain);
    left = plain === left ? Resources.empty : left.without(plain);
    return !left.isEmpty();
  };
  visitRoles(context, agent, progress, stage, (role) =>
    role.sole === undefined ? role.frameworks.walk(serveClient) : serveClient(role.sole),
  );
  for (const { client, plain } of decisions) {
    if (stage === 'guarantees') {
      const shared = plain.filterEntries(({ nature }) => nature.shared);
      if (!shared.isEmpty())
        sharedGiven.set(agent, (sharedGiven.get(agent) ?? Resources.empty).add(shared));
    }
    const resources = plain.allocate(client.role.name);
    context.commit(client, agent, resources, plain);
    allocations.push({
      frameworkId: client.framework.id,
      role: client.role.name,
      agentId: agent.id,
      resources,
    });
  }
  const sawAll = stage === 'everything' && given === undefined;
  if (decisions.length === 0 && sawAll) agent.settledEpoch = context.wakeEpoch;
}

/** Visits the roles that may be offered something of the agent, in order, until one takes the rest. */
function visitRoles(
  context: RunContext,
  agent: AgentBook,
  progress: Progress,
  stage: Stage,
  serve: (role: Role) => boolean,
): void {
  const { roleSorter } = context.clients;
  const { quota } = context;
  if (quota === undefined) roleSorter.walk(serve);
  else if (stage === 'guarantees') roleSorter.walk((role) => !quota.isUnmet(role) || serve(role));
  else if (!isQuotaDecisive(context, agent)) roleSorter.walk(serve);
  else {
    if (!progress.quotaLeavesNothing) {
      let isSpent = true;
      const sawAll = roleSorter.walk((role) => {
        if (quota.isExhausted(role)) {
          context.heldBack();
          return true;
        }
        isSpent = false;
        return serve(role);
      });
      progress.quotaLeavesNothing = isSpent && sawAll;
    }
    if (progress.quotaLeavesNothing) context.heldBack();
  }
}

/** Whether all that counts as an offer of the agent is under quota, for every framework. */
function isQuotaDecisive({ quota, hasMinOverrides }: RunContext, { free }: AgentBook): boolean {
  return (
    quota !== undefined &&
    !hasMinOverrides &&
    free.entries.every((entry) => entry.nature.kind !== 'scalar' || isChoppable(entry))
  );
}

/** What of the resources the client would be offered now, or why nothing. */
export function offerable(
  context: Omit<
    RunContext,
    'wakeEpoch' | 'commit' | 'clients' | 'random' | 'hasMinOverrides' | 'heldBack'
  >,
  client: Client,
  agent: AgentBook,
  left: Resources,
  stage: Stage = 'everything',
): Resources | Refusal {
  const { framework, role } = client;
  const unfit = misfit(context, client, agent);
  if (unfit !== undefined) return unfit;
  const whole = left.filterEntries((entry) => mayTake(client, entry));
  const minimum = framework.minAllocatable.get(role.name) ?? context.minAllocatable;
  if (!isAllocatable(whole, minimum)) return NOTHING_ALLOCATABLE;
  const offer = context.quota === undefined ? whole : context.quota.chop(role, whole, stage);
  if (offer !== whole && !isAllocatable(offer, minimum)) return HELD_BACK;
  const until = context.filters.hidesUntil(client, agent, offer);
  return until === undefined ? offer : { kind: 'filtered', until, chopped: offer !== whole };
}

const NOTHING_ALLOCATABLE: Refusal = { kind: 'nothing-allocatable' };
const HELD_BACK: Refusal = { kind: 'quota' };
const CONSTRAINTS: Refusal = { kind: 'constraints' };

/** Why the framework cannot use the agent whatever is free there. */
function misfit(
  context: Pick<RunContext, 'filterGpuResources' | 'region'>,
  { framework: { capabilities, agentFilters }, role }: Client,
  agent: AgentBook,
): Refusal | undefined {
  const filter = agentFilters.get(role.name);
  if (filter !== undefined && !filter(agent.info)) return CONSTRAINTS;
  if (capabilities.has('MULTI_ROLE') && !agent.capabilities.has('MULTI_ROLE')) {
    return { kind: 'agent-capability', capability: 'MULTI_ROLE' };
  }
  if (role.nested && !agent.capabilities.has('HIERARCHICAL_ROLE')) {
    return { kind: 'agent-capability', capability: 'HIERARCHICAL_ROLE' };
  }
  if (context.filterGpuResources && agent.hasGpus && !capabilities.has('GPU_RESOURCES')) {
    return { kind: 'framework-capability', capability: 'GPU_RESOURCES' };
  }
  const region = agent.info.domain?.fault_domain?.region.name;
  if (region !== undefined && context.region !== undefined && region !== context.region) {
    if (!capabilities.has('REGION_AWARE'))
      return { kind: 'framework-capability', capability: 'REGION_AWARE' };
  }
  return undefined;
}

/** Whether the resource may go to the role, and the framework understands it. */
function mayTake({ framework: { capabilities }, role }: Client, { nature }: Entry): boolean {
  const { reservedTo } = nature;
  if (
    reservedTo !== undefined &&
    reservedTo !== role.name &&
    !isAncestorRole(reservedTo, role.name)
  )
    return false;
  if (nature.revocable && !capabilities.has('REVOCABLE_RESOURCES')) return false;
  if (nature.shared && !capabilities.has('SHARED_RESOURCES')) return false;
  return !nature.refined || capabilities.has('RESERVATION_REFINEMENT');
}
