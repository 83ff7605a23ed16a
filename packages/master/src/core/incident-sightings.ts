/**
 * Where the master meets a failure, it says so here; what makes an incident of it, and when that is over, is decided in
 * this file alone.
 *
 * Not incidents: what an operator or a framework asked for (drained agents, TEARDOWN), but for agents that were removed
 * with their tasks; absences that are shorter than `incidentMinMs` and cost no task; the first master of a cluster.
 */

import type { Instant } from '@dcos/base';
import type { TaskState } from '@dcos/wire';
import type { Context } from './context.ts';
import { endIncident, openIncident, sight, type AffectedTask } from './incidents.ts';
import type { Agent, Framework, TaskRecord } from './state.ts';
import { isTerminal, stateFor } from './task-state.ts';

/** Why somebody is missing after a failover of the master. */
const NOT_BACK = 'it did not come back to a new master';

/** Those of some tasks that have not ended: an incident gives them a state, in the words of their framework. */
export function affected(
  { state }: Context,
  records: Iterable<TaskRecord>,
  becomes: TaskState,
): readonly AffectedTask[] {
  return [...records]
    .filter(({ task }) => !isTerminal(task.state))
    .map(({ taskId, frameworkId, agentId }) => {
      const capabilities = state.frameworks.get(frameworkId)?.capabilities;
      return {
        taskId,
        frameworkId,
        agentId,
        state: capabilities === undefined ? becomes : stateFor(capabilities, becomes),
      };
    });
}

const subjectOf = ({ id, info }: Pick<Agent, 'id' | 'info'>): { id: string; name: string } => ({
  id,
  name: info.hostname,
});

const frameworkOf = ({ id, info }: Framework): { id: string; name: string } => ({
  id,
  name: info.name,
});

/** A master begins; with a registry that is not empty it follows another one. */
export function sawElection(context: Context, followsAnother: boolean): void {
  const { masterId, options, state } = context;
  // What a predecessor was in the middle of ends with it.
  for (const { kind, subject, endedAt } of state.incidents.all.values())
    if (kind === 'MASTER_ELECTED' && endedAt === undefined)
      endIncident(context, kind, subject.id, { outcome: 'REMOVED' });
  if (!followsAnother) return;
  const expected = state.recoveredAgents.size;
  sight(context, {
    kind: 'MASTER_ELECTED',
    subject: { id: masterId, name: options.masterInfo.hostname ?? '' },
    reason: 'another master led before',
    agents: { expected, returned: 0 },
    ...(expected === 0 && { outcome: 'DONE' }),
  });
}

/** An agent of the registry came back, or is given up; with the last of them a failover of the master is over. */
export function sawRecoveredAgent(context: Context): void {
  const { masterId, state } = context;
  if (state.recoveredAgents.size > 0) return;
  const open = openIncident(context, 'MASTER_ELECTED', masterId);
  if (open?.agents === undefined) return;
  const { expected } = open.agents;
  sight(context, {
    kind: 'MASTER_ELECTED',
    subject: open.subject,
    reason: open.reason,
    agents: { expected, returned: expected - state.agentsGivenUp },
    outcome: 'DONE',
  });
}

/** The connection of an agent broke; these tasks were lost with it at once. */
export function sawAgentClosed(
  context: Context,
  agent: Agent,
  tasks: readonly AffectedTask[],
): void {
  agent.disconnectedAt = context.now;
  if (tasks.length > 0)
    sight(context, {
      kind: 'AGENT_LOST',
      subject: subjectOf(agent),
      reason: 'its connection broke',
      tasks,
    });
}

/** An agent that the master had not given up is connected again. */
export function sawAgentReconnected(context: Context, agent: Agent): void {
  const { disconnectedAt: since } = agent;
  agent.disconnectedAt = undefined;
  if (endIncident(context, 'AGENT_LOST', agent.id, { outcome: 'RETURNED' })) return;
  if (since === undefined || context.now - since < context.options.incidentMinMs) return;
  sight(context, {
    kind: 'AGENT_LOST',
    subject: subjectOf(agent),
    startedAt: since,
    reason: 'its connection broke',
    outcome: 'RETURNED',
  });
}

