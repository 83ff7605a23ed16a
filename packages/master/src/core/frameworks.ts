/**
 * Life of a framework: it subscribes (first, again, or in place of an older instance of itself), loses
 * its stream, returns within its failover time-out or is removed, and is removed by TEARDOWN.
 *
 * Invariants: at most one stream per framework; a framework without a stream is not offered anything;
 * the id of a removed framework is never used again; the registry knows an id before the framework does.
 */

import { frameworkId, randomUuid, type FrameworkId } from '@dcos/base';
import { FrameworkInfoType, toJsonText, type FrameworkInfo, type scheduler } from '@dcos/wire';
import {
  count,
  note,
  sendToAgent,
  sendToFramework,
  tellOperators,
  type Context,
} from './context.ts';
import type { RequestId, StreamId } from './effects.ts';
import {
  capabilitiesOf,
  frameworkProblem,
  minAllocatableOf,
  rolesOf,
  updateProblem,
} from './framework-validation.ts';
import { ResourceLedger } from './ledger.ts';
import { removeOffer } from './offers.ts';
import { deleteRecord, putRecord } from './registry.ts';
import { addBounded, type CompletedFramework, type Framework } from './state.ts';
import { masterStatus } from './status.ts';
import { isTerminal } from './task-state.ts';
import { applyUpdate, completeTask, resendUnacknowledged } from './tasks.ts';
import { frameworkMessage } from './view-v1.ts';

const FAILOVER_TIMER = 'failover/';
const HEARTBEAT_TIMER = 'heartbeat/';

/** SUBSCRIBE: the stream opens before the framework is looked at, so problems arrive on it. */
export function onSubscribe(
  context: Context,
  request: RequestId,
  subscribe: scheduler.Call_Subscribe,
): void {
  const streamId = randomUuid(context.random);
  context.emit({ kind: 'openStream', request, streamId });
  const suppressed = subscribe.suppressed_roles ?? [];
  const id = subscribe.framework_info.id?.value ?? '';
  const known = context.state.frameworks.get(frameworkId(id));
  const problem =
    frameworkProblem(subscribe.framework_info, suppressed) ??
    subscriptionProblem(context, subscribe.framework_info, known);
  if (problem !== undefined) {
    context.emit({
      kind: 'sendToFramework',
      streamId,
      event: { type: 'ERROR', error: { message: problem } },
    });
    context.emit({ kind: 'closeStream', streamId });
    return;
  }
  if (known === undefined) {
    count(context, 'master/messages_register_framework');
    const newId = id === '' ? nextFrameworkId(context) : frameworkId(id);
    const framework = addFramework(context, newId, subscribe.framework_info, { recovered: false });
    applySubscription(context, framework, subscribe);
    persistFramework(context, framework);
    connect(context, framework, streamId, { added: true });
  } else {
    count(context, 'master/messages_reregister_framework');
    resubscribe(context, known, subscribe, streamId);
  }
}

function subscriptionProblem(
  context: Context,
  info: FrameworkInfo,
  known: Framework | undefined,
): string | undefined {
  const { state, options } = context;
  const id = frameworkId(info.id?.value ?? '');
  if (state.completedFrameworks.has(id)) return 'Framework has been removed';
  if (known === undefined) {
    return state.frameworks.size >= options.frameworksMax
      ? `There are ${state.frameworks.size} frameworks already, no more are allowed`
      : undefined;
  }
  // A recovered framework is known from what agents or the registry hold; the newest word counts then.
  if (!known.recovered && (known.info.principal ?? '') !== (info.principal ?? '')) {
    return (
      `Updating 'FrameworkInfo.principal' is unsupported; attempted to update from ` +
      `'${known.info.principal ?? ''}' to '${info.principal ?? ''}'`
    );
  }
  return undefined;
}

function nextFrameworkId(context: Context): FrameworkId {
  return frameworkId(
    `${context.masterId}-${String(context.state.nextFramework++).padStart(4, '0')}`,
  );
}

function resubscribe(
  context: Context,
  framework: Framework,
  subscribe: scheduler.Call_Subscribe,
  streamId: StreamId,
): void {
  if (framework.streamId !== undefined) {
    sendToFramework(context, framework, {
      type: 'ERROR',
      error: { message: 'Framework failed over' },
    });
    dropStream(context, framework);
  }
  // The new instance has never seen these offers; the original does not rescind them either.
  for (const offer of framework.offers.values()) removeOffer(context, offer, { rescind: false });
  context.emit({ kind: 'cancelTimer', timer: FAILOVER_TIMER + framework.id });
  const before = toJsonText(FrameworkInfoType, framework.info);
  const kept = framework.recovered
    ? {}
    : { user: framework.info.user, checkpoint: framework.info.checkpoint ?? false };
  const info = { ...subscribe.framework_info, ...kept };
  applySubscription(context, framework, { ...subscribe, framework_info: info });
  if (toJsonText(FrameworkInfoType, framework.info) !== before) {
    persistFramework(context, framework);
    tellAgentsOfFramework(context, framework);
  }
  framework.reregisteredAt = context.now;
  connect(context, framework, streamId, { added: false });
}

/** Takes over roles, suppression and description of a subscription. */
function applySubscription(
  context: Context,
  framework: Framework,
  subscribe: scheduler.Call_Subscribe,
): void {
  framework.info = { ...subscribe.framework_info, id: { value: framework.id } };
  framework.roles = rolesOf(framework.info);
  framework.capabilities = capabilitiesOf(framework.info);
  framework.suppressedRoles = new Set(subscribe.suppressed_roles ?? []);
  framework.offerConstraints = subscribe.offer_constraints;
  context.allocator.updateFramework(framework.id, {
    roles: framework.roles,
    suppressedRoles: [...framework.suppressedRoles],
    capabilities: framework.capabilities,
    minAllocatable: minAllocatableOf(framework.info),
  });
}

