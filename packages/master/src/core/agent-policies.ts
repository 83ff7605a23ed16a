/**
 * What operators decided about an agent: it is deactivated, or drained. A decision outlives the agent's
 * connection, its being unreachable, and the master; it ends with reactivation or when the agent is gone.
 *
 * Invariants: an agent with a policy is not offered; one that drains becomes DRAINED, or is marked gone,
 * as soon as it is registered and nothing of a framework is left on it.
 * Source: the original's draining, and its recorded texts.
 */

import { agentId, type AgentId } from '@dcos/base';
import type { DrainConfig, masterApi } from '@dcos/wire';
import { markAgentGone } from './agents.ts';
import { note, sendToAgent, type Context } from './context.ts';
import { rescindAgentOffers } from './offers.ts';
import { deleteRecord, putRecord } from './registry.ts';
import type { Agent, AgentPolicy } from './state.ts';

export interface PolicyRefusal {
  readonly status: 400 | 403;
  readonly text: string;
}

function isKnown({ state }: Context, id: AgentId): boolean {
  return state.agents.has(id) || state.recoveredAgents.has(id) || state.unreachableAgents.has(id);
}

function setPolicy(context: Context, id: AgentId, policy: AgentPolicy): void {
  const { state } = context;
  context.emit({ kind: 'persist', writes: [putRecord({ kind: 'policy', id, policy })] });
  state.policies.set(id, policy);
  if (policy.drain?.state === 'DRAINING') state.drainingAgents.add(id);
  else state.drainingAgents.delete(id);
  const agent = state.agents.get(id);
  if (agent === undefined) return;
  agent.policy = policy;
  context.allocator.deactivateAgent(id);
  rescindAgentOffers(context, agent);
}

/** DRAIN_AGENT: its tasks are killed, it takes no more; then it stays deactivated, or is gone. */
export function drainAgent(
  context: Context,
  call: masterApi.Call_DrainAgent,
  principal: string | undefined,
): PolicyRefusal | undefined {
  const id = agentId(call.agent_id.value);
  if (!context.authorizer.allows({ action: 'DRAIN_AGENT', principal }))
    return { status: 403, text: 'Not authorized to drain agents' };
  if (!isKnown(context, id)) return { status: 400, text: 'Unknown agent' };
  const agent = context.state.agents.get(id);
  if (agent !== undefined && !agent.capabilities.some(({ type }) => type === 'AGENT_DRAINING'))
    return { status: 400, text: `Agent ${id} is not capable of draining` };
  const seconds = call.max_grace_period?.seconds ?? 0;
  const nanos = call.max_grace_period?.nanos ?? 0;
  if (seconds < 0 || nanos < 0)
    return { status: 400, text: "'max_grace_period' must not be negative" };
  const config: DrainConfig = {
    ...(call.max_grace_period !== undefined && {
      max_grace_period: { nanoseconds: seconds * 1e9 + nanos },
    }),
    mark_gone: call.mark_gone ?? false,
  };
  setPolicy(context, id, { drain: { state: 'DRAINING', config, startedAt: context.now } });
  note(context, 'info', 'agent.draining', 'agent is being drained', { agentId: id });
  if (agent !== undefined) tellToDrain(context, agent);
  return undefined;
}

/** Tells an agent that drains so; also whenever it registers again. */
export function tellToDrain(context: Context, agent: Agent): void {
  const drain = context.state.policies.get(agent.id)?.drain;
  if (drain?.state !== 'DRAINING') return;
  sendToAgent(context, agent, { type: 'DRAIN', drain: { config: drain.config } });
}

/** DEACTIVATE_AGENT: nothing more is offered, tasks go on. */
export function deactivateAgent(
  context: Context,
  id: AgentId,
  principal: string | undefined,
): PolicyRefusal | undefined {
  if (!context.authorizer.allows({ action: 'DEACTIVATE_AGENT', principal }))
    return { status: 403, text: 'Not authorized to deactivate agents' };
  if (!isKnown(context, id)) return { status: 400, text: 'Unknown agent' };
  // One that drains or has drained is deactivated already, and must not lose that.
  if (!context.state.policies.has(id)) setPolicy(context, id, {});
  return undefined;
}

/** REACTIVATE_AGENT: the agent is offered again. Refused while it drains. */
export function reactivateAgent(
  context: Context,
  id: AgentId,
  principal: string | undefined,
): PolicyRefusal | undefined {
  const { state } = context;
  if (!context.authorizer.allows({ action: 'REACTIVATE_AGENT', principal }))
    return { status: 403, text: 'Not authorized to reactivate agents' };
  if (!isKnown(context, id)) return { status: 400, text: 'Unknown agent' };
  const policy = state.policies.get(id);
  if (policy === undefined) return { status: 400, text: 'Agent is not deactivated' };
  if (policy.drain?.state === 'DRAINING')
    return { status: 400, text: 'Agent is still in the DRAINING state' };
  context.emit({ kind: 'persist', writes: [deleteRecord('policies', id)] });
  state.policies.delete(id);
  const agent = state.agents.get(id);
  if (agent === undefined) return undefined;
  agent.policy = undefined;
  if (agent.connection !== undefined) context.allocator.activateAgent(id);
  return undefined;
}

/** Agents on which nothing is left have drained. Called after every event; there are few of them. */
export function finishDraining(context: Context): void {
  const { state } = context;
  for (const id of state.drainingAgents) {
    const agent = state.agents.get(id);
    const drain = state.policies.get(id)?.drain;
    if (agent?.connection === undefined || drain === undefined || !isEmpty(agent)) continue;
    note(context, 'info', 'agent.drained', 'agent has drained', { agentId: id });
    if (drain.config.mark_gone === true) markAgentGone(context, id);
    else setPolicy(context, id, { drain: { ...drain, state: 'DRAINED' } });
  }
}

function isEmpty({ tasks, executors, operations }: Agent): boolean {
  return tasks.size === 0 && executors.size === 0 && operations.size === 0;
}
