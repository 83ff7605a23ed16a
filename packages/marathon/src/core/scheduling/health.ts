/**
 * Health of instances from the probes that Marathon runs itself (HTTP, HTTPS, TCP).
 *
 * A failed probe of an instance that has never been healthy does not count while the grace period lasts.
 * An instance is killed when a probe fails after `maxConsecutiveFailures` failures were counted before:
 * the kill comes with failure number maximum + 1. Zero means never.
 * Source: Marathon's health check machine as observed.
 */

import type { Instant } from '@dcos/base';

export interface HealthState {
  readonly firstSuccess?: Instant;
  readonly lastSuccess?: Instant;
  readonly lastFailure?: Instant;
  readonly lastFailureCause?: string;
  readonly consecutiveFailures: number;
  /** A probe failed within the grace period: not shown, but enough not to presume the instance healthy. */
  readonly failedInGrace: boolean;
}

export type ProbeOutcome =
  | { readonly kind: 'healthy' }
  | { readonly kind: 'unhealthy'; readonly cause: string }
  /** Says nothing: the state stays. */
  | { readonly kind: 'ignored' };

export interface HealthRules {
  readonly gracePeriodMs: number;
  readonly maxConsecutiveFailures: number;
}

export interface HealthStep {
  readonly state: HealthState;
  /** The check flipped to this; absent when it did not. */
  readonly alive?: boolean;
  /** The failure counted. */
  readonly failed: boolean;
  /** The instance has to go. */
  readonly kill: boolean;
}

export const UNKNOWN_HEALTH: HealthState = { consecutiveFailures: 0, failedInGrace: false };

/** The last thing that was seen was a success. */
export function isAlive(state: HealthState): boolean {
  if (state.lastSuccess === undefined) return false;
  return state.lastFailure === undefined || state.lastSuccess > state.lastFailure;
}

/** True when the check has shown anything that counts. */
export function hasResult(state: HealthState): boolean {
  return state.lastSuccess !== undefined || state.lastFailure !== undefined;
}

/** Takes in the outcome of a probe of a task that has been running since `startedAt`. */
export function applyProbe(
  state: HealthState,
  outcome: ProbeOutcome,
  rules: HealthRules,
  times: { readonly startedAt: Instant; readonly now: Instant },
): HealthStep {
  const { now } = times;
  const wasAlive = isAlive(state);
  if (outcome.kind === 'ignored') return { state, failed: false, kill: false };
  if (outcome.kind === 'healthy') {
    const next: HealthState = {
      ...state,
      firstSuccess: state.firstSuccess ?? now,
      // Strictly later than the failure before it, also within one millisecond.
      lastSuccess: Math.max(now, (state.lastFailure ?? 0) + 1),
      consecutiveFailures: 0,
      failedInGrace: false,
    };
    return { state: next, failed: false, kill: false, ...(wasAlive ? {} : { alive: true }) };
  }
  if (state.firstSuccess === undefined && now < times.startedAt + rules.gracePeriodMs) {
    return { state: { ...state, failedInGrace: true }, failed: true, kill: false };
  }
  const kill =
    rules.maxConsecutiveFailures > 0 && state.consecutiveFailures >= rules.maxConsecutiveFailures;
  const next: HealthState = {
    ...state,
    lastFailure: Math.max(now, state.lastSuccess ?? 0),
    lastFailureCause: outcome.cause,
    consecutiveFailures: state.consecutiveFailures + 1,
  };
  const flipped = wasAlive || !hasResult(state);
  return { state: next, failed: true, kill, ...(flipped ? { alive: false } : {}) };
}
