/** Reports for people who ask why a framework gets no offers. */

import { compareText, unreachable, type Instant } from '@dcos/base';
import { topLevelRole } from '@dcos/resources';
import type { AgentBook } from './agent-book.ts';
import type { Refusal } from './allocation-run.ts';
import { isActive, type Client, type ClientTree, type Role } from './clients.ts';
import type { OfferFilters } from './offer-filters.ts';
import type { QuotaBook } from './quota-book.ts';
import type { ScalarNames } from './scalar-vector.ts';
import type { FrameworkExplanation, RoleExplanation } from './types.ts';

interface ExplanationContext {
  readonly clients: ClientTree;
  readonly filters: OfferFilters<Client, AgentBook>;
  readonly names: ScalarNames;
  readonly quota: QuotaBook;
}

/** All roles by name, or the one. */
export function explainRoles(
  context: ExplanationContext,
  only: string | undefined,
): readonly RoleExplanation[] {
  context.clients.roleSorter.refresh();
  return [...context.clients.roles.values()]
    .filter(({ name }) => only === undefined || name === only)
    .sort((left, right) => compareText(left.name, right.name))
    .map((role) => explainRole(context, role));
}

function explainRole(context: ExplanationContext, role: Role): RoleExplanation {
  role.frameworks.refresh();
  // The leaf carries what frameworks of exactly this role have; its parent is the role with its subtree.
  const node = role.leaf.parent ?? role.leaf;
  return {
    role: role.name,
    weight: context.clients.roleSorter.weightOf(role.name),
    share: node.share,
    allocations: node.allocations,
    allocated: context.names.quantities(node.allocated),
    quota: context.quota.quotaOf(topLevelRole(role.name)),
    quotaConsumed: context.quota.consumedOf(topLevelRole(role.name)),
    frameworks: Array.from(role.clients, (client) => explainClient(context, client)),
  };
}

function explainClient(context: ExplanationContext, client: Client): FrameworkExplanation {
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

/** One refusal in words. */
export function refusalText(refusal: Refusal, now: Instant): string {
  switch (refusal.kind) {
    case 'agent-capability':
      return `the agent lacks the capability ${refusal.capability}`;
    case 'framework-capability':
      return `the framework lacks the capability ${refusal.capability}`;
    case 'nothing-allocatable':
      return 'what is free and may go to the role is less than the least offer';
    case 'quota':
      return 'the limits of the role, or what is held back for guarantees of others, leave too little';
    case 'constraints':
      return "the framework's offer constraints exclude the agent";
    case 'filtered':
      return `refused by the framework for another ${Math.ceil((refusal.until - now) / 1000)} s`;
    default:
      return unreachable(refusal);
  }
}
