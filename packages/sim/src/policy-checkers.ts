/**
 * Invariants of what operators decide: agents that are deactivated, drained, down or gone, quota of roles,
 * and the roles that frameworks say they have.
 */

import { isTerminal } from '@dcos/agent/core';
import type { JsonValue } from '@dcos/base';
import type { Master } from '@dcos/master/core';
import type { Resources } from '@dcos/resources';
import type { Verdict } from './checkers.ts';
import { brokenPromise, type OperatorConsole } from './operator-console.ts';
import type { SimulatedAgent } from './simulated-agent.ts';

type State = Master['state'];

/** What operators were told is durable, and who was declared gone stays gone (invariant 7). */
export function checkPromises(
  { gone, promises }: OperatorConsole,
  registry: ReadonlyMap<string, JsonValue>,
  state: State | undefined,
): Verdict {
  for (const id of gone) {
    if (!registry.has(`master/gone/${encodeURIComponent(id)}`))
      return `operators were told that agent ${id} is gone, but the registry does not know`;
  }
  for (const id of state?.goneAgents.keys() ?? []) {
    if (state?.agents.has(id) || state?.recoveredAgents.has(id) || state?.unreachableAgents.has(id))
      return `agent ${id} is gone, and yet it is back`;
  }
  const broken = brokenPromise(promises, registry);
  return broken === undefined
    ? undefined
    : `operators were told otherwise of ${broken} than the registry says`;
}

/** Agents that operators deactivated are not offered, drained ones run nothing, those that are down are away. */
export function checkPolicies(state: State, hosts: readonly SimulatedAgent[]): Verdict {
  for (const [id, { drain }] of state.policies) {
    const agent = state.agents.get(id);
    if (agent === undefined) continue;
    if (agent.offers.size > 0) return `agent ${id} is deactivated and offered`;
    if (drain?.state !== 'DRAINED') continue;
    // One whose end was not acknowledged yet may come back with the agent; nothing else may.
    const task = [...agent.tasks.values()]
      .flatMap((tasks) => [...tasks.values()])
      .find((record) => !isTerminal(record.task.state));
    if (task !== undefined) return `agent ${id} has drained and has the task ${task.taskId}`;
    const host = hosts.find((known) => known.core()?.snapshot().agentId === id);
    const [running] = host?.runningTaskIds() ?? [];
    if (running !== undefined) return `agent ${id} has drained and runs ${running}`;
  }
  for (const { id, mode } of state.machines.values()) {
    if (mode !== 'DOWN') continue;
    for (const { info, ip, id: agent } of state.agents.values())
      if (info.hostname === id.hostname && ip === id.ip)
        return `agent ${agent} is registered, though its machine is down`;
  }
  for (const { frameworkId, agentId } of state.inverseOffers.values()) {
    if (!state.agents.has(agentId))
      return `an inverse offer is about ${agentId}, which is not there`;
    if (state.frameworks.get(frameworkId)?.streamId === undefined)
      return `an inverse offer went to ${frameworkId}, which has no stream`;
  }
  for (const { id, role, frameworkId } of state.offers.values()) {
    if (state.frameworks.get(frameworkId)?.roles.includes(role) !== true)
      return `the offer ${id} is for the role ${role}, which ${frameworkId} does not have`;
  }
  return undefined;
}

/**
 * Nothing is offered to a role beyond its limits, nor out of what the guarantees of others need. Only new offers count: tasks that come back with their
 * agents may exceed a limit that was set while they were away.
 */
export function createQuotaChecker(): (state: State) => Verdict {
  let known: ReadonlySet<string> = new Set();
  return (state) => {
    const before = known;
    known = new Set(state.offers.keys());
    const fresh = [...state.offers.values()].filter(({ id }) => !before.has(id));
    if (fresh.length === 0) return undefined;
    const broken = brokenGuarantee(state, fresh);
    if (broken !== undefined) return broken;
    for (const [role, { limits = {} }] of state.quotas) {
      const newest = fresh.filter((offer) => isWithin(offer.role, role));
      for (const [name, { value }] of Object.entries(limits)) {
        if (!newest.some(({ resources }) => sumOf(resources, name, isUnreserved) > 0)) continue;
        const milli = consumption(state, role, name);
        if (milli > Math.round(value * 1000))
          return `role ${role} was offered more ${name} than its limit of ${value}: ${milli / 1000} in all`;
      }
    }
    return undefined;
  };
}

/** Who has no guarantee gets nothing of what those who have one still need. */
function brokenGuarantee(
  state: State,
  fresh: readonly Pick<OfferRecord, 'role' | 'resources'>[],
): Verdict {
  const guaranteed = [...state.quotas].filter(
    ([, { guarantees }]) => (guarantees?.['cpus']?.value ?? 0) > 0,
  );
  if (guaranteed.length === 0) return undefined;
  const other = fresh.find(
    ({ role, resources }) =>
      !guaranteed.some(([top]) => isWithin(role, top)) &&
      sumOf(resources, 'cpus', isUnreserved) > 0,
  );
  if (other === undefined) return undefined;
  let needed = 0;
  for (const [role, { guarantees }] of guaranteed) {
    const milli = Math.round((guarantees?.['cpus']?.value ?? 0) * 1000);
    needed += Math.max(0, milli - consumption(state, role, 'cpus'));
  }
  let free = 0;
  for (const { total, used, offered } of state.agents.values()) {
    const taken = used.total().add(offered.total()).unallocate();
    free += sumOf(total.without(taken), 'cpus', isUnreserved);
  }
  return needed > free
    ? `role ${other.role} was offered cpus, and of the ${needed / 1000} that guarantees need there are ${free / 1000}`
    : undefined;
}

type OfferRecord = State['offers'] extends ReadonlyMap<string, infer Value> ? Value : never;

/** Reserved for the subtree, and what of the rest its frameworks use or are offered; thousandths. */
function consumption(state: State, role: string, name: string): number {
  const isReserved = ({ reservedTo }: Nature): boolean =>
    reservedTo !== undefined && isWithin(reservedTo, role);
  const isTaken = (nature: Nature): boolean =>
    isUnreserved(nature) && isWithin(nature.allocatedTo ?? '*', role);
  let sum = 0;
  for (const agent of state.agents.values()) {
    sum += sumOf(agent.total, name, isReserved);
    sum += sumOf(agent.used.total().add(agent.offered.total()), name, isTaken);
  }
  return sum;
}

function sumOf(resources: Resources, name: string, counts: (nature: Nature) => boolean): number {
  return resources.filterEntries(({ nature }) => counts(nature)).scalarMilli(name);
}

/** What is reserved for a role is its own already, whatever the limit. */
function isUnreserved({ reservedTo }: Nature): boolean {
  return reservedTo === undefined;
}

interface Nature {
  readonly reservedTo?: string | undefined;
  readonly allocatedTo?: string | undefined;
}

function isWithin(role: string, top: string): boolean {
  return role === top || role.startsWith(`${top}/`);
}
