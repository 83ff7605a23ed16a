/**
 * The scheduling core as one machine: events in, effects out, in order.
 *
 * Invariants: an instance is persisted as Provisioned before the ACCEPT that launches it; a status is
 * acknowledged after its consequence is persisted; a change of the root group and its deployment are
 * persisted in one batch before the client gets its answer.
 */

import { unreachable, type Instant } from '@dcos/base';
import type { Offer, TaskStatus } from '@dcos/wire';
import { busEvent } from './bus-events.ts';
import type { Command } from './command.ts';
import { applyCommand } from './commands.ts';
import { settleApps } from './deployment-progress.ts';
import type { Effect, Probe } from './effects.ts';
import { applyHealthAnswer, beginHealthChecks, startProbe } from './health-checks.ts';
import {
  queueLaunch,
  removeInstance,
  requestOffers,
  retryKill,
  saveInstance,
  sendWaitingKills,
  startKill,
  stopInstance,
} from './instance-changes.ts';
import { isActive, isToBeLaunched } from './instance.ts';
import { launchableAt } from './launch-delay.ts';
import { applyOffers } from './offers.ts';
import type { ProbeAnswer } from './probe-answer.ts';
import { applyReadiness, probeReadiness } from './readiness-checks.ts';
import { askForLaunches, askForPending, beginReconciliation } from './reconciliation.ts';
import { frameworkRecord } from './records.ts';
import { settleOffers } from './revive-offers.ts';
import { settleRoles } from './roles.ts';
import { appOf, emit, log, persist, publish, type MarathonState, type Step } from './state.ts';
import { applyStatusUpdate, watchLaunch } from './status-updates.ts';
import type { TimerKey } from './timers.ts';
import { expunge, makeInactive } from './unreachable-instances.ts';

export type MarathonEvent =
  | {
      readonly kind: 'subscribed';
      readonly frameworkId: string;
      readonly master: string;
      readonly masterRegion?: string;
    }
  | { readonly kind: 'disconnected' }
  /** The master has ended the framework for good: its tasks are gone, its id must not be used again. */
  | { readonly kind: 'frameworkRemoved' }
  | { readonly kind: 'offers'; readonly offers: readonly Offer[] }
  | { readonly kind: 'statusUpdate'; readonly status: TaskStatus }
  | {
      readonly kind: 'frameworkMessage';
      readonly agentId: string;
      readonly executorId: string;
      /** Base64. */
      readonly data: string;
    }
  /** An ACCEPT did not reach the master, or nobody knows whether it did. */
  | { readonly kind: 'acceptFailed'; readonly taskIds: readonly string[] }
  | { readonly kind: 'probeAnswered'; readonly probe: Probe; readonly answer: ProbeAnswer }
  | { readonly kind: 'tick' }
  | { readonly kind: 'command'; readonly requestId: number; readonly command: Command };

/** Takes in a batch of events that happened by `now`, in their order. */
export function stepMarathon(
  state: MarathonState,
  events: readonly MarathonEvent[],
  now: Instant,
): readonly Effect[] {
  const step: Step = { state, now, effects: [], touched: new Set() };
  for (const event of events) applyEvent(step, event);
  applyDueTimers(step);
  settleApps(step);
  settleRoles(step);
  settleOffers(step);
  const wakeAt = state.timers.next();
  // A wake-up that came is used up, also one that came early.
  const isUsed = events.some(({ kind }) => kind === 'tick');
  if (wakeAt !== undefined && (isUsed || wakeAt !== state.wakeAt))
    emit(step, { kind: 'wakeAt', at: wakeAt });
  state.wakeAt = wakeAt;
  return step.effects;
}

function applyEvent(step: Step, event: MarathonEvent): void {
  switch (event.kind) {
    case 'subscribed':
      return applySubscribed(step, event);
    case 'disconnected':
      return applyDisconnected(step);
    case 'frameworkRemoved':
      return applyFrameworkRemoved(step);
    case 'offers':
      return applyOffers(step, event.offers);
    case 'statusUpdate':
      return applyStatusUpdate(step, event.status);
    case 'frameworkMessage': {
      const { agentId, executorId, data } = event;
      const fields = { executorId, slaveId: agentId, message: data };
      return publish(step, busEvent('framework_message_event', fields, step.now));
    }
    case 'acceptFailed':
      return askForLaunches(step, event.taskIds);
    case 'probeAnswered':
      if (event.probe.purpose === 'health')
        return applyHealthAnswer(step, event.probe, event.answer);
      return applyReadiness(step, event.probe, event.answer);
    case 'tick':
      return undefined;
    case 'command':
      return applyCommand(step, event.requestId, event.command);
    default:
      return unreachable(event);
  }
}

