/** The roles that the framework subscribes with: its own, and those of its apps. */

import { compareText } from '@dcos/base';
import { emit, type MarathonState, type Step } from './state.ts';

/** All roles in use, ordered. */
export function rolesInUse(state: MarathonState): readonly string[] {
  const roles = new Set([state.settings.mesosRole]);
  for (const app of state.history.apps()) roles.add(app.role);
  for (const role of state.instances.roles()) roles.add(role);
  return [...roles].sort(compareText);
}

/** Tells the master when the roles in use are others than it knows. */
export function settleRoles(step: Step): void {
  const { state } = step;
  if (!state.rolesChanged) return;
  state.rolesChanged = false;
  const roles = rolesInUse(state);
  const isSame =
    roles.length === state.subscribedRoles.length &&
    roles.every((role, index) => role === state.subscribedRoles[index]);
  if (isSame) return;
  state.subscribedRoles = roles;
  for (const role of state.revive.suppressed)
    if (!roles.includes(role)) state.revive.suppressed.delete(role);
  emit(step, { kind: 'updateRoles', roles });
}
