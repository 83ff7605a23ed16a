/**
 * The last part of every change of the wanted state: a tree that a request made is completed and checked.
 *
 * Invariants: what is returned satisfies all rules, has all service ports, and everything in it that is new
 * or changed carries the version of the change; everything else is the same object as before.
 */

import { err, ok, type Result } from '@dcos/base';
import type { Group, PathId, RootGroup, Version } from './app-definition.ts';
import { restarted, stampVersion } from './config-difference.ts';
import { mapChangedApps } from './group.ts';
import { notValid, type Problem } from './problem.ts';
import { assignServicePorts } from './service-ports.ts';
import type { ModelSettings } from './settings.ts';
import { rootViolations } from './validate-root.ts';

export interface ChangeContext {
  readonly settings: ModelSettings;
  /** Later than every version in the tree. */
  readonly version: Version;
}

/**
 * Completes and checks a tree made of another one.
 * @param restart an app of the new tree whose instances are to be replaced although its definition is the
 *   same; it must be another object than before.
 */
export function finishRoot(
  original: RootGroup,
  target: RootGroup,
  { settings, version }: ChangeContext,
  restart?: PathId,
): Result<RootGroup, Problem> {
  const assigned = assignServicePorts({ original, target, version, settings });
  if (!assigned.ok) return assigned;
  const stamped = mapChangedApps(assigned.value, original, version, (app, before) =>
    app.id === restart && before !== undefined
      ? restarted(before, version)
      : stampVersion(before, app, version),
  );
  const root = withEnforcedRoles({ ...stamped, version }, settings);
  const violations = rootViolations(original, root);
  return violations.length > 0 ? err(notValid(violations)) : ok(root);
}

/** New top-level groups get what the operator decided for them. */
function withEnforcedRoles(root: RootGroup, settings: ModelSettings): RootGroup {
  const lacking = [...root.groups.values()].filter((group) => group.enforceRole === undefined);
  if (lacking.length === 0) return root;
  const groups = new Map<PathId, Group>(root.groups);
  for (const group of lacking) {
    groups.set(group.id, { ...group, enforceRole: settings.newGroupEnforceRole });
  }
  return { ...root, groups };
}
