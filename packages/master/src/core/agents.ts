/**
 * Life of an agent: it registers over its connection, loses the connection, returns or is found
 * unreachable, says goodbye, or is declared gone by an operator.
 *
 * Invariants: an agent hears that it is registered only after the registry holds it; it is forgotten
 * only with a durable record; at most one connection speaks for an agent.
 */

import { agentId, assert, idProblem, type AgentId } from '@dcos/base';
import { Resources, validateResources } from '@dcos/resources';
import {
  AgentInfoType,
  toJsonText,
  type agentProtocol,
  type AgentInfo,
  type TaskState,
  type TaskStatus_Reason,
} from '@dcos/wire';
import { reconcileAgentTasks } from './agent-tasks.ts';
import {
  count,
  note,
  sendToAgent,
  sendToFramework,
  tellOperators,
  type Context,
} from './context.ts';
import type { ConnectionId, RegistryWrite } from './effects.ts';
import { ResourceLedger } from './ledger.ts';
import { rescindAgentOffers } from './offers.ts';
import { deleteRecord, keyProblem, putRecord, sizeProblem } from './registry.ts';
import { addBounded, type Agent, type RecoveredAgent, type TaskRecord } from './state.ts';
import { masterStatus } from './status.ts';
import { isTerminal, stateFor } from './task-state.ts';
import { applyUpdate, completeTask, detachTask, endTaskByMaster } from './tasks.ts';
import { agentMessage } from './view-v1.ts';

/** Version of the protocol between agents and masters that this master speaks. */
export const AGENT_PROTOCOL = 1;

const PING_TIMER = 'ping/';
export const REREGISTER_TIMER = 'reregister';

/** REGISTER: first or repeated, over a new connection or the same. */
export function onRegister(
  context: Context,
  connection: ConnectionId,
  register: agentProtocol.Register,
): void {
  const problem = registerProblem(context, connection, register);
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
    (register.tasks ?? [])
      .map(({ resources }) => validateResources(resources ?? []))
      .find(Boolean) ??
    (id === undefined ? undefined : (idProblem(id) ?? keyProblem(id))) ??
    sizeProblem(toJsonText(AgentInfoType, register.agent_info));
  if (problem !== undefined) return { message: problem, shutdown: false };
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
  for (const agent of state.agents.values()) {
    if (!sameAddress(agent, register)) continue;
    // Its port is taken by another process, so the old one is dead.
    count(context, 'master/slave_removals/reason_registered');
    removeAgent(context, agent, {
      state: 'TASK_GONE',
      reason: 'REASON_AGENT_REMOVED',
      message: 'A new agent registered at the same address',
      writes: [deleteRecord('agents', agent.id)],
    });
  }
  const id = agentId(`${context.masterId}-S${state.nextAgent++}`);
  count(context, 'master/slave_registrations');
  admit(context, connection, register, id, []);
}

