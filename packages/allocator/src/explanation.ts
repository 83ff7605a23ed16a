/** Reports for people who ask why a framework gets no offers. */

import { compareText, unreachable, type Instant } from '@dcos/base';
import { milliOf, Resources, topLevelRole } from '@dcos/resources';
import type { AgentBook } from './agent-book.ts';
import { offerable, type Refusal } from './allocation-run.ts';
import { isActive, type Client, type Framework } from './clients.ts';
import type { Ledger } from './ledger.ts';
import type { FrameworkExplanation, Quantities, RoleExplanation } from './types.ts';

/**
 * All roles by name, or the one: those that somebody has subscribed to or has something for, that have a
 * quota, or for which something is reserved.
 */
export function explainRoles(ledger: Ledger, only: string | undefined): readonly RoleExplanation[] {
  const { agents, clients, quota } = ledger;
  clients.roleSorter.refresh();
  const reserved = reservations(agents.values());
  const known = new Set([...clients.roles.keys(), ...quota.quotas().keys(), ...reserved.keys()]);
  const names = only === undefined ? [...known].sort(compareText) : known.has(only) ? [only] : [];
  return names.map((name) => explainRole(ledger, name, reserved.get(name) ?? new Map()));
}

/** What agents have reserved for each role, used or not. */
function reservations(agents: Iterable<AgentBook>): ReadonlyMap<string, Quantities> {
  const byRole = new Map<string, Map<string, number>>();
  for (const { total } of agents) {
    for (const entry of total.entries) {
      const { kind, name, reservedTo } = entry.nature;
      if (kind !== 'scalar' || reservedTo === undefined) continue;
      const sums = byRole.get(reservedTo) ?? new Map<string, number>();
      byRole.set(reservedTo, sums);
      sums.set(name, (sums.get(name) ?? 0) + milliOf(entry));
    }
  }
  return byRole;
}

function explainRole(
  { clients, filters, names, quota }: Ledger,
  name: string,
  reserved: Quantities,
): RoleExplanation {
  const role = clients.roles.get(name);
  role?.frameworks.refresh();
  // The role with its subtree; exactly its own frameworks are a leaf below it.
  const node = clients.roleSorter.find(name);
  return {
    role: name,
    weight: clients.roleSorter.weightOf(name),
    share: node?.share ?? 0,
    allocations: node?.allocations ?? 0,
    allocated: node === undefined ? new Map() : names.quantities(node.allocated),
    reserved,
    quota: quota.quotaOf(topLevelRole(name)),
    quotaConsumed: quota.consumedOf(topLevelRole(name)),
    frameworks: Array.from(role?.clients ?? [], (client) =>
      explainClient({ filters, names }, client),
    ),
  };
}

function explainClient(
  context: Pick<Ledger, 'filters' | 'names'>,
  client: Client,
): FrameworkExplanation {
  return {
    id: client.framework.id,
    active: isActive(client),
    suppressed: client.suppressed,
    share: client.leaf.share,
    allocations: client.leaf.allocations,
    filters: context.filters.countOf(client),
    allocated: context.names.quantities(client.leaf.allocated),
  };
}

/** What speaks against offering the agent to the framework, in one role or in all; nothing when it would be. */
export function explainAgent(
  context: Parameters<typeof offerable>[0] & { readonly paused: boolean },
  framework: Framework,
  agent: AgentBook,
  { now, role }: { readonly now: Instant; readonly role: string | undefined },
): readonly string[] {
  const reasons: string[] = [];
  if (!framework.active) reasons.push('the framework is not connected or not active');
  if (!agent.active) reasons.push('the agent is not connected or deactivated');
  if (!agent.listed) reasons.push('the agent is not on the whitelist');
  if (context.paused)
    reasons.push('nothing is offered until enough agents are back after the failover');
  if (agent.free.isEmpty()) {
    reasons.push('everything on the agent is offered or used');
    return reasons;
  }
  for (const client of framework.clients.values()) {
    const { name } = client.role;
    if (role !== undefined && name !== role) continue;
    if (client.suppressed) reasons.push(`role ${name}: suppressed by the framework`);
    const offer = offerable(context, client, agent, agent.free);
    if (offer instanceof Resources) continue;
    const text =
      offer.kind === 'quota'
        ? context.quota?.bindingText(client.role, agent.free)
        : refusalText(offer, now);
    reasons.push(`role ${name}: ${text ?? ''}`);
  }
  return reasons;
}

/** One refusal in words. */
function refusalText(refusal: Exclude<Refusal, { readonly kind: 'quota' }>, now: Instant): string {
  switch (refusal.kind) {
    case 'agent-capability':
      return `the agent lacks the capability ${refusal.capability}`;
    case 'framework-capability':
      return `the framework lacks the capability ${refusal.capability}`;
    case 'nothing-allocatable':
      return 'what is free and may go to the role is less than the least offer';
    case 'constraints':
      return "the framework's offer constraints exclude the agent";
    case 'filtered':
      return `refused by the framework for another ${durationText(refusal.until - now)}`;
    default:
      return unreachable(refusal);
  }
}

/** Coarser the longer it is, so that reasons can be counted together. */
function durationText(ms: number): string {
  for (const [unit, unitMs, most] of UNITS)
    if (ms <= most * unitMs) return `${Math.ceil(ms / unitMs)} ${unit}`;
  return 'some days';
}

/** The unit, how long it is, and up to how many of it are told. */
const UNITS = [
  ['s', 1000, 60],
  ['min', 60_000, 60],
  ['h', 3_600_000, 48],
] as const;
