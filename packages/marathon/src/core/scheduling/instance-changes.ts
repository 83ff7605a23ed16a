/**
 * The only ways in which instances come, change and go. Each keeps table, record, timers and events in step.
 */

import { assert } from '@dcos/base';
import type { AppDefinition } from '../model/index.ts';
import { busEvent, instanceChanged } from './bus-events.ts';
import { isActive, isToBeLaunched, type Condition, type Goal, type Instance } from './instance.ts';
import { launchableAt } from './launch-delay.ts';
import { newOfferStatistics } from './offer-statistics.ts';
import { instanceRecord, instanceRecordRemoval } from './records.ts';
import { emit, persist, publish, type Step } from './state.ts';
import { newInstanceId } from './task-id.ts';

/** Stores an instance and says so when its condition changed. */
export function saveInstance(step: Step, instance: Instance): void {
  const { state, now } = step;
  const before = state.instances.get(instance.id);
  state.instances.put(instance);
  step.touched.add(instance.appId);
  persist(step, instanceRecord(instance));
  if (before?.condition !== instance.condition) publish(step, instanceChanged(instance, now));
  if (!isActive(instance)) forgetTask(step, instance.id);
  if (isToBeLaunched(instance)) queueLaunch(step, instance);
}

/** Makes new instances of an app; they wait for offers. */
export function addInstances(step: Step, app: AppDefinition, count: number): void {
  for (let made = 0; made < count; made++) {
    saveInstance(step, {
      id: newInstanceId(app.id, step.now, step.state.random),
      appId: app.id,
      version: app.version,
      configVersion: app.versionInfo.lastConfigChangeAt,
      role: app.role,
      goal: 'Running',
      condition: 'Scheduled',
      since: step.now,
      createdAt: step.now,
    });
  }
}

/** Forgets an instance for good. */
export function removeInstance(step: Step, instance: Instance, condition?: Condition): void {
  const { state, now } = step;
  assert(!isActive(instance) || condition !== undefined, `${instance.id} may still have a task`);
  const before = state.instances.get(instance.id)?.condition;
  forgetTask(step, instance.id);
  state.instances.delete(instance.id);
  step.touched.add(instance.appId);
  persist(step, instanceRecordRemoval(instance.id));
  if (condition !== undefined && condition !== before) {
    publish(step, instanceChanged({ ...instance, condition, since: now }, now));
  }
}

/** An instance's task is over: what was kept about it is dropped. */
function forgetTask(step: Step, instanceId: string): void {
  const { state } = step;
  state.health.delete(instanceId);
  state.readiness.delete(instanceId);
  state.reconciliation.pending.delete(instanceId);
  state.killsWaiting.delete(instanceId);
  if (state.kills.delete(instanceId)) sendWaitingKills(step);
  for (const kind of [
    'kill',
    'drain',
    'settle',
    'overdue',
    'inactive',
    'expunge',
    'readiness',
  ] as const) {
    state.timers.cancel({ kind, id: instanceId });
  }
}

/** Puts an app that has something to launch into the queue, and asks for offers once its delay is over. */
export function queueLaunch(step: Step, instance: Instance): void {
  const { state, now } = step;
  if (!state.waiting.has(instance.appId))
    state.waiting.set(instance.appId, newOfferStatistics(now));
  const at = launchableAt(state.delays.get(instance.appId));
  if (at > now) state.timers.set({ kind: 'launch', id: instance.appId }, at);
  else requestOffers(step, instance.role);
}

/** Something became launchable in a role: its offers are wanted, also those that were declined before. */
export function requestOffers(step: Step, role: string): void {
  step.state.revive.wanted.add(role);
}

export interface StopOptions {
  readonly goal: Goal;
  /** Take it out of service first, and send the signal that much later. */
  readonly drainMs?: number;
}

/**
 * Ends the task of an instance. With the goal Decommissioned the instance goes when its task has ended, at
 * once when it has none; with the goal Running it is launched again.
 */
export function stopInstance(step: Step, instance: Instance, options: StopOptions): void {
  const { state, now } = step;
  const { goal } = options;
  if (!isActive(instance)) {
    if (goal === 'Decommissioned') removeInstance(step, instance, 'Killed');
    return;
  }
  if (instance.condition === 'Unreachable' || instance.condition === 'UnreachableInactive') {
    // Nobody can be told. If the task comes back it is unknown, and killed then.
    if (goal === 'Decommissioned') removeInstance(step, instance, 'Killed');
    return;
  }
  const isNew = instance.goal !== goal;
  if (isNew) saveInstance(step, { ...instance, goal });
  const taskId = instance.task?.id;
  if (taskId === undefined || state.kills.has(instance.id)) return;
  const drainMs = options.drainMs ?? 0;
  if (drainMs > 0 && instance.condition === 'Running') {
    if (isNew) announceDraining(step, instance);
    state.timers.setIfAbsent({ kind: 'drain', id: instance.id }, now + drainMs);
    return;
  }
  startKill(step, instance.id, taskId);
}

/** Tells balancers before the signal that an instance leaves. */
function announceDraining(step: Step, instance: Instance): void {
  publish(step, instanceChanged({ ...instance, condition: 'Killing', since: step.now }, step.now));
}

/** Asks Mesos to end a task, and asks again until it has ended. */
export function startKill(step: Step, instanceId: string, taskId: string): void {
  const { state } = step;
  state.timers.cancel({ kind: 'drain', id: instanceId });
  state.kills.set(instanceId, taskId);
  state.killsWaiting.add(instanceId);
  sendWaitingKills(step);
}

/** Sends kills while the bound on kills in flight allows it. */
export function sendWaitingKills(step: Step): void {
  const { state, now } = step;
  if (!state.connected) return;
  for (const instanceId of state.killsWaiting) {
    if (state.kills.size - state.killsWaiting.size >= state.settings.killsInFlightMax) return;
    state.killsWaiting.delete(instanceId);
    const taskId = state.kills.get(instanceId);
    if (taskId === undefined) continue;
    const agentId = state.instances.get(instanceId)?.placement?.agentId;
    emit(step, { kind: 'kill', taskId, ...(agentId === undefined ? {} : { agentId }) });
    state.timers.set({ kind: 'kill', id: instanceId }, now + state.settings.killRetryMs);
  }
}

/** A kill had no effect for too long: it is sent again. */
export function retryKill(step: Step, instanceId: string): void {
  if (!step.state.kills.has(instanceId)) return;
  step.state.killsWaiting.add(instanceId);
  sendWaitingKills(step);
}

/** Says that an app has no instance left and is gone. */
export function announceTerminated(step: Step, appId: string): void {
  publish(step, busEvent('app_terminated_event', { appId }, step.now));
}
