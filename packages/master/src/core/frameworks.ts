/**
 * Frameworks between subscriptions: one is added (new, or recovered from registry or agents), loses its
 * stream, and is removed by TEARDOWN or when it does not return within its failover time-out.
 *
 * Invariants: a framework without a stream is not offered anything; the id of a removed framework is never
 * used again; a recovered framework has its failover timer running.
 */

import { frameworkId, type FrameworkId } from '@dcos/base';
import type { FrameworkInfo } from '@dcos/wire';
import { note, sendToAgent, sendToFramework, tellOperators, type Context } from './context.ts';
import type { StreamId } from './effects.ts';
import { capabilitiesOf, minAllocatableOf, rolesOf } from './framework-validation.ts';
import { ResourceLedger } from './ledger.ts';
import { removeExecutors } from './executors.ts';
import { affected, sawFrameworkClosed, sawFrameworkRemoved } from './incident-sightings.ts';
import { dropInverseOffers } from './inverse-offers.ts';
import { removeOffer } from './offers.ts';
import { orphanOperations } from './operations.ts';
import { deleteRecord, putRecord } from './registry.ts';
import { addBounded, type Agent, type CompletedFramework, type Framework } from './state.ts';
import { masterStatus } from './status.ts';
import { isTerminal } from './task-state.ts';
import { applyUpdate, completeTask } from './tasks.ts';
import { frameworkMessage } from './view-v1.ts';

/** Timers of frameworks; the rest is an id. */
export const FAILOVER_TIMER = 'failover/';

export const HEARTBEAT_TIMER = 'heartbeat/';

/**
 * Adds a framework that is not known yet: inactive, and for a recovered one with the failover timer
 * running, so that one that never returns does not keep its resources for ever.
 */
export function addFramework(
  context: Context,
  id: FrameworkId,
  info: FrameworkInfo,
  how: { readonly recovered: boolean },
): Framework {
  const framework: Framework = {
    id,
    info: { ...info, id: { value: id } },
    roles: rolesOf(info),
    suppressedRoles: new Set(),
    capabilities: capabilitiesOf(info),
    offerConstraints: undefined,
    streamId: undefined,
    disconnectedAt: how.recovered ? context.now : undefined,
    active: false,
    recovered: how.recovered,
    registeredAt: context.now,
    reregisteredAt: undefined,
    tasks: new Map(),
    unreachableTasks: new Map(),
    completedTasks: new Map(),
    offers: new Map(),
    executors: new Set(),
    operations: new Map(),
    used: new ResourceLedger(),
    offered: new ResourceLedger(),
    counters: new Map(),
  };
  context.state.frameworks.set(id, framework);
  const { roles, capabilities } = framework;
  const minAllocatable = minAllocatableOf(info);
  context.allocator.addFramework(
    id,
    { roles, suppressedRoles: [], capabilities, minAllocatable, active: false },
    new Map(),
  );
  if (how.recovered) {
    startFailoverTimer(context, framework, context.options.recoveredFrameworkWaitMs);
    const message = frameworkMessage(framework);
    tellOperators(context, { type: 'FRAMEWORK_ADDED', framework_added: { framework: message } });
  }
  return framework;
}

/** Writes a framework to the registry. */
export function persistFramework(context: Context, framework: Framework): void {
  const { id, info, registeredAt } = framework;
  context.emit({
    kind: 'persist',
    writes: [putRecord({ kind: 'framework', id, info, registeredAt })],
  });
}

function startFailoverTimer(context: Context, framework: Framework, waitMsMin = 0): void {
  const afterMs = Math.max(waitMsMin, (framework.info.failover_timeout ?? 0) * 1000);
  context.emit({ kind: 'setTimer', timer: FAILOVER_TIMER + framework.id, afterMs });
}

/** Takes the stream from a framework; the shell closes the connection. */
export function dropStream(context: Context, framework: Framework): void {
  const { streamId } = framework;
  if (streamId === undefined) return;
  framework.streamId = undefined;
  dropInverseOffers(context, framework);
  context.state.streams.delete(streamId);
  context.emit({ kind: 'cancelTimer', timer: HEARTBEAT_TIMER + streamId });
  context.emit({ kind: 'closeStream', streamId });
}

/** The client of a stream went away: tasks go on, offers are withdrawn, the failover time-out runs. */
export function onStreamClosed(context: Context, streamId: StreamId): void {
  const id = context.state.streams.get(streamId);
  const framework = id === undefined ? undefined : context.state.frameworks.get(id);
  if (framework === undefined) return;
  dropStream(context, framework);
  framework.active = false;
  context.allocator.deactivateFramework(framework.id);
  for (const offer of framework.offers.values()) removeOffer(context, offer, { rescind: false });
  startFailoverTimer(context, framework);
  sawFrameworkClosed(context, framework);
  tellOperators(context, {
    type: 'FRAMEWORK_UPDATED',
    framework_updated: { framework: frameworkMessage(framework) },
  });
  note(context, 'info', 'framework.disconnected', 'framework disconnected', {
    frameworkId: framework.id,
  });
}

