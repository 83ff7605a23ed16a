/**
 * Agents as the JSON endpoints show them.
 */

import type { JsonObject, JsonValue } from '@dcos/base';
import { toEndpointResources, type Resources } from '@dcos/resources';
import { DomainInfoType, DrainInfoType, toJson } from '@dcos/wire';
import { agentPid } from '../core/names.ts';
import { lookOf, type AgentLook } from '../core/agent-look.ts';
import type { AgentPolicy, MasterState, RecoveredAgent } from '../core/state.ts';
import { cachedText, FragmentList, type Document } from './document.ts';
import { attributes, reservedByRole, summary } from './v0-resources.ts';

/** One agent as `/state` shows it. */
export const agentText = cachedText((shown: AgentLook) => JSON.stringify(agentObject(shown)));

/** The parts that every document shows. */
export function agentObject(agent: AgentLook): JsonObject {
  const { info } = agent;
  return {
    id: agent.id,
    hostname: info.hostname,
    port: info.port ?? 0,
    attributes: attributes(info.attributes),
    ...(info.domain !== undefined && { domain: toJson(DomainInfoType, info.domain) }),
    pid: agentPid(agent.ip, info.port),
    registered_time: agent.registeredAt / 1000,
    ...(agent.reregisteredAt !== undefined && { reregistered_time: agent.reregisteredAt / 1000 }),
    resources: summary(agent.total),
    used_resources: summary(agent.used),
    offered_resources: summary(agent.offered),
    reserved_resources: Object.fromEntries(
      Array.from(reservedByRole(agent.total), ([role, resources]) => [role, summary(resources)]),
    ),
    unreserved_resources: summary(agent.total.unreserved()),
    active: agent.connection !== undefined && agent.policy === undefined,
    deactivated: agent.policy !== undefined,
    version: agent.version,
    capabilities: agent.capabilities.map(({ type }) => type ?? 'UNKNOWN'),
    ...drainFields(agent.policy),
  };
}

function drainFields(policy: AgentPolicy | undefined): JsonObject {
  if (policy?.drain === undefined) return {};
  const { state, config, startedAt } = policy.drain;
  return {
    drain_info: toJson(DrainInfoType, { state, config }),
    estimated_drain_start_time_seconds: startedAt / 1000,
  };
}

function full(resources: Resources): JsonValue[] {
  return toEndpointResources(resources.toWire());
}

const detailedText = cachedText((agent: AgentLook) =>
  JSON.stringify({
    ...agentObject(agent),
    reserved_resources_full: Object.fromEntries(
      Array.from(reservedByRole(agent.total), ([role, resources]) => [role, full(resources)]),
    ),
    unreserved_resources_full: full(agent.total.unreserved()),
    used_resources_full: full(agent.used),
    offered_resources_full: full(agent.offered),
  }),
);

/** `/slaves`; with an id only that agent. */
export function agentsDocument(state: MasterState, id: string | undefined): Document {
  const agents = [...state.agents.values()].filter((agent) => id === undefined || agent.id === id);
  const recovered = [...state.recoveredAgents.values()].filter(
    (agent) => id === undefined || agent.id === id,
  );
  return {
    slaves: FragmentList.of(agents.map(lookOf), detailedText),
    recovered_slaves: recovered.map(recoveredAgentObject),
  };
}

/** An agent of the registry that has not come back yet. */
export function recoveredAgentObject({ id, info }: RecoveredAgent): JsonObject {
  return {
    id,
    hostname: info.hostname,
    port: info.port ?? 0,
    attributes: attributes(info.attributes),
    ...(info.domain !== undefined && { domain: toJson(DomainInfoType, info.domain) }),
  };
}
