/**
 * What an agent has in all, when it says that it changed, or that it is not what the master believes.
 */

import { conversionOf, Resources, validateResources } from '@dcos/resources';
import type { agentProtocol } from '@dcos/wire';
import { count, note, type Context } from './context.ts';
import { rescindAgentOffers } from './offers.ts';
import type { Agent } from './state.ts';

/**
 * RESOURCES_CHANGED: the agent's own account of what it has wins, as at a registration, with what is on its way
 * to it. When its tasks use more than that, nothing of it is offered until enough of them have ended.
 */
export function onResourcesChanged(
  context: Context,
  agent: Agent,
  changed: agentProtocol.ResourcesChanged,
): void {
  count(context, 'master/messages_update_slave');
  const problem = validateResources(changed.total_resources ?? []);
  if (problem !== undefined) {
    note(context, 'warn', 'resources.refused', problem, { agentId: agent.id });
    return;
  }
  const total = afterPending(agent, Resources.fromWire(changed.total_resources));
  if (total.equals(agent.total)) return;
  // An estimate of what can be lent comes often, and leaves offers of what is there for certain alone.
  const isFirm = !total.nonRevocable().equals(agent.total.nonRevocable());
  rescindAgentOffers(context, agent, (offered) => isFirm || !offered.revocable().isEmpty());
  agent.total = total;
  context.allocator.updateAgent(agent.id, total);
}

/** What an agent will have that has this now: with the operations that it has not answered yet, in their order. */
function afterPending(agent: Agent, total: Resources): Resources {
  let expected = total;
  for (const { operation } of agent.operations.values()) {
    if (operation.latest_status.state !== 'OPERATION_PENDING') continue;
    const conversion = conversionOf(operation.info);
    if (!conversion.ok || !expected.contains(conversion.value.consumed)) continue;
    const { consumed, converted } = conversion.value;
    expected = expected.subtract(consumed).add(converted);
  }
  return expected;
}
