/**
 * One allocation run as specified, step by step: guarantees first, then everything. The order of agents is
 * chance, and so is that of clients with the random sorter; here they are arguments, so that the real run's
 * order can be replayed. For tests only.
 */

import type { AgentId, FrameworkId, Instant } from '@dcos/base';
import { isAncestorRole, Resources, topLevelRole } from '@dcos/resources';
import type { Resource } from '@dcos/wire';
import type { Allocation, Quota } from '../types.ts';
import { orderOf } from './specification-order.ts';
import {
  agentOf,
  availableOf,
  consumedOf,
  freeOf,
  hold,
  isChoppable,
  requiredOf,
  type SpecifiedFramework,
  type SpecifiedState,
} from './specification-state.ts';

type Stage = 'guarantees' | 'everything';

/** What chance gives each stage. */
export interface Turns {
  /** The agents in the order of service. */
  readonly agents: readonly AgentId[];
  /** The clients that come first where their order is drawn; the place of the others does not matter then. */
  readonly drawn: readonly Pick<Allocation, 'frameworkId' | 'role' | 'agentId'>[];
}

interface Run {
  readonly state: SpecifiedState;
  readonly now: Instant;
  readonly allocations: Allocation[];
  /** Shared resources that were offered in this run, by agent. */
  readonly sharedGiven: Map<AgentId, Resources>;
}

/** Decides, and counts what was decided in the state. */
export function runSpecified(
  state: SpecifiedState,
  turns: Readonly<Record<Stage, Turns>>,
  now: Instant,
): readonly Allocation[] {
  const run: Run = { state, now, allocations: [], sharedGiven: new Map() };
  for (const stage of ['guarantees', 'everything'] as const) {
    const { agents, drawn } = turns[stage];
    for (const agent of agents) {
      if (!isOffered(state, agent)) continue;
      const first = drawn.filter(({ agentId }) => agentId === agent);
      const order = state.options.sorter === 'drf' ? orderOf(state) : drawnOrder(state, first);
      serve(run, agent, stage, order);
    }
  }
  return run.allocations;
}

function isOffered(state: SpecifiedState, id: AgentId): boolean {
  const { active, info } = agentOf(state, id);
  return active && (state.whitelist === undefined || state.whitelist.has(info.hostname));
}

type Order = ReturnType<typeof orderOf>;

/** All active clients: these first, the others in any order. */
function drawnOrder(
  state: SpecifiedState,
  first: readonly { readonly frameworkId: FrameworkId; readonly role: string }[],
): Order {
  const placeOf = ([id, role]: Order[number]): number => {
    const at = first.findIndex((other) => other.frameworkId === id && other.role === role);
    return at === -1 ? first.length : at;
  };
  return [...orderOf(state)].sort((left, right) => placeOf(left) - placeOf(right));
}

function serve(run: Run, agentId: AgentId, stage: Stage, order: Order): void {
  const { state, sharedGiven } = run;
  for (const [frameworkId, role] of order) {
    const given = sharedGiven.get(agentId) ?? Resources.empty;
    const available = freeOf(state, agentId).without(given);
    const offer = offerTo(run, { frameworkId, role, agentId, available, stage });
    if (offer === undefined) continue;
    const resources = offer.allocate(role);
    hold(state, { framework: frameworkId, agent: agentId, resources });
    sharedGiven.set(agentId, given.add(offer.filter(({ shared }) => shared !== undefined)));
    run.allocations.push({ frameworkId, role, agentId, resources });
  }
}

interface Turn {
  readonly frameworkId: FrameworkId;
  readonly role: string;
  readonly agentId: AgentId;
  readonly available: Resources;
  readonly stage: Stage;
}

/** What is offered for the role now; undefined when nothing is. */
function offerTo({ state, now }: Run, turn: Turn): Resources | undefined {
  const { frameworkId, role, agentId, available, stage } = turn;
  const framework = state.frameworks.get(frameworkId);
  if (framework === undefined || !isCapable(state, framework, role, agentId)) return undefined;
  const whole = available.filter((resource) => mayTake(framework, role, resource));
  const offer = chop(state, role, whole, stage);
  if (offer === undefined) return undefined;
  const minimum = framework.minAllocatable?.get(role) ?? state.options.minAllocatable;
  const reaches = minimum.some((quantities) =>
    [...quantities].every(([name, milli]) => offer.scalarMilli(name) >= milli),
  );
  if (offer.isEmpty() || (minimum.length > 0 && !reaches)) return undefined;
  const hidden = state.filters.some(
    (filter) =>
      filter.framework === frameworkId &&
      filter.role === role &&
      filter.agent === agentId &&
      now <= filter.until &&
      filter.refused.contains(offer),
  );
  return hidden ? undefined : offer;
}

