/**
 * How many old instances may be stopped and how many new ones started, at one moment of a rolling restart.
 *
 * The decision is a function of what is there now, not of counters: it can be taken again after every
 * event and after a restart of the scheduler, and gives the same answer for the same situation.
 *
 * Invariants: stopping `killable` healthy old instances leaves at least `minHealthy` healthy ones; the
 * starts never exceed the capacity bound. Source: Marathon's rolling restart, table of numbers as observed.
 */

export interface RestartLimits {
  /** Instances that the app asks for. */
  readonly target: number;
  readonly minimumHealthCapacity: number;
  readonly maximumOverCapacity: number;
  /** An app with persistent volumes cannot have an additional instance beside the old one. */
  readonly isResident: boolean;
}

export interface RestartSituation {
  /** Old instances that are wanted to run. */
  readonly old: number;
  /** Of those, how many are healthy. */
  readonly oldHealthy: number;
  /** Old instances that were told to stop and still hold resources. */
  readonly oldStopping: number;
  /** Instances of the new configuration that are wanted to run, launched or not. */
  readonly fresh: number;
  /** Of those, how many are healthy and ready. */
  readonly freshReady: number;
}

export interface RestartCapacity {
  readonly minHealthy: number;
  readonly maxCapacity: number;
  /** Old instances that may be stopped now. */
  readonly kill: number;
}

export interface RestartDecision extends RestartCapacity {
  /** Instances of the new configuration to start now. */
  readonly start: number;
  /** Old instances that may be stopped in addition if they are known not to be healthy: room is needed. */
  readonly killUnhealthy: number;
}

/** The bounds, and what may be stopped, for so many healthy instances and so many old ones. */
export function restartCapacity(
  limits: RestartLimits,
  healthyNow: number,
  oldNow: number,
): RestartCapacity {
  const { target } = limits;
  // The product is rounded before it is cut: 10 × (1 + 0.1) must be 11, not 12.
  const minHealthy = Math.ceil(stable(target * limits.minimumHealthCapacity));
  let maxCapacity = Math.floor(stable(target * (1 + limits.maximumOverCapacity)));
  let kill = Math.max(0, healthyNow - minHealthy);
  if (minHealthy === maxCapacity && maxCapacity <= healthyNow) {
    // Nothing could be stopped before something is started, nor the other way round.
    if (limits.isResident) kill = healthyNow - minHealthy + 1;
    else maxCapacity += 1;
  }
  if (target < oldNow) kill = Math.max(oldNow - target, kill);
  return { minHealthy, maxCapacity, kill: Math.min(kill, oldNow) };
}

/** What to do now. */
export function decideRestart(limits: RestartLimits, situation: RestartSituation): RestartDecision {
  const { old, oldStopping, fresh, freshReady } = situation;
  const capacity = restartCapacity(limits, situation.oldHealthy + freshReady, old);
  const missing = Math.max(0, limits.target - fresh);
  // With the whole new set ready, what is left of the old one is surplus, healthy or not.
  const kill = freshReady >= limits.target ? old : capacity.kill;
  const room = Math.max(0, capacity.maxCapacity - old - oldStopping - fresh);
  const start = Math.min(missing, room);
  // Old instances that fail anyway may not keep new ones from starting for ever.
  const blocked = oldStopping === 0 && kill === 0 ? missing - start : 0;
  return { ...capacity, kill, start, killUnhealthy: Math.min(blocked, old) };
}

function stable(value: number): number {
  return Math.round(value * 1e9) / 1e9;
}
