/**
 * REGISTER: an agent introduces itself over its connection, for the first time or again.
 *
 * Invariants: an agent hears that it is registered only after the registry holds it; at most one
 * connection speaks for an agent, and a connection for one agent.
 */

import { agentId, assert, idProblem, type AgentId } from '@dcos/base';
import { Resources, validateResources } from '@dcos/resources';
import {
  AgentInfoType,
  AttributeType,
  toJsonText,
  type agentProtocol,
  type AgentInfo,
} from '@dcos/wire';
import { reconcileAgentTasks } from './agent-tasks.ts';
import { tellToDrain } from './agent-policies.ts';
import { PING_TIMER, removeAgent } from './agents.ts';
import { count, note, sendToAgent, tellOperators, type Context } from './context.ts';
import type { ConnectionId, RegistryWrite } from './effects.ts';
import { domainProblem } from './domains.ts';
import { sawAgentAdmitted, sawAgentReconnected, sawRecoveredAgent } from './incident-sightings.ts';
import { ResourceLedger } from './ledger.ts';
import { machineOf } from './machines.ts';
import { rescindAgentOffers } from './offers.ts';
import { agentReturned } from './recovery.ts';
import { deleteRecord, keyProblem, putRecord, sizeProblem } from './registry.ts';
import { cancelRemoval, onSignOfLife } from './silent-agents.ts';
import type { Agent } from './state.ts';
import { agentMessage } from './view-v1.ts';

/** Version of the protocol between agents and masters that this master speaks. */
export const AGENT_PROTOCOL = 1;

/** REGISTER: first or repeated, over a new connection or the same. */
export function onRegister(
  context: Context,
  connection: ConnectionId,
  register: agentProtocol.Register,
  principal?: string,
): void {
  const problem =
    principalProblem(context, principal) ?? registerProblem(context, connection, register);
  if (problem !== undefined) {
    reject(context, connection, problem);
    return;
  }
  const given = register.agent_info.id?.value;
  count(
    context,
    given === undefined ? 'master/messages_register_slave' : 'master/messages_reregister_slave',
  );
  if (given === undefined) registerNew(context, connection, register);
  else registerAgain(context, connection, register, agentId(given));
}

interface Refusal {
  readonly message: string;
  /** The agent must not come back. */
  readonly shutdown: boolean;
}

/** The agent may come back: it, or the lists, may be given another principal. */
function principalProblem({ authorizer }: Context, principal?: string): Refusal | undefined {
  if (authorizer.allows({ action: 'REGISTER_AGENT', principal })) return undefined;
  const who = principal === undefined ? 'without a principal' : `as principal '${principal}'`;
  return { message: `Not authorized to register agents ${who}`, shutdown: false };
}

function registerProblem(
  context: Context,
  connection: ConnectionId,
  register: agentProtocol.Register,
): Refusal | undefined {
  if (register.protocol !== AGENT_PROTOCOL) {
    return {
      message: `this master speaks protocol ${AGENT_PROTOCOL}, not ${register.protocol}`,
      shutdown: false,
    };
  }
  const id = register.agent_info.id?.value;
  const problem =
    validateResources(register.agent_info.resources ?? []) ??
    validateResources(register.total_resources ?? []) ??
    (register.tasks ?? [])
      .map(({ resources }) => validateResources(resources ?? []))
      .find(Boolean) ??
    (id === undefined ? undefined : (idProblem(id) ?? keyProblem(id))) ??
    sizeProblem(toJsonText(AgentInfoType, register.agent_info));
  const refusal = problem ?? domainProblem(context.options, register.agent_info);
  if (refusal !== undefined) return { message: refusal, shutdown: false };
  const machine = machineOf(context.state, { info: register.agent_info, ip: register.ip });
  if (machine?.mode === 'DOWN') return { message: 'Machine is DOWN', shutdown: true };
  if (id === undefined) return undefined;
  const bound = context.state.connections.get(connection);
  if (bound !== undefined && bound !== id) {
    return { message: `this connection speaks for agent ${bound}`, shutdown: false };
  }
  if (context.state.goneAgents.has(agentId(id))) {
    return { message: 'Agent has been marked gone', shutdown: true };
  }
  const known = context.state.agents.get(agentId(id));
  if (known !== undefined && known.info.hostname !== register.agent_info.hostname) {
    return {
      message: `Agent ${id} is registered from host ${known.info.hostname}, not ${register.agent_info.hostname}`,
      shutdown: true,
    };
  }
  return undefined;
}