function applySubscribed(
  step: Step,
  event: Extract<MarathonEvent, { readonly kind: 'subscribed' }>,
): void {
  const { state, now } = step;
  const { frameworkId, master } = event;
  const isNew = state.frameworkId !== frameworkId;
  if (isNew) {
    state.frameworkId = frameworkId;
    // Before anything is launched: tasks of a framework id that is forgotten could never be found again.
    persist(step, frameworkRecord(frameworkId));
  }
  state.connected = true;
  state.masterRegion = event.masterRegion;
  const name = isNew ? 'scheduler_registered_event' : 'scheduler_reregistered_event';
  publish(step, busEvent(name, isNew ? { frameworkId, master } : { master }, now));
  // A new subscription starts without suppression and without filters.
  state.revive.suppressed.clear();
  beginReconciliation(step);
  for (const instanceId of state.kills.keys()) state.killsWaiting.add(instanceId);
  sendWaitingKills(step);
  for (const instance of state.instances.all()) {
    step.touched.add(instance.appId);
    if (isToBeLaunched(instance)) queueLaunch(step, instance);
    watchLaunch(step, instance);
    if (instance.condition === 'Running' && !state.health.has(instance.id))
      beginHealthChecks(step, instance);
    if (instance.goal === 'Decommissioned' && isActive(instance) && !state.kills.has(instance.id)) {
      stopInstance(step, instance, { goal: 'Decommissioned' });
    }
  }
  for (const app of state.history.apps()) step.touched.add(app.id);
  for (const appId of state.deploymentByApp.keys()) step.touched.add(appId);
}

function applyDisconnected(step: Step): void {
  if (!step.state.connected) return;
  step.state.connected = false;
  publish(step, busEvent('scheduler_disconnected_event', {}, step.now));
}

function applyFrameworkRemoved(step: Step): void {
  const { state, now } = step;
  applyDisconnected(step);
  log(
    step,
    'framework.removed',
    { frameworkId: state.frameworkId },
    'the master has removed the framework: a new one is made and everything launched again',
  );
  state.frameworkId = undefined;
  persist(step, frameworkRecord(undefined));
  for (const instance of Array.from(state.instances.all())) {
    if (!isActive(instance)) continue;
    if (instance.goal === 'Decommissioned') removeInstance(step, instance, 'Gone');
    else saveInstance(step, { ...instance, condition: 'Gone', since: now });
  }
}

function applyDueTimers(step: Step): void {
  for (;;) {
    const key = step.state.timers.takeDue(step.now);
    if (key === undefined) return;
    applyTimer(step, key);
  }
}

function applyTimer(step: Step, { kind, id }: TimerKey): void {
  const { state } = step;
  const instance = state.instances.get(id);
  switch (kind) {
    case 'revive':
      return undefined;
    case 'launch':
      return applyLaunchTimer(step, id);
    case 'kill':
      return retryKill(step, id);
    case 'drain':
      if (instance?.task === undefined || !isActive(instance)) return undefined;
      return startKill(step, id, instance.task.id);
    case 'settle':
      if (instance !== undefined) step.touched.add(instance.appId);
      return undefined;
    case 'overdue':
      if (instance === undefined || !isActive(instance)) return undefined;
      log(
        step,
        'instance.overdue',
        { instanceId: id, condition: instance.condition },
        'the launch takes too long: the task is killed',
      );
      return stopInstance(step, instance, { goal: instance.goal });
    case 'inactive':
      return instance === undefined ? undefined : makeInactive(step, instance);
    case 'expunge':
      return instance === undefined ? undefined : expunge(step, instance);
    case 'health':
      return startProbe(step, id);
    case 'readiness':
      return probeReadiness(step, id);
    case 'reconcile':
      return askForPending(step);
    case 'reconcilePeriodic':
      return state.connected ? beginReconciliation(step) : undefined;
    default:
      return unreachable(kind);
  }
}

/** A launch delay is over, unless it was raised meanwhile. */
function applyLaunchTimer(step: Step, appId: string): void {
  const { state, now } = step;
  const app = appOf(state, appId);
  if (app === undefined || state.instances.toBeLaunchedOf(appId) === 0) return;
  const at = launchableAt(state.delays.get(appId));
  if (at > now) state.timers.set({ kind: 'launch', id: appId }, at);
  else requestOffers(step, app.role);
}