function connect(
  context: Context,
  framework: Framework,
  streamId: StreamId,
  how: { readonly added: boolean },
): void {
  const { masterInfo, heartbeatIntervalMs } = context.options;
  framework.streamId = streamId;
  framework.recovered = false;
  framework.active = true;
  context.state.streams.set(streamId, framework.id);
  context.allocator.activateFramework(framework.id);
  sendToFramework(context, framework, {
    type: 'SUBSCRIBED',
    subscribed: {
      framework_id: { value: framework.id },
      heartbeat_interval_seconds: heartbeatIntervalMs / 1000,
      master_info: masterInfo,
    },
  });
  sendToFramework(context, framework, { type: 'HEARTBEAT' });
  context.emit({
    kind: 'setTimer',
    timer: HEARTBEAT_TIMER + streamId,
    afterMs: heartbeatIntervalMs,
  });
  const message = frameworkMessage(framework);
  tellOperators(
    context,
    how.added
      ? { type: 'FRAMEWORK_ADDED', framework_added: { framework: message } }
      : { type: 'FRAMEWORK_UPDATED', framework_updated: { framework: message } },
  );
  note(context, 'info', 'framework.subscribed', 'framework subscribed', {
    frameworkId: framework.id,
  });
  resendUnacknowledged(context, framework);
}

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
    active: false,
    recovered: how.recovered,
    registeredAt: context.now,
    reregisteredAt: undefined,
    tasks: new Map(),
    unreachableTasks: new Map(),
    completedTasks: new Map(),
    offers: new Map(),
    used: new ResourceLedger(),
    offered: new ResourceLedger(),
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
    startFailoverTimer(context, framework);
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

function startFailoverTimer(context: Context, framework: Framework): void {
  const afterMs = Math.max(0, (framework.info.failover_timeout ?? 0) * 1000);
  context.emit({ kind: 'setTimer', timer: FAILOVER_TIMER + framework.id, afterMs });
}

/** Takes the stream from a framework; the shell closes the connection. */
function dropStream(context: Context, framework: Framework): void {
  const { streamId } = framework;
  if (streamId === undefined) return;
  framework.streamId = undefined;
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
    removeFramework(context, framework);
  }
  return true;
}

/** Removes a framework for good: tasks are killed, its id is never used again. */
export function removeFramework(context: Context, framework: Framework): void {
  const { state, allocator } = context;
  const { id } = framework;
  for (const offer of framework.offers.values()) removeOffer(context, offer, { rescind: false });
  const completedAt = context.now;
  const { info, registeredAt } = framework;
  context.emit({
    kind: 'persist',
    writes: [putRecord({ kind: 'framework', id, info, registeredAt, completedAt })],
  });
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
  for (const agent of state.agents.values()) agent.kills.delete(id);
  context.emit({ kind: 'cancelTimer', timer: FAILOVER_TIMER + id });
  dropStream(context, framework);
  allocator.removeFramework(id);
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

/** UPDATE_FRAMEWORK: all or nothing; answered when it is durable. */
export function onUpdateFramework(
  context: Context,
  request: RequestId,
  framework: Framework,
  update: scheduler.Call_UpdateFramework,
): void {
  const suppressed = update.suppressed_roles ?? [];
  const problem =
    frameworkProblem(update.framework_info, suppressed) ??
    updateProblem(framework.info, update.framework_info);
  if (problem !== undefined) {
    context.emit({
      kind: 'reply',
      request,
      status: 400,
      text: `FrameworkInfo update is not valid: ${problem}`,
    });
    return;
  }
  applySubscription(context, framework, update);
  const { roles } = framework;
  for (const offer of framework.offers.values()) {
    if (!roles.includes(offer.role)) removeOffer(context, offer, { rescind: true });
  }
  persistFramework(context, framework);
  tellAgentsOfFramework(context, framework);
  tellOperators(context, {
    type: 'FRAMEWORK_UPDATED',
    framework_updated: { framework: frameworkMessage(framework) },
  });
  context.emit({ kind: 'reply', request, status: 200 });
}

function tellAgentsOfFramework(context: Context, framework: Framework): void {
  for (const agent of context.state.agents.values()) {
    if (!agent.tasks.has(framework.id)) continue;
    sendToAgent(context, agent, {
      type: 'UPDATE_FRAMEWORK',
      update_framework: { framework_info: framework.info },
    });
  }
}

/** REVIVE and SUPPRESS: roles that the framework has not are passed over. */
export function onSuppression(
  context: Context,
  framework: Framework,
  change: { readonly revive: boolean; readonly roles: readonly string[] },
): void {
  const roles = change.roles.filter((role) => framework.roles.includes(role));
  if (roles.length < change.roles.length) {
    note(
      context,
      'warn',
      'role.unknown',
      'the call names roles that the framework is not subscribed to',
      {
        frameworkId: framework.id,
      },
    );
    if (roles.length === 0) return;
  }
  const affected = roles.length === 0 ? framework.roles : roles;
  const suppressed = new Set(framework.suppressedRoles);
  for (const role of affected) {
    if (change.revive) suppressed.delete(role);
    else suppressed.add(role);
  }
  framework.suppressedRoles = suppressed;
  if (change.revive) {
    count(context, 'master/messages_revive_offers');
    context.allocator.revive(framework.id, roles);
  } else {
    count(context, 'master/messages_suppress_offers');
    context.allocator.suppress(framework.id, roles);
  }
}