function isCapable(
  state: SpecifiedState,
  { capabilities, agentFilters }: SpecifiedFramework,
  role: string,
  agentId: AgentId,
): boolean {
  const { options } = state;
  const agent = agentOf(state, agentId);
  const region = agent.info.domain?.fault_domain?.region.name ?? options.region;
  if (agentFilters?.get(role)?.(agent.info) === false) return false;
  if (capabilities.has('MULTI_ROLE') && !agent.capabilities.has('MULTI_ROLE')) return false;
  if (role.includes('/') && !agent.capabilities.has('HIERARCHICAL_ROLE')) return false;
  if (options.filterGpuResources && agent.total.gpus() > 0 && !capabilities.has('GPU_RESOURCES'))
    return false;
  return region === options.region || capabilities.has('REGION_AWARE');
}

/** Whether the resource may go to the role, and the framework understands it. */
function mayTake(
  { capabilities }: SpecifiedFramework,
  role: string,
  { reservations = [], revocable, shared }: Resource,
): boolean {
  const owner = reservations.at(-1)?.role;
  if (owner !== undefined && owner !== role && !isAncestorRole(owner, role)) return false;
  if (revocable !== undefined && !capabilities.has('REVOCABLE_RESOURCES')) return false;
  if (shared !== undefined && !capabilities.has('SHARED_RESOURCES')) return false;
  return reservations.length <= 1 || capabilities.has('RESERVATION_REFINEMENT');
}

/** What quota leaves of it; undefined when the stage has nothing for the role. */
function chop(
  state: SpecifiedState,
  role: string,
  whole: Resources,
  stage: Stage,
): Resources | undefined {
  const top = topLevelRole(role);
  const quota: Quota = state.quotas.get(top) ?? { guarantees: new Map(), limits: new Map() };
  const counted = whole.filterEntries(isChoppable);
  const others = whole.filterEntries((entry) => !isChoppable(entry));
  const surplus = (name: string, guaranteed: Resources): number => {
    const limit = quota.limits.get(name) ?? Number.POSITIVE_INFINITY;
    const room = limit - consumedOf(state, top, name) - guaranteed.scalarMilli(name);
    const required = requiredOf(state, name);
    return required > 0 ? Math.min(room, availableOf(state, name) - required) : room;
  };
  if (stage === 'everything')
    return others.add(shrunk(counted, (name) => surplus(name, Resources.empty)));
  const guaranteed = shrunk(
    counted,
    (name) => (quota.guarantees.get(name) ?? 0) - consumedOf(state, top, name),
  );
  if (guaranteed.isEmpty()) return undefined;
  const own = others.filter(
    ({ reservations = [] }) => (reservations.at(-1)?.role ?? role) === role,
  );
  const rest = counted.subtract(guaranteed);
  return own.add(guaranteed).add(shrunk(rest, (name) => surplus(name, guaranteed)));
}

/** The part of scalars that fits into the rooms of their names, piece by piece. */
function shrunk(resources: Resources, roomOf: (name: string) => number): Resources {
  const left = new Map<string, number>();
  let kept = Resources.empty;
  for (const piece of resources.toWire()) {
    const room = left.get(piece.name) ?? roomOf(piece.name);
    const milli = Resources.fromWire([piece]).scalarMilli(piece.name);
    const source = piece.disk?.source?.type;
    const whole = source === 'MOUNT' || source === 'BLOCK' || source === 'RAW';
    const taken = milli <= room ? milli : whole ? 0 : Math.max(0, room);
    left.set(piece.name, room - taken);
    if (taken > 0)
      kept = kept.add(Resources.fromWire([{ ...piece, scalar: { value: taken / 1000 } }]));
  }
  return kept;
}
