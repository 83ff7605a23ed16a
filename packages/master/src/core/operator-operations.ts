/**
 * Operators who reserve, unreserve, and create, destroy and resize volumes on an agent: with resources
 * that nobody uses. What is merely offered is taken back for it.
 * Source: the original's checks and recorded texts; the answers are 202, 400, 403 and 409.
 */

import { agentId } from '@dcos/base';
import { conversionOf, type Resources } from '@dcos/resources';
import type { AgentID, masterApi, Offer_Operation } from '@dcos/wire';
import type { Context } from './context.ts';
import type { RequestId } from './effects.ts';
import { agentPid } from './names.ts';
import {
  capabilityProblem,
  existingVolumeProblem,
  principalProblem,
  usedVolumeProblem,
} from './offered-operations.ts';
import { removeOffer } from './offers.ts';
import { operationForbidden } from './operation-authorization.ts';
import { sendOperation } from './operations.ts';
import type { Agent } from './state.ts';

interface Asked {
  readonly agent: AgentID;
  readonly operation: Offer_Operation;
}

/** The operation that a call asks for; undefined for calls of other kinds. */
function askedBy(call: masterApi.Call): Asked | undefined {
  const { reserve_resources: reserve, unreserve_resources: unreserve } = call;
  const { create_volumes: create, destroy_volumes: destroy } = call;
  const { grow_volume: grow, shrink_volume: shrink } = call;
  if (call.type === 'RESERVE_RESOURCES' && reserve !== undefined) {
    const { agent_id: agent, ...parts } = reserve;
    return { agent, operation: { type: 'RESERVE', reserve: parts } };
  }
  if (call.type === 'UNRESERVE_RESOURCES' && unreserve !== undefined) {
    const { agent_id: agent, ...parts } = unreserve;
    return { agent, operation: { type: 'UNRESERVE', unreserve: parts } };
  }
  if (call.type === 'CREATE_VOLUMES' && create !== undefined) {
    const { agent_id: agent, ...parts } = create;
    return { agent, operation: { type: 'CREATE', create: parts } };
  }
  if (call.type === 'DESTROY_VOLUMES' && destroy !== undefined) {
    const { agent_id: agent, ...parts } = destroy;
    return { agent, operation: { type: 'DESTROY', destroy: parts } };
  }
  if (call.type === 'GROW_VOLUME' && grow?.agent_id !== undefined) {
    const { agent_id: agent, ...parts } = grow;
    return { agent, operation: { type: 'GROW_VOLUME', grow_volume: parts } };
  }
  if (call.type === 'SHRINK_VOLUME' && shrink?.agent_id !== undefined) {
    const { agent_id: agent, ...parts } = shrink;
    return { agent, operation: { type: 'SHRINK_VOLUME', shrink_volume: parts } };
  }
  return undefined;
}

/** Performs such a call and answers it; returns false for calls of other kinds. */
export function onOperatorOperation(
  context: Context,
  request: RequestId,
  call: masterApi.Call,
  principal: string | undefined,
): boolean {
  const asked = askedBy(call);
  if (asked === undefined) return false;
  const { status, text } = perform(context, asked, principal);
  context.emit({ kind: 'reply', request, status, ...(text !== undefined && { text }) });
  return true;
}

interface Verdict {
  readonly status: number;
  readonly text?: string;
}

function perform(context: Context, asked: Asked, principal: string | undefined): Verdict {
  const { operation } = asked;
  const agent = context.state.agents.get(agentId(asked.agent.value));
  if (agent === undefined) return { status: 400, text: 'No agent found with specified ID' };
  if (agent.connection === undefined)
    return { status: 409, text: `Agent ${agent.id} is not connected` };
  const conversion = conversionOf(operation);
  const problem =
    capabilityProblem(agent, operation) ??
    (conversion.ok ? undefined : conversion.error) ??
    reserverProblem(principal, operation) ??
    existingVolumeProblem(agent, operation, principal) ??
    usedVolumeProblem(agent, operation);
  if (problem !== undefined || !conversion.ok) {
    const place = `agent ${agent.id} at ${agentPid(agent.ip, agent.info.port)} (${agent.info.hostname})`;
    const type = operation.type ?? 'UNKNOWN';
    return { status: 400, text: `Invalid ${type} operation on ${place}: ${problem ?? ''}` };
  }
  const forbidden = operationForbidden(context.authorizer, principal, operation);
  if (forbidden !== undefined) return { status: 403, text: forbidden };
  const { consumed, converted } = conversion.value;
  if (!convert(context, agent, consumed, converted)) {
    return { status: 409, text: 'The agent does not have these resources, or somebody uses them' };
  }
  agent.total = agent.total.subtract(consumed).add(converted);
  sendOperation(context, agent, operation, undefined);
  return { status: 202 };
}

function reserverProblem(
  principal: string | undefined,
  { reserve }: Offer_Operation,
): string | undefined {
  for (const resource of reserve?.resources ?? []) {
    const problem = principalProblem(principal, resource);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Takes offers back, oldest first, until what is needed is free; not one when that would not do. */
function convert(
  context: Context,
  agent: Agent,
  consumed: Resources,
  converted: Resources,
): boolean {
  const { allocator } = context;
  if (allocator.convertFree(agent.id, consumed, converted)) return true;
  const unused = agent.total.without(agent.used.total().unallocate());
  if (!unused.contains(consumed)) return false;
  const wanted = new Set(consumed.entries.map(({ nature }) => nature.ownKey));
  for (const record of agent.offers.values()) {
    if (!record.resources.entries.some(({ nature }) => wanted.has(nature.ownKey))) continue;
    removeOffer(context, record, { rescind: true });
    if (allocator.convertFree(agent.id, consumed, converted)) return true;
  }
  return false;
}