function sameAddress(agent: Agent, register: agentProtocol.Register): boolean {
  const { port } = register.agent_info;
  return port !== undefined && port !== 0 && agent.ip === register.ip && agent.info.port === port;
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
  known.info = info;
  known.ip = register.ip;
  known.version = register.version;
  known.capabilities = register.capabilities ?? [];
  known.reregisteredAt = context.now;
  known.pingsMissed = 0;
  const total = Resources.fromWire(info.resources);
  if (!total.equals(known.total)) {
    known.total = total;
    rescindAgentOffers(context, known);
    context.allocator.updateAgent(id, total);
  }
  context.allocator.activateAgent(id);
  confirm(context, known);
  reconcileAgentTasks(context, known, register);
  tellOperators(context, { type: 'AGENT_ADDED', agent_added: { agent: agentMessage(known) } });
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
  const again = register.agent_info.id !== undefined;
  const agent: Agent = {
    id,
    info,
    ip: register.ip,
    version: register.version,
    capabilities: register.capabilities ?? [],
    total: Resources.fromWire(info.resources),
    connection: undefined,
    registeredAt: context.now,
    reregisteredAt: again ? context.now : undefined,
    pingsMissed: 0,
    tasks: new Map(),
    offers: new Map(),
    used: new ResourceLedger(),
    offered: new ResourceLedger(),
    kills: new Map(),
  };
  state.agents.set(id, agent);
  bind(context, agent, connection);
  if (
    recovered === undefined ||
    toJsonText(AgentInfoType, recovered.info) !== toJsonText(AgentInfoType, info)
  ) {
    context.emit({ kind: 'persist', writes: [...writes, putRecord({ kind: 'agent', id, info })] });
  }
  context.allocator.addAgent(
    id,
    { info, total: agent.total, capabilities: capabilityNames(agent), active: true },
    new Map(),
  );
  context.emit({
    kind: 'setTimer',
    timer: PING_TIMER + id,
    afterMs: context.options.pingIntervalMs,
  });
  confirm(context, agent);
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

/** The connection broke: nothing more is offered, tasks of frameworks that do not checkpoint are lost. */
export function onAgentClosed(context: Context, connection: ConnectionId): void {
  const { state } = context;
  const id = state.connections.get(connection);
  state.connections.delete(connection);
  const agent = id === undefined ? undefined : state.agents.get(id);
  if (agent === undefined || agent.connection !== connection) return;
  agent.connection = undefined;
  context.allocator.deactivateAgent(agent.id);
  rescindAgentOffers(context, agent);
  note(context, 'warn', 'agent.disconnected', 'connection to the agent lost', {
    agentId: agent.id,
  });
  for (const record of tasksOfAgent(agent)) {
    const framework = state.frameworks.get(record.frameworkId);
    if (framework === undefined || framework.info.checkpoint === true) continue;
    endTaskByMaster(context, framework, record, {
      state: 'TASK_LOST',
      message: 'Agent disconnected',
      reason: 'REASON_AGENT_DISCONNECTED',
    });
  }
}

function tasksOfAgent(agent: Agent): readonly TaskRecord[] {
  return [...agent.tasks.values()].flatMap((tasks) => [...tasks.values()]);
}

/** A pong, or any other sign of life. */
export function onPong(agent: Agent): void {
  agent.pingsMissed = 0;
}

/** Timers of agents: pings, and the end of patience with agents of the registry. */
export function onAgentTimer(context: Context, timer: string): boolean {
  if (timer === REREGISTER_TIMER) {
    for (const recovered of context.state.recoveredAgents.values())
      giveUpRecovered(context, recovered);
    return true;
  }
  if (!timer.startsWith(PING_TIMER)) return false;
  const agent = context.state.agents.get(agentId(timer.slice(PING_TIMER.length)));
  if (agent === undefined) return true;
  if (agent.pingsMissed >= context.options.pingsMissedMax) {
    markUnreachable(context, agent);
    return true;
  }
  agent.pingsMissed += 1;
  sendToAgent(context, agent, { type: 'PING' });
  context.emit({ kind: 'setTimer', timer, afterMs: context.options.pingIntervalMs });
  return true;
}

function giveUpRecovered(context: Context, recovered: RecoveredAgent): void {
  count(context, 'master/recovery_slave_removals');
  context.state.recoveredAgents.delete(recovered.id);
  rememberUnreachable(context, recovered.id, [deleteRecord('agents', recovered.id)]);
  tellLost(context, recovered.id);
}

function rememberUnreachable(
  context: Context,
  id: AgentId,
  writes: readonly RegistryWrite[],
): void {
  const { state, options, now } = context;
  const dropped = addBounded(state.unreachableAgents, id, now, options.removedAgentsMax);
  context.emit({
    kind: 'persist',
    writes: [
      ...writes,
      putRecord({ kind: 'unreachable', id, since: now }),
      ...dropped.map((old) => deleteRecord('unreachable', old)),
    ],
  });
}

function markUnreachable(context: Context, agent: Agent): void {
  const { state, now } = context;
  count(context, 'master/slave_unreachable_completed');
  count(context, 'master/slave_removals/reason_unhealthy');
  rememberUnreachable(context, agent.id, [deleteRecord('agents', agent.id)]);
  rescindAgentOffers(context, agent);
  for (const record of tasksOfAgent(agent)) {
    const framework = state.frameworks.get(record.frameworkId);
    if (framework === undefined) continue;
    if (isTerminal(record.task.state)) {
      completeTask(context, framework, record);
      continue;
    }
    const status = masterStatus(
      {
        taskId: record.taskId,
        agentId: agent.id,
        state: stateFor(framework.capabilities, 'TASK_UNREACHABLE'),
        message: `Agent ${agent.info.hostname} is unreachable`,
        reason: 'REASON_AGENT_REMOVED',
        unreachableSince: now,
      },
      now,
    );
    applyUpdate(context, framework, record, status, status.state);
    detachTask(context, framework, record);
    addBounded(
      framework.unreachableTasks,
      record.taskId,
      record,
      context.options.unreachableTasksPerFrameworkMax,
    );
    sendToFramework(context, framework, { type: 'UPDATE', update: { status } });
  }
  dropAgent(context, agent);
  note(context, 'warn', 'agent.unreachable', 'agent is unreachable', { agentId: agent.id });
}

export interface Removal {
  /** What becomes of its tasks. */
  readonly state: TaskState;
  readonly reason: TaskStatus_Reason;
  readonly message: string;
  readonly writes: readonly RegistryWrite[];
  /** Sent before the connection is closed. */
  readonly farewell?: agentProtocol.ToAgent;
}

/** Removes an agent for good; its tasks end with the given state. */
export function removeAgent(context: Context, agent: Agent, removal: Removal): void {
  const { state } = context;
  context.emit({ kind: 'persist', writes: removal.writes });
  if (removal.farewell !== undefined) sendToAgent(context, agent, removal.farewell);
  rescindAgentOffers(context, agent);
  for (const record of tasksOfAgent(agent)) {
    const framework = state.frameworks.get(record.frameworkId);
    if (framework === undefined) continue;
    if (isTerminal(record.task.state)) {
      completeTask(context, framework, record);
      continue;
    }
    endTaskByMaster(context, framework, record, {
      state: stateFor(framework.capabilities, removal.state),
      reason: removal.reason,
      message: removal.message,
    });
  }
  dropAgent(context, agent);
  note(context, 'info', 'agent.removed', removal.message, { agentId: agent.id });
}

function dropAgent(context: Context, agent: Agent): void {
  const { state } = context;
  count(context, 'master/slave_removals');
  context.emit({ kind: 'cancelTimer', timer: PING_TIMER + agent.id });
  context.allocator.removeAgent(agent.id);
  state.agents.delete(agent.id);
  if (agent.connection !== undefined) {
    state.connections.delete(agent.connection);
    context.emit({ kind: 'closeAgent', connection: agent.connection });
    agent.connection = undefined;
  }
  tellLost(context, agent.id);
}

function tellLost(context: Context, id: AgentId): void {
  for (const framework of context.state.frameworks.values()) {
    sendToFramework(context, framework, { type: 'FAILURE', failure: { agent_id: { value: id } } });
  }
  tellOperators(context, { type: 'AGENT_REMOVED', agent_removed: { agent_id: { value: id } } });
}

/** UNREGISTER: the agent says goodbye and has ended its tasks or given them up. */
export function onUnregister(context: Context, agent: Agent): void {
  count(context, 'master/messages_unregister_slave');
  count(context, 'master/slave_removals/reason_unregistered');
  removeAgent(context, agent, {
    state: 'TASK_GONE',
    reason: 'REASON_AGENT_REMOVED',
    message: 'Agent unregistered',
    writes: [deleteRecord('agents', agent.id)],
  });
}

/** MARK_AGENT_GONE. Returns false when no such agent was ever seen. */
export function markAgentGone(context: Context, id: AgentId): boolean {
  const { state, options, now } = context;
  if (state.goneAgents.has(id)) return true;
  const agent = state.agents.get(id);
  const known =
    agent !== undefined || state.recoveredAgents.has(id) || state.unreachableAgents.has(id);
  if (!known) return false;
  const dropped = addBounded(state.goneAgents, id, now, options.removedAgentsMax);
  const writes: readonly RegistryWrite[] = [
    deleteRecord('agents', id),
    deleteRecord('unreachable', id),
    putRecord({ kind: 'gone', id, since: now }),
    ...dropped.map((old) => deleteRecord('gone', old)),
  ];
  state.recoveredAgents.delete(id);
  state.unreachableAgents.delete(id);
  if (agent === undefined) {
    context.emit({ kind: 'persist', writes });
    tellLost(context, id);
    return true;
  }
  const message = 'Agent has been marked gone';
  removeAgent(context, agent, {
    state: 'TASK_GONE_BY_OPERATOR',
    reason: 'REASON_AGENT_REMOVED_BY_OPERATOR',
    message,
    writes,
    farewell: { type: 'SHUTDOWN', shutdown: { message } },
  });
  return true;
}
