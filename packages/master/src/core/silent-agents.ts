/**
 * Agents that do not answer: they are pinged, and marked unreachable when too many pings stay unanswered, or
 * when they did not come back after a failover. An operator may limit how fast that happens, so that a
 * network that fails does not empty the cluster.
 *
 * Invariants: an agent that gives a sign of life leaves the queue; two marks are at least the limit's period
 * apart, whatever happens in between.
 * Source: the original's observers of agents, `agent_removal_rate_limit`, `recovery_agent_removal_limit`.
 */

import { agentId, type AgentId } from '@dcos/base';
import { dropAgent, forgetPolicy, PING_TIMER, tasksOfAgent, tellLost } from './agents.ts';
import { count, note, sendToAgent, sendToFramework, type Context } from './context.ts';
import type { RegistryWrite } from './effects.ts';
import {
  affected,
  sawAgentUnreachable,
  sawFrameworksMissing,
  sawRecoveredAgent,
} from './incident-sightings.ts';
import { rescindAgentOffers } from './offers.ts';
import { endAgentOperations } from './operations.ts';
import { deleteRecord, putRecord } from './registry.ts';
import {
  addBounded,
  type Agent,
  type Framework,
  type RecoveredAgent,
  type TaskRecord,
} from './state.ts';
import { masterStatus } from './status.ts';
import { isTerminal, stateFor } from './task-state.ts';
import { applyUpdate, detachTask, forwardedState } from './tasks.ts';

/** Ends the patience with agents of the registry. */
export const REREGISTER_TIMER = 'reregister';
/** Marks the next agent of the queue. */
const REMOVAL_TIMER = 'agent-removal';

/** A pong, or any other sign of life. */
export function onSignOfLife(context: Context, agent: Agent): void {
  agent.pingsMissed = 0;
  cancelRemoval(context, agent.id);
}

/** The agent is there after all. */
export function cancelRemoval(context: Context, id: AgentId): void {
  const { removalQueue } = context.state;
  if (!removalQueue.delete(id)) return;
  count(context, 'master/slave_unreachable_canceled');
  note(context, 'info', 'removal.cancelled', 'the agent answers again', { agentId: id });
}

/** Timers of agents: pings, the end of patience with agents of the registry, the queue. */
export function onAgentTimer(context: Context, timer: string): boolean {
  const { state, options } = context;
  if (timer === REREGISTER_TIMER) {
    giveUpRecovered(context);
    return true;
  }
  if (timer === REMOVAL_TIMER) {
    removeNext(context);
    return true;
  }
  if (!timer.startsWith(PING_TIMER)) return false;
  const agent = state.agents.get(agentId(timer.slice(PING_TIMER.length)));
  if (agent === undefined) return true;
  if (agent.pingsMissed >= options.pingsMissedMax && !state.removalQueue.has(agent.id)) {
    scheduleRemoval(context, agent.id);
    if (!state.agents.has(agent.id)) return true;
  }
  agent.pingsMissed += 1;
  sendToAgent(context, agent, { type: 'PING' });
  context.emit({ kind: 'setTimer', timer, afterMs: options.pingIntervalMs });
  return true;
}

/** Agents of the registry that are not back are unreachable, unless so many are that something else is wrong. */
function giveUpRecovered(context: Context): void {
  const { state, options } = context;
  const missing = state.recoveredAgents.size;
  const share = missing / Math.max(1, state.agentsRecovered);
  if (share > options.recoveryAgentRemovalLimit) {
    const message =
      `${missing} of ${state.agentsRecovered} agents (${(share * 100).toFixed(2)}%) did not come ` +
      `back after the failover, more than the recovery_agent_removal_limit of ` +
      `${options.recoveryAgentRemovalLimit * 100}%`;
    context.emit({ kind: 'fail', message });
    return;
  }
  for (const id of state.recoveredAgents.keys()) scheduleRemoval(context, id);
  sawFrameworksMissing(context);
}

/** Marks an agent unreachable at once, or when its turn comes. */
function scheduleRemoval(context: Context, id: AgentId): void {
  const { removalQueue } = context.state;
  count(context, 'master/slave_unreachable_scheduled');
  removalQueue.add(id);
  if (removalQueue.size === 1) removeNext(context);
}