/** An agent is unreachable: it answers no pings, or did not come back to a new master. */
export function sawAgentUnreachable(
  context: Context,
  agent: Pick<Agent, 'id' | 'info'> & Partial<Pick<Agent, 'disconnectedAt' | 'pingsMissed'>>,
  tasks: readonly AffectedTask[],
): void {
  const { disconnectedAt, pingsMissed } = agent;
  const { pingIntervalMs } = context.options;
  const seen: { readonly startedAt: Instant; readonly reason: string } =
    pingsMissed === undefined
      ? { startedAt: context.state.startedAt, reason: NOT_BACK }
      : disconnectedAt === undefined
        ? {
            startedAt: context.now - pingsMissed * pingIntervalMs,
            reason: `it did not answer ${pingsMissed} ping${pingsMissed === 1 ? '' : 's'}`,
          }
        : { startedAt: disconnectedAt, reason: 'its connection broke' };
  sight(context, { kind: 'AGENT_LOST', subject: subjectOf(agent), tasks, ...seen });
}

/** An agent that was unreachable, or not even known any more, is there. */
export function sawAgentAdmitted(context: Context, agent: Agent): void {
  endIncident(context, 'AGENT_LOST', agent.id, { outcome: 'RETURNED' });
}

/** An agent is removed for good: by an operator, by itself, or by another one at its address. */
export function sawAgentRemoved(
  context: Context,
  agent: Agent,
  removal: { readonly reason: string; readonly tasks: readonly AffectedTask[] },
): void {
  const { reason, tasks } = removal;
  if (endIncident(context, 'AGENT_LOST', agent.id, { outcome: 'REMOVED', tasks })) return;
  if (tasks.length > 0)
    sight(context, {
      kind: 'AGENT_REMOVED',
      subject: subjectOf(agent),
      reason,
      tasks,
      outcome: 'DONE',
    });
}

/** An agent that is not registered was given up by an operator, or is forgotten since it was away for so long. */
export function sawAgentGone(context: Context, id: string): void {
  endIncident(context, 'AGENT_LOST', id, { outcome: 'REMOVED' });
}

/** The stream of a framework broke. Its tasks run on, so with tasks it is worth a report at once. */
export function sawFrameworkClosed(context: Context, framework: Framework): void {
  framework.disconnectedAt = context.now;
  if (framework.tasks.size > 0)
    sight(context, {
      kind: 'FRAMEWORK_LOST',
      subject: frameworkOf(framework),
      reason: 'its connection broke',
    });
}

/** A framework subscribes again, in place of an instance that is connected or after an absence. */
export function sawFrameworkBack(context: Context, framework: Framework): void {
  const { disconnectedAt: since } = framework;
  const subject = frameworkOf(framework);
  framework.disconnectedAt = undefined;
  if (framework.streamId !== undefined) {
    const reason = 'it subscribed anew while an older connection was open';
    sight(context, { kind: 'FRAMEWORK_REPLACED', subject, reason, outcome: 'DONE' });
    return;
  }
  if (endIncident(context, 'FRAMEWORK_LOST', framework.id, { outcome: 'RETURNED' })) return;
  // One that the registry knew came back to a new master: that is the master's incident.
  if (framework.recovered || since === undefined) return;
  if (context.now - since < context.options.incidentMinMs) return;
  sight(context, {
    kind: 'FRAMEWORK_LOST',
    subject,
    startedAt: since,
    reason: 'its connection broke',
    outcome: 'RETURNED',
  });
}

/** The patience with agents after a failover is over: by now frameworks should be back as well. */
export function sawFrameworksMissing(context: Context): void {
  for (const framework of context.state.frameworks.values()) {
    if (!framework.recovered || framework.streamId !== undefined) continue;
    if (openIncident(context, 'FRAMEWORK_LOST', framework.id) !== undefined) continue;
    sight(context, {
      kind: 'FRAMEWORK_LOST',
      subject: frameworkOf(framework),
      startedAt: context.state.startedAt,
      reason: NOT_BACK,
    });
  }
}

/** A framework is removed: it did not come back in time (`timedOut`), or was torn down. */
export function sawFrameworkRemoved(
  context: Context,
  framework: Framework,
  removal: { readonly timedOut: boolean; readonly tasks: readonly AffectedTask[] },
): void {
  const { timedOut, tasks } = removal;
  const end = { outcome: 'REMOVED', tasks } as const;
  if (endIncident(context, 'FRAMEWORK_LOST', framework.id, end) || !timedOut) return;
  const startedAt = framework.disconnectedAt ?? context.state.startedAt;
  if (tasks.length === 0 && context.now - startedAt < context.options.incidentMinMs) return;
  sight(context, {
    kind: 'FRAMEWORK_LOST',
    subject: frameworkOf(framework),
    startedAt,
    reason: framework.recovered ? NOT_BACK : 'its connection broke',
    ...end,
  });
}
