/**
 * What an agent has in all, when it says that it changed.
 */

import { Resources, validateResources } from '@dcos/resources';
import type { agentProtocol } from '@dcos/wire';
import { count, note, type Context } from './context.ts';
import { rescindAgentOffers } from './offers.ts';
import type { Agent } from './state.ts';

/**
 * RESOURCES_CHANGED: the agent's own account of what it has wins, unless what is used would not fit: then
 * the books would not add up, and what is true comes with the next registration.
 */
export function onResourcesChanged(
  context: Context,
  agent: Agent,
  changed: agentProtocol.ResourcesChanged,
): void {
  count(context, 'master/messages_update_slave');
  const problem =
    validateResources(changed.total_resources ?? []) ??
    usedBeyond(agent, Resources.fromWire(changed.total_resources));
  if (problem !== undefined) {
    note(context, 'warn', 'resources.refused', problem, { agentId: agent.id });
    return;
  }
  const total = Resources.fromWire(changed.total_resources);
  if (total.equals(agent.total)) return;
  rescindAgentOffers(context, agent);
  agent.total = total;
  context.allocator.updateAgent(agent.id, total);
}

/** Why a total cannot be that of the agent: its tasks use more. Shared resources are used many times over. */
function usedBeyond(agent: Agent, total: Resources): string | undefined {
  const used = agent.used.total().unallocate();
  return total.contains(used.filter(({ shared }) => shared === undefined))
    ? undefined
    : 'The resources in use exceed the total';
}