function reject(context: Context, connection: ConnectionId, refusal: Refusal): void {
  note(context, 'warn', 'agent.rejected', refusal.message);
  context.emit({ kind: 'sendToAgent', connection, frame: { type: 'REJECTED', rejected: refusal } });
  context.emit({ kind: 'closeAgent', connection });
}

function registerNew(
  context: Context,
  connection: ConnectionId,
  register: agentProtocol.Register,
): void {
  const { state } = context;
  const bound = state.connections.get(connection);
  const same = bound === undefined ? undefined : state.agents.get(bound);
  if (same !== undefined) {
    confirm(context, same);
    return;
  }
  const neighbours = state.addresses.at(register.ip, register.agent_info.port);
  if (neighbours.some((agent) => agent.connection !== undefined && agent.connection > connection)) {
    // A predecessor sent it before it died; whoever has connected since lives.
    note(context, 'warn', 'registration.stale', 'a registration came late, over an old connection');
    context.emit({ kind: 'closeAgent', connection });
    return;
  }
  for (const agent of neighbours) {
    // Its port is taken by another process, so the old one is dead.
    count(context, 'master/slave_removals/reason_registered');
    removeAgent(context, agent, {
      state: 'TASK_GONE',
      reason: 'REASON_AGENT_REMOVED',
      operationState: 'OPERATION_DROPPED',
      message: 'A new agent registered at the same address',
      writes: [deleteRecord('agents', agent.id)],
    });
  }
  const id = agentId(`${context.masterId}-S${state.nextAgent++}`);
  count(context, 'master/slave_registrations');
  admit(context, connection, register, id, []);
}

function registerAgain(
  context: Context,
  connection: ConnectionId,
  register: agentProtocol.Register,
  id: AgentId,
): void {
  const { state } = context;
  count(context, 'master/slave_reregistrations');
  const known = state.agents.get(id);
  if (known === undefined) {
    // From the registry, back from unreachable, or unknown to a registry that was lost: its word counts.
    const unreachable = state.unreachableAgents.delete(id);
    admit(context, connection, register, id, unreachable ? [deleteRecord('unreachable', id)] : []);
    return;
  }
  bind(context, known, connection);
  const info = infoOf(register, id);
  if (toJsonText(AgentInfoType, info) !== toJsonText(AgentInfoType, known.info)) {
    context.emit({ kind: 'persist', writes: [putRecord({ kind: 'agent', id, info })] });
  }
  const attributesChanged = attributesText(info) !== attributesText(known.info);
  state.addresses.remove(known);
  known.info = info;
  known.ip = register.ip;
  state.addresses.add(known);
  known.version = register.version;
  known.capabilities = register.capabilities ?? [];
  known.reregisteredAt = context.now;
  onSignOfLife(context, known);
  sawAgentReconnected(context, known);
  const total = totalOf(register);
  // Offers that show what the agent is no longer like must not be used.
  if (attributesChanged || !total.equals(known.total)) rescindAgentOffers(context, known);
  known.total = total;
  context.allocator.updateAgent(id, total, { info, capabilities: capabilityNames(known) });
  if (known.policy === undefined) context.allocator.activateAgent(id);
  confirm(context, known);
  tellToDrain(context, known);
  reconcileAgentTasks(context, known, register);
  tellOperators(context, { type: 'AGENT_ADDED', agent_added: { agent: agentMessage(known) } });
}