/** Timers of frameworks. */
export function onFrameworkTimer(context: Context, timer: string): boolean {
  if (timer.startsWith(HEARTBEAT_TIMER)) {
    const id = context.state.streams.get(timer.slice(HEARTBEAT_TIMER.length));
    const framework = id === undefined ? undefined : context.state.frameworks.get(id);
    if (framework !== undefined && sendToFramework(context, framework, { type: 'HEARTBEAT' })) {
      context.emit({ kind: 'setTimer', timer, afterMs: context.options.heartbeatIntervalMs });
    }
    return true;
  }
  if (!timer.startsWith(FAILOVER_TIMER)) return false;
  const framework = context.state.frameworks.get(frameworkId(timer.slice(FAILOVER_TIMER.length)));
  if (framework !== undefined && framework.streamId === undefined) {
    note(
      context,
      'warn',
      'framework.timed-out',
      'framework did not return within its failover time-out',
      {
        frameworkId: framework.id,
      },
    );
    removeFramework(context, framework, { timedOut: true });
  }
  return true;
}

/** The agents that have tasks or executors of a framework. */
export function agentsOf(context: Context, framework: Framework): ReadonlySet<Agent> {
  const agents = new Set<Agent>();
  for (const records of [framework.tasks.values(), framework.executors]) {
    for (const { agentId } of records) {
      const agent = context.state.agents.get(agentId);
      if (agent !== undefined) agents.add(agent);
    }
  }
  return agents;
}

/** Removes a framework for good: tasks are killed, its id is never used again. */
export function removeFramework(
  context: Context,
  framework: Framework,
  { timedOut }: { readonly timedOut: boolean } = { timedOut: false },
): void {
  const { state, allocator } = context;
  const { id } = framework;
  for (const offer of framework.offers.values()) removeOffer(context, offer, { rescind: false });
  const completedAt = context.now;
  const { info, registeredAt } = framework;
  context.emit({
    kind: 'persist',
    writes: [putRecord({ kind: 'framework', id, info, registeredAt, completedAt })],
  });
  const tasks = affected(context, framework.tasks.values(), 'TASK_KILLED');
  sawFrameworkRemoved(context, framework, { timedOut, tasks });
  const concerned = agentsOf(context, framework);
  // As the original: an agent may still have files of it, or an executor that the master does not know.
  for (const agent of state.agents.values()) {
    sendToAgent(context, agent, {
      type: 'SHUTDOWN_FRAMEWORK',
      shutdown_framework: { framework_id: { value: id } },
    });
  }
  for (const record of framework.tasks.values()) {
    if (!isTerminal(record.task.state)) {
      const status = masterStatus(
        {
          taskId: record.taskId,
          agentId: record.agentId,
          state: 'TASK_KILLED',
          message: `Framework ${id} removed`,
          reason: 'REASON_FRAMEWORK_REMOVED',
        },
        context.now,
      );
      applyUpdate(context, framework, record, status, status.state);
    }
    completeTask(context, framework, record);
  }
  for (const agent of concerned) {
    agent.kills.delete(id);
    removeExecutors(context, agent, id);
  }
  orphanOperations(context, id);
  context.emit({ kind: 'cancelTimer', timer: FAILOVER_TIMER + id });
  dropStream(context, framework);
  allocator.removeFramework(id);
  state.declines.forget(id);
  state.frameworks.delete(id);
  keepCompleted(context, { ...framework, unregisteredAt: completedAt });
  tellOperators(context, {
    type: 'FRAMEWORK_REMOVED',
    framework_removed: { framework_info: info },
  });
  note(context, 'info', 'framework.removed', 'framework removed', { frameworkId: id });
}

/** Remembers a removed framework; the oldest is forgotten, in the registry too, when there are too many. */
export function keepCompleted(context: Context, completed: CompletedFramework): void {
  const { completedFrameworks } = context.state;
  const {
    id,
    info,
    capabilities,
    roles,
    registeredAt,
    reregisteredAt,
    unregisteredAt,
    completedTasks,
  } = completed;
  const kept = {
    id,
    info,
    capabilities,
    roles,
    registeredAt,
    reregisteredAt,
    unregisteredAt,
    completedTasks,
  };
  const dropped = addBounded(completedFrameworks, id, kept, context.options.completedFrameworksMax);
  if (dropped.length > 0) {
    context.emit({
      kind: 'persist',
      writes: dropped.map((old) => deleteRecord('frameworks', old)),
    });
  }
}
