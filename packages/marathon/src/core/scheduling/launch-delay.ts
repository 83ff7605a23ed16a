/**
 * Backoff of launches: a configuration whose instances keep failing is launched less and less often.
 *
 * One delay per (app, configuration). The first failure gives the app's `backoffSeconds`, each further one
 * multiplies by `backoffFactor` up to `maxLaunchDelaySeconds`. The delay counts from the last sign of life,
 * and is forgotten when more than the maximum has passed since it ended. Scaling does not touch it; a
 * restart, a new configuration and an explicit reset do.
 */

import type { Instant } from '@dcos/base';

export interface BackoffSettings {
  readonly backoffMs: number;
  readonly backoffFactor: number;
  readonly delayMsMax: number;
}

export interface LaunchDelay {
  readonly configVersion: string;
  readonly settings: BackoffSettings;
  readonly delayMs: number;
  /** The instant that the delay counts from. */
  readonly reference: Instant;
}

/** When the next launch may happen. */
export function launchableAt(delay: LaunchDelay | undefined): Instant {
  return delay === undefined ? 0 : delay.reference + delay.delayMs;
}

/** The delay after a failure. A delay of another configuration does not count. */
export function raiseDelay(
  current: LaunchDelay | undefined,
  failure: {
    readonly configVersion: string;
    readonly settings: BackoffSettings;
    readonly now: Instant;
  },
): LaunchDelay {
  const { configVersion, settings, now } = failure;
  const applies =
    current !== undefined && current.configVersion === configVersion && !isForgotten(current, now);
  const raised =
    applies && current.delayMs > 0 ? current.delayMs * settings.backoffFactor : settings.backoffMs;
  return {
    configVersion,
    settings,
    delayMs: Math.min(raised, settings.delayMsMax),
    reference: now,
  };
}

/** A sign of life of a launch moves the instant that the delay counts from. */
export function touchDelay(delay: LaunchDelay, now: Instant): LaunchDelay {
  return { ...delay, reference: now };
}

/** True once a delay has been over for so long that the next failure counts as the first. */
export function isForgotten(delay: LaunchDelay, now: Instant): boolean {
  return now > delay.reference + Math.max(delay.settings.delayMsMax, delay.delayMs);
}
