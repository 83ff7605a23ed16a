/**
 * Why a role or a framework has no offer: where the roles stand with each other, who holds what, and for
 * each framework what speaks against each agent, the same reasons counted together. Beyond the original,
 * which keeps this to its log.
 */

import type { Allocator, FrameworkExplanation, Quantities, RoleExplanation } from '@dcos/allocator';
import { frameworkId, type FrameworkId } from '@dcos/base';
import { fromMilli } from '@dcos/resources';
import type { MasterState } from '../core/state.ts';
import type { Document } from './document.ts';

/** Agents that are looked at for one framework; the rest is not, and the answer says so. */
const AGENTS_EXAMINED_MAX = 1_000;
/** Frameworks whose agents are looked at in one answer; the others show where they stand only. */
const FRAMEWORKS_EXAMINED_MAX = 20;

export interface ExplainContext {
  readonly state: MasterState;
  readonly allocator: Allocator;
  /** By the clock that refusals are measured by. */
  readonly monotonicMs: number;
}

/** One role; undefined when nobody has subscribed to it, holds or reserved something for it, or set a quota. */
export function explainRole(context: ExplainContext, role: string): Document | undefined {
  const [explanation] = context.allocator.explain(role);
  if (explanation === undefined) return undefined;
  return {
    ...standing(explanation),
    frameworks: explanation.frameworks.map((framework, index) => ({
      ...frameworkStanding(context, framework),
      ...(index < FRAMEWORKS_EXAMINED_MAX && verdict(context, framework.id, role)),
    })),
  };
}

/** One framework in all its roles; undefined when there is no such framework. */
export function explainFramework(context: ExplainContext, id: string): Document | undefined {
  const framework = context.state.frameworks.get(frameworkId(id));
  if (framework === undefined) return undefined;
  return {
    id,
    name: framework.info.name,
    connected: framework.streamId !== undefined,
    active: framework.active,
    outstanding_offers: framework.offers.size,
    roles: framework.roles.map((role) => {
      const [explanation] = context.allocator.explain(role);
      const own = explanation?.frameworks.find((other) => other.id === framework.id);
      return {
        ...(explanation === undefined ? { role } : standing(explanation)),
        ...(own !== undefined && { framework: frameworkStanding(context, own) }),
        ...verdict(context, framework.id, role),
      };
    }),
  };
}

/** All roles and where they stand. */
export function explainRoles({ allocator, state }: ExplainContext): Document {
  return {
    agents: state.agents.size,
    frameworks: state.frameworks.size,
    roles: allocator
      .explain()
      .map((role) => ({ ...standing(role), frameworks: role.frameworks.map(({ id }) => id) })),
  };
}

function standing(role: RoleExplanation): { readonly [key: string]: Document | undefined } {
  return {
    role: role.role,
    weight: role.weight,
    share: role.share,
    allocations: role.allocations,
    allocated: amounts(role.allocated),
    reserved: amounts(role.reserved),
    ...(role.quota !== undefined && {
      quota: {
        guarantees: amounts(role.quota.guarantees),
        limits: amounts(role.quota.limits),
        consumed: amounts(role.quotaConsumed),
      },
    }),
  };
}

function frameworkStanding(
  { state }: ExplainContext,
  framework: FrameworkExplanation,
): { readonly [key: string]: Document | undefined } {
  const known = state.frameworks.get(framework.id);
  return {
    id: framework.id,
    ...(known !== undefined && {
      name: known.info.name,
      connected: known.streamId !== undefined,
      outstanding_offers: known.offers.size,
    }),
    active: framework.active,
    suppressed: framework.suppressed,
    share: framework.share,
    allocations: framework.allocations,
    allocated: amounts(framework.allocated),
    agents_refused: framework.filters,
  };
}

/** What speaks against the agents, most frequent first, each with one agent as an example. */
function verdict(
  { state, allocator, monotonicMs }: ExplainContext,
  framework: FrameworkId,
  role: string,
): { readonly [key: string]: Document | undefined } {
  const reasons = new Map<string, { agents: number; readonly example: string }>();
  let eligible = 0;
  const agents = [...state.agents.keys()].slice(0, AGENTS_EXAMINED_MAX);
  const examined = allocator.explainAgents(framework, agents, monotonicMs, role);
  for (const [agent, against] of examined) {
    if (against.length === 0) eligible += 1;
    for (const reason of against) {
      const known = reasons.get(reason);
      if (known === undefined) reasons.set(reason, { agents: 1, example: agent });
      else known.agents += 1;
    }
  }
  return {
    agents_examined: examined.size,
    agents_total: state.agents.size,
    agents_that_would_be_offered: eligible,
    reasons: [...reasons]
      .sort(([, left], [, right]) => right.agents - left.agents)
      .map(([reason, { agents, example }]) => ({ reason, agents, example_agent_id: example })),
  };
}

function amounts(quantities: Quantities): { readonly [name: string]: number } {
  return Object.fromEntries(Array.from(quantities, ([name, milli]) => [name, fromMilli(milli)]));
}