/** What the agent has now: its own account, with reservations and volumes, where it gives one. */
function totalOf({
  total_resources: total = [],
  agent_info: info,
}: agentProtocol.Register): Resources {
  return Resources.fromWire(total.length > 0 ? total : info.resources);
}

function attributesText({ attributes = [] }: AgentInfo): string {
  return attributes.map((attribute) => toJsonText(AttributeType, attribute)).join();
}

function infoOf(register: agentProtocol.Register, id: AgentId): AgentInfo {
  return { ...register.agent_info, id: { value: id } };
}

/** Adds an agent that is not registered now. */
function admit(
  context: Context,
  connection: ConnectionId,
  register: agentProtocol.Register,
  id: AgentId,
  writes: readonly RegistryWrite[],
): void {
  const { state } = context;
  const info = infoOf(register, id);
  const recovered = state.recoveredAgents.get(id);
  state.recoveredAgents.delete(id);
  cancelRemoval(context, id);
  const again = register.agent_info.id !== undefined;
  const agent: Agent = {
    id,
    info,
    ip: register.ip,
    version: register.version,
    capabilities: register.capabilities ?? [],
    total: totalOf(register),
    connection: undefined,
    registeredAt: context.now,
    reregisteredAt: again ? context.now : undefined,
    policy: state.policies.get(id),
    disconnectedAt: undefined,
    pingsMissed: 0,
    tasks: new Map(),
    offers: new Map(),
    executors: new Map(),
    inverseOffers: new Set(),
    operations: new Map(),
    used: new ResourceLedger(),
    offered: new ResourceLedger(),
    kills: new Map(),
  };
  state.agents.set(id, agent);
  state.addresses.add(agent);
  bind(context, agent, connection);
  if (
    recovered === undefined ||
    toJsonText(AgentInfoType, recovered.info) !== toJsonText(AgentInfoType, info)
  ) {
    context.emit({ kind: 'persist', writes: [...writes, putRecord({ kind: 'agent', id, info })] });
  }
  context.allocator.addAgent(
    id,
    {
      info,
      total: agent.total,
      capabilities: capabilityNames(agent),
      active: agent.policy === undefined,
    },
    new Map(),
  );
  context.emit({
    kind: 'setTimer',
    timer: PING_TIMER + id,
    afterMs: context.options.pingIntervalMs,
  });
  const unavailability = machineOf(state, agent)?.unavailability;
  if (unavailability !== undefined) context.allocator.updateUnavailability(id, unavailability);
  if (recovered !== undefined) {
    agentReturned(context);
    sawRecoveredAgent(context);
  }
  sawAgentAdmitted(context, agent);
  confirm(context, agent);
  tellToDrain(context, agent);
  // The agent comes first in the stream of events, since its tasks name it.
  tellOperators(context, { type: 'AGENT_ADDED', agent_added: { agent: agentMessage(agent) } });
  reconcileAgentTasks(context, agent, register);
  note(context, 'info', 'agent.registered', again ? 'agent registered again' : 'agent registered', {
    agentId: id,
  });
}

function capabilityNames(agent: Agent): ReadonlySet<string> {
  return new Set(agent.capabilities.map(({ type }) => type ?? 'UNKNOWN'));
}

function bind(context: Context, agent: Agent, connection: ConnectionId): void {
  const { connections } = context.state;
  const other = connections.get(connection);
  assert(other === undefined || other === agent.id, 'one connection speaks for one agent');
  if (agent.connection !== undefined && agent.connection !== connection) {
    connections.delete(agent.connection);
    context.emit({ kind: 'closeAgent', connection: agent.connection });
  }
  agent.connection = connection;
  connections.set(connection, agent.id);
}

function confirm(context: Context, agent: Agent): void {
  const { pingIntervalMs, pingsMissedMax } = context.options;
  sendToAgent(context, agent, {
    type: 'REGISTERED',
    registered: {
      agent_id: { value: agent.id },
      master_id: context.masterId,
      ping_interval_ms: pingIntervalMs,
      ping_timeout_ms: pingIntervalMs * pingsMissedMax,
    },
  });
}
