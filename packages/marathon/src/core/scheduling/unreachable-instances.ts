/**
 * Instances on agents that the master lost: after `inactiveAfterSeconds` they are no longer counted and are
 * replaced, after `expungeAfterSeconds` they are forgotten, and killed as unknown should they come back.
 * With the strategy "disabled" they are waited for.
 */

import { removeInstance, saveInstance } from './instance-changes.ts';
import type { Instance } from './instance.ts';
import { appOf, type Step } from './state.ts';

/** An instance was reported as unreachable. */
export function handleUnreachable(step: Step, instance: Instance): void {
  const { state, now } = step;
  const app = appOf(state, instance.appId);
  if (app === undefined || instance.goal === 'Decommissioned') {
    removeInstance(step, instance, instance.condition);
    return;
  }
  const strategy = app.unreachableStrategy;
  if (strategy === 'disabled') return;
  const inactiveMs = strategy.inactiveAfterSeconds * 1000;
  const expungeMs = strategy.expungeAfterSeconds * 1000;
  if (expungeMs === 0) {
    expunge(step, instance);
    return;
  }
  if (inactiveMs === 0) makeInactive(step, instance);
  else state.timers.set({ kind: 'inactive', id: instance.id }, instance.since + inactiveMs);
  state.timers.set({ kind: 'expunge', id: instance.id }, Math.max(now, instance.since + expungeMs));
}

/** The time to wait for an instance is over: a replacement is wanted. */
export function makeInactive(step: Step, instance: Instance): void {
  if (instance.condition !== 'Unreachable') return;
  saveInstance(step, { ...instance, condition: 'UnreachableInactive' });
}

/** An instance is given up for good. */
export function expunge(step: Step, instance: Instance): void {
  if (instance.condition !== 'Unreachable' && instance.condition !== 'UnreachableInactive') return;
  removeInstance(step, instance, 'UnreachableInactive');
}
