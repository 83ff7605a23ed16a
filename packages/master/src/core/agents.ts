/**
 * Registered agents: one loses its connection, says goodbye, or is declared gone by an operator. Those that
 * fall silent are the matter of `silent-agents.ts`.
 *
 * Invariants: an agent is forgotten only with a durable record; what becomes of its tasks is told to their
 * frameworks.
 */

import type { AgentId } from '@dcos/base';
import type { agentProtocol, TaskState, TaskStatus_Reason } from '@dcos/wire';
import {
  count,
  note,
  sendToAgent,
  sendToFramework,
  tellOperators,
  type Context,
} from './context.ts';
import type { ConnectionId, RegistryWrite } from './effects.ts';
import { removeExecutors } from './executors.ts';
import {
  affected,
  sawAgentClosed,
  sawAgentGone,
  sawAgentRemoved,
  sawRecoveredAgent,
} from './incident-sightings.ts';
import { rescindInverseOffers } from './inverse-offers.ts';
import { rescindAgentOffers } from './offers.ts';
import { endAgentOperations } from './operations.ts';
import { deleteRecord, putRecord } from './registry.ts';
import { addBounded, type Agent, type TaskRecord } from './state.ts';
import { isTerminal, stateFor } from './task-state.ts';
import { endTaskByMaster } from './tasks.ts';

/** Timer of an agent's pings; the rest is its id. */
export const PING_TIMER = 'ping/';

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
  // One that has ended keeps its end: the agent says it again when it is back.
  const lost = tasksOfAgent(agent).filter(
    ({ frameworkId, task }) =>
      state.frameworks.get(frameworkId)?.info.checkpoint !== true && !isTerminal(task.state),
  );
  sawAgentClosed(context, agent, affected(context, lost, 'TASK_LOST'));
  for (const record of lost) {
    const framework = state.frameworks.get(record.frameworkId);
    if (framework === undefined) continue;
    endTaskByMaster(context, framework, record, {
      state: 'TASK_LOST',
      message: 'Agent disconnected',
      reason: 'REASON_AGENT_DISCONNECTED',
    });
  }
}

/** All tasks that an agent has. */
export function tasksOfAgent(agent: Agent): readonly TaskRecord[] {
  return [...agent.tasks.values()].flatMap((tasks) => [...tasks.values()]);
}

/** What operators decided about an agent ends with what is known of it. */
export function forgetPolicy({ state }: Context, id: AgentId): readonly RegistryWrite[] {
  state.drainingAgents.delete(id);
  return state.policies.delete(id) ? [deleteRecord('policies', id)] : [];
}

export interface Removal {
  /** What becomes of its tasks. */
  readonly state: TaskState;
  readonly reason: TaskStatus_Reason;
  /** What becomes of its operations. */
  readonly operationState: 'OPERATION_GONE_BY_OPERATOR' | 'OPERATION_DROPPED';
  readonly message: string;
  readonly writes: readonly RegistryWrite[];
  /** Sent before the connection is closed. */
  readonly farewell?: agentProtocol.ToAgent;
}

/** Removes an agent for good; its tasks end with the given state. */
export function removeAgent(context: Context, agent: Agent, removal: Removal): void {
  const { frameworks } = context.state;
  context.emit({
    kind: 'persist',
    writes: [...removal.writes, ...forgetPolicy(context, agent.id)],
  });
  if (removal.farewell !== undefined) sendToAgent(context, agent, removal.farewell);
  rescindAgentOffers(context, agent);
  sawAgentRemoved(context, agent, {
    reason: removal.message,
    tasks: affected(context, tasksOfAgent(agent), removal.state),
  });
  for (const record of tasksOfAgent(agent)) {
    const framework = frameworks.get(record.frameworkId);
    if (framework === undefined) continue;
    // The agent cannot say any more how a task ended that has; its framework hears it from us.
    const state = isTerminal(record.task.state)
      ? record.task.state
      : stateFor(framework.capabilities, removal.state);
    endTaskByMaster(context, framework, record, {
      state,
      reason: removal.reason,
      message: removal.message,
    });
  }
  endAgentOperations(context, agent, removal.operationState);
  dropAgent(context, agent);
  note(context, 'info', 'agent.removed', removal.message, { agentId: agent.id });
}

/** Forgets a registered agent; what becomes of its tasks was decided before. */
export function dropAgent(context: Context, agent: Agent): void {
  const { state } = context;
  count(context, 'master/slave_removals');
  context.emit({ kind: 'cancelTimer', timer: PING_TIMER + agent.id });
  removeExecutors(context, agent);
  rescindInverseOffers(context, agent);
  context.allocator.removeAgent(agent.id);
  state.agents.delete(agent.id);
  state.removalQueue.delete(agent.id);
  state.addresses.remove(agent);
  if (agent.connection !== undefined) {
    state.connections.delete(agent.connection);
    context.emit({ kind: 'closeAgent', connection: agent.connection });
    agent.connection = undefined;
  }
  tellLost(context, agent.id);
}

/** Tells frameworks and operators that an agent is gone. */
export function tellLost(context: Context, id: AgentId): void {
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
    operationState: 'OPERATION_DROPPED',
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
  if (state.recoveredAgents.delete(id)) {
    state.agentsGivenUp += 1;
    sawRecoveredAgent(context);
  }
  state.removalQueue.delete(id);
  state.unreachableAgents.delete(id);
  state.unreachableFrameworks.delete(id);
  if (agent === undefined) {
    context.emit({ kind: 'persist', writes: [...writes, ...forgetPolicy(context, id)] });
    sawAgentGone(context, id);
    tellLost(context, id);
    return true;
  }
  const message = 'Agent has been marked gone';
  removeAgent(context, agent, {
    state: 'TASK_GONE_BY_OPERATOR',
    reason: 'REASON_AGENT_REMOVED_BY_OPERATOR',
    operationState: 'OPERATION_GONE_BY_OPERATOR',
    message,
    writes,
    farewell: { type: 'SHUTDOWN', shutdown: { message } },
  });
  return true;
}
