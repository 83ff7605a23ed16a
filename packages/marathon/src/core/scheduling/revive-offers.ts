/**
 * When the master is asked for offers and when it is told to keep them.
 *
 * REVIVE for a role as soon as something in it becomes launchable, but not more often than an interval;
 * SUPPRESS for a role once nothing in it waits, not even for the end of a delay.
 */

import { compareText } from '@dcos/base';
import { launchableAt } from './launch-delay.ts';
import { appOf, emit, type MarathonState, type Step } from './state.ts';

/** Sends the REVIVE and SUPPRESS that are due at the end of a step. */
export function settleOffers(step: Step): void {
  const { state } = step;
  if (!state.connected) return;
  sendRevive(step);
  sendSuppress(step);
}

function sendRevive(step: Step): void {
  const { state, now } = step;
  const { revive, settings } = state;
  const waiting = waitingRoles(state, now);
  for (const role of revive.wanted) if (!waiting.launchable.has(role)) revive.wanted.delete(role);
  if (revive.wanted.size === 0) return;
  const at = revive.lastAt + settings.reviveIntervalMsMin;
  if (at > now) {
    state.timers.setIfAbsent({ kind: 'revive', id: '' }, at);
    return;
  }
  const roles = [...revive.wanted].sort(compareText);
  revive.wanted.clear();
  revive.lastAt = now;
  for (const role of roles) revive.suppressed.delete(role);
  state.counters.revives += 1;
  emit(step, { kind: 'revive', roles });
}

function sendSuppress(step: Step): void {
  const { state, now } = step;
  if (!state.settings.suppressOffers) return;
  const { waits } = waitingRoles(state, now);
  const idle = state.subscribedRoles.filter(
    (role) => !waits.has(role) && !state.revive.suppressed.has(role),
  );
  if (idle.length === 0) return;
  for (const role of idle) state.revive.suppressed.add(role);
  state.counters.suppresses += 1;
  emit(step, { kind: 'suppress', roles: idle });
}

/** Roles in which something waits, and those in which something could be launched right now. */
function waitingRoles(
  state: MarathonState,
  now: number,
): { readonly waits: ReadonlySet<string>; readonly launchable: ReadonlySet<string> } {
  const waits = new Set<string>();
  const launchable = new Set<string>();
  for (const appId of state.waiting.keys()) {
    const app = appOf(state, appId);
    if (app === undefined || state.instances.toBeLaunchedOf(appId) === 0) {
      state.waiting.delete(appId);
      continue;
    }
    waits.add(app.role);
    if (launchableAt(state.delays.get(appId)) <= now) launchable.add(app.role);
  }
  return { waits, launchable };
}
