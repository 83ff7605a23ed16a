/**
 * Which roles an app may have, from where it lives.
 *
 * Source: behaviour of Marathon 1.9 and later: a top-level group may enforce that its apps have its name as
 * their role; whatever role an app has already it may keep.
 */

import type { PathId, RootGroup } from './app-definition.ts';
import { segmentsOf, topLevelGroupOf } from './path-id.ts';
import type { Violation } from './problem.ts';
import type { ModelSettings } from './settings.ts';

export interface RolePolicy {
  readonly defaultRole: string;
  readonly allowed: readonly string[];
}

/**
 * The policy for apps with a certain id.
 * @param enforceRole what the top-level group of the app says, or will say once a request is carried out.
 */
export function rolePolicyOf(
  appId: PathId,
  enforceRole: boolean,
  settings: ModelSettings,
): RolePolicy {
  const { mesosRole } = settings;
  const groupRole = topLevelGroupOf(appId)?.slice(1);
  if (groupRole === undefined) return { defaultRole: mesosRole, allowed: [mesosRole] };
  if (enforceRole) return { defaultRole: groupRole, allowed: [groupRole] };
  return { defaultRole: mesosRole, allowed: [mesosRole, groupRole] };
}

/** Whether the top-level group around an id enforces its role, or would if it were made. */
export function enforcesRole(root: RootGroup, id: PathId, settings: ModelSettings): boolean {
  const [first] = segmentsOf(id);
  const group = first === undefined ? undefined : root.groups.get(`/${first}`);
  return group?.enforceRole ?? settings.newGroupEnforceRole;
}

/** The violation of the policy, if any. `present` is the role that the app has already. */
export function roleViolations(
  role: string,
  present: string | undefined,
  policy: RolePolicy,
): readonly Violation[] {
  const allowed = new Set(present === undefined ? policy.allowed : [...policy.allowed, present]);
  if (allowed.has(role)) return [];
  const error = `got ${role}, expected one of: [${[...allowed].join(', ')}]`;
  return [{ path: '/role', error }];
}
