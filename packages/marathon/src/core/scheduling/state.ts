/**
 * The state of the scheduling core, and the step in which it changes.
 *
 * Invariants: changed only by `step` in `machine.ts`; every change that must survive is accompanied by a
 * `persist` effect, and effects that make it known to the outside come after that one.
 */

import type { Instant, JsonObject, Random } from '@dcos/base';
import type { AppDefinition } from '../model/index.ts';
import type { AppHistory } from './app-history.ts';
import type { BusEvent } from './bus-events.ts';
import type { Deployment } from './deployment.ts';
import type { Effect, RecordWrite } from './effects.ts';
import type { HealthState } from './health.ts';
import type { Instance } from './instance.ts';
import type { InstanceTable } from './instance-table.ts';
import type { LaunchDelay } from './launch-delay.ts';
import type { OfferStatistics } from './offer-statistics.ts';
import type { ReadinessState } from './readiness.ts';
import type { TaskFailure } from './records.ts';
import type { SchedulingSettings } from './settings.ts';
import type { Timers } from './timers.ts';

export interface ReviveState {
  /** Roles for which a REVIVE is due. */
  readonly wanted: Set<string>;
  lastAt: Instant;
  /** Roles that the master was told not to offer for. */
  readonly suppressed: Set<string>;
}

export interface ReconciliationState {
  /** Tasks whose state the master has not told since the subscription. */
  readonly pending: Set<string>;
  attempt: number;
}

/** Counts since the start of the process. */
export interface Counters {
  offersProcessed: number;
  offersUsed: number;
  offersDeclined: number;
  tasksLaunched: number;
  revives: number;
  suppresses: number;
  deployments: number;
  deploymentsDismissed: number;
  readonly statusUpdates: Map<string, number>;
}

export interface MarathonState {
  readonly settings: SchedulingSettings;
  readonly random: Random;
  readonly history: AppHistory;
  readonly instances: InstanceTable;
  readonly deployments: Map<string, Deployment>;
  /** App id → the deployment that touches it. */
  readonly deploymentByApp: Map<string, Deployment>;
  /** App id → backoff of its current configuration. */
  readonly delays: Map<string, LaunchDelay>;
  /** Apps that wait for offers → what became of the offers. */
  readonly waiting: Map<string, OfferStatistics>;
  /** Instance id → one state for each health check of its app. */
  readonly health: Map<string, HealthState[]>;
  readonly readiness: Map<string, ReadinessState>;
  readonly failures: Map<string, TaskFailure>;
  /** Instance id → the task that was told to end, or is about to be told. */
  readonly kills: Map<string, string>;
  /** Those of `kills` whose KILL is not sent: there is a bound on kills in flight. */
  readonly killsWaiting: Set<string>;
  readonly timers: Timers;
  readonly revive: ReviveState;
  readonly reconciliation: ReconciliationState;
  readonly counters: Counters;
  /** The apps changed, and with them maybe the roles in use. */
  rolesChanged: boolean;
  /** Roles that the master knows of this framework. */
  subscribedRoles: readonly string[];
  frameworkId: string | undefined;
  connected: boolean;
  /** The region of the leading master; offers of other regions are only for apps that ask for them. */
  masterRegion: string | undefined;
  /** The last wake-up that the shell was asked for. */
  wakeAt: Instant | undefined;
}

/** One step: the state, the instant, and the effects so far. */
export interface Step {
  readonly state: MarathonState;
  readonly now: Instant;
  readonly effects: Effect[];
  /** Apps whose instances, health or definition changed: their deployments are looked at again. */
  readonly touched: Set<string>;
}

/** Adds an effect. */
export function emit(step: Step, effect: Effect): void {
  step.effects.push(effect);
}

export function persist(step: Step, ...writes: RecordWrite[]): void {
  if (writes.length > 0) step.effects.push({ kind: 'persist', writes });
}

export function publish(step: Step, event: BusEvent): void {
  step.effects.push({ kind: 'publish', event });
}

export function log(step: Step, event: string, fields: JsonObject, message: string): void {
  step.effects.push({ kind: 'log', event, fields, message });
}

/** The definition of an app as it is wanted now; undefined when there is no such app. */
export function appOf(state: MarathonState, appId: string): AppDefinition | undefined {
  return state.history.app(appId);
}

/** The definition that an instance was launched with, or will be when it never was. */
export function definitionOf(state: MarathonState, instance: Instance): AppDefinition | undefined {
  return state.history.appAt(instance.appId, instance.version) ?? appOf(state, instance.appId);
}