/** Marks those of the queue whose turn it is. */
function removeNext(context: Context): void {
  const { state, monotonicMs } = context;
  const { agentRemovalRate: rate } = context.options;
  for (const id of state.removalQueue) {
    if (rate !== undefined && monotonicMs < state.nextRemovalMs) {
      const afterMs = Math.ceil(state.nextRemovalMs - monotonicMs);
      context.emit({ kind: 'setTimer', timer: REMOVAL_TIMER, afterMs });
      return;
    }
    state.nextRemovalMs = monotonicMs + (rate === undefined ? 0 : rate.perMs / rate.agents);
    state.removalQueue.delete(id);
    markUnreachable(context, id);
  }
}

function markUnreachable(context: Context, id: AgentId): void {
  const { state } = context;
  count(context, 'master/slave_unreachable_completed');
  count(context, 'master/slave_removals/reason_unhealthy');
  const agent = state.agents.get(id);
  // First, so that no agent is unreachable without a report, whenever this master dies.
  reportUnreachable(context, agent ?? state.recoveredAgents.get(id));
  rememberUnreachable(context, id, [deleteRecord('agents', id)]);
  if (agent === undefined) {
    count(context, 'master/slave_removals');
    count(context, 'master/recovery_slave_removals');
    state.recoveredAgents.delete(id);
    state.agentsGivenUp += 1;
    sawRecoveredAgent(context);
    tellLost(context, id);
    return;
  }
  rescindAgentOffers(context, agent);
  for (const record of tasksOfAgent(agent)) {
    const framework = state.frameworks.get(record.frameworkId);
    if (framework !== undefined) markTaskUnreachable(context, framework, record);
  }
  endAgentOperations(context, agent, 'OPERATION_UNREACHABLE');
  dropAgent(context, agent);
  note(context, 'warn', 'agent.unreachable', 'agent is unreachable', { agentId: id });
}

function reportUnreachable(context: Context, agent: Agent | RecoveredAgent | undefined): void {
  if (agent === undefined) return;
  const records = 'tasks' in agent ? tasksOfAgent(agent) : [];
  sawAgentUnreachable(context, agent, affected(context, records, 'TASK_UNREACHABLE'));
}

function rememberUnreachable(
  context: Context,
  id: AgentId,
  writes: readonly RegistryWrite[],
): void {
  const { state, options, now } = context;
  const dropped = addBounded(state.unreachableAgents, id, now, options.removedAgentsMax);
  for (const old of dropped) state.unreachableFrameworks.delete(old);
  context.emit({
    kind: 'persist',
    writes: [
      ...writes,
      putRecord({ kind: 'unreachable', id, since: now }),
      ...dropped.flatMap((old) => [
        deleteRecord('unreachable', old),
        ...forgetPolicy(context, old),
      ]),
    ],
  });
}

/** A task that has ended stays as it is, until its agent is back with the update that is not acknowledged. */
function markTaskUnreachable(context: Context, framework: Framework, record: TaskRecord): void {
  const { now, options } = context;
  const wasEndSent = isTerminal(forwardedState(record));
  const status = masterStatus(
    {
      taskId: record.taskId,
      agentId: record.agentId,
      state: stateFor(framework.capabilities, 'TASK_UNREACHABLE'),
      message: 'The agent is unreachable',
      reason: 'REASON_AGENT_REMOVED',
      unreachableSince: now,
    },
    now,
  );
  if (!isTerminal(record.task.state)) applyUpdate(context, framework, record, status, status.state);
  detachTask(context, framework, record);
  addBounded(
    framework.unreachableTasks,
    record.taskId,
    record,
    options.unreachableTasksPerFrameworkMax,
  );
  const { unreachableFrameworks } = context.state;
  const frameworks = unreachableFrameworks.get(record.agentId) ?? new Set();
  unreachableFrameworks.set(record.agentId, frameworks.add(framework.id));
  if (!wasEndSent) sendToFramework(context, framework, { type: 'UPDATE', update: { status } });
}
