/**
 * The rules about the whole tree: no two things share a path, dependencies exist and have no cycle.
 *
 * Whether a dependency exists is asked where a change names it, not for the whole tree: else nothing that
 * something depends on could ever be removed.
 */

import type { Group, PathId, RootGroup } from './app-definition.ts';
import { findDependencyLevels } from './dependency-graph.ts';
import { allGroups, findApp, findGroup } from './group.ts';
import { PATH_ID_LENGTH_MAX } from './path-id.ts';
import type { Violation } from './problem.ts';

/**
 * Characters of an app, or of the dependencies of a group, as JSON at most. A record of the store has less
 * than a mebibyte, and that of a deployment holds an app twice.
 */
export const DEFINITION_LENGTH_MAX = 128 * 1024;

/** What is wrong with a tree that a request made of another one. */
export function rootViolations(original: RootGroup, target: RootGroup): readonly Violation[] {
  const groups = allGroups(target);
  const violations: Violation[] = [];
  let hasDependencies = false;
  for (const group of groups) {
    hasDependencies ||= group.dependencies.length > 0;
    const before = findGroup(original, group.id);
    for (const app of group.apps.values()) hasDependencies ||= app.dependencies.length > 0;
    if (before === group) continue;
    violations.push(...clashes(group), ...unknownDependencies(target, group, before?.dependencies));
    violations.push(...tooLarge(group.id, group.dependencies));
    if (group.id.length > PATH_ID_LENGTH_MAX) {
      violations.push({ path: '/id', error: `must have at most ${PATH_ID_LENGTH_MAX} characters` });
    }
    for (const app of group.apps.values()) {
      const appBefore = before?.apps.get(app.id);
      if (appBefore === app) continue;
      violations.push(...unknownDependencies(target, app, appBefore?.dependencies));
      violations.push(...tooLarge(app.id, app));
    }
  }
  if (hasDependencies && findDependencyLevels(target) === undefined) {
    violations.push({ path: '/', error: 'Dependency graph has cyclic dependencies.' });
  }
  return violations;
}

function tooLarge(id: PathId, definition: unknown): readonly Violation[] {
  const { length } = JSON.stringify(definition);
  if (length <= DEFINITION_LENGTH_MAX) return [];
  const error = `${id} has ${length} characters as JSON, at most ${DEFINITION_LENGTH_MAX} are allowed`;
  return [{ path: '/', error }];
}

function clashes(group: Group): readonly Violation[] {
  return [...group.apps.keys()].flatMap((id) =>
    group.groups.has(id)
      ? [{ path: '/', error: `Groups and Applications may not have the same identifier: ${id}` }]
      : [],
  );
}

function unknownDependencies(
  root: RootGroup,
  of: { readonly id: PathId; readonly dependencies: readonly PathId[] },
  before: readonly PathId[] | undefined,
): readonly Violation[] {
  return of.dependencies.flatMap((id) =>
    (before ?? []).includes(id) ||
    findApp(root, id) !== undefined ||
    findGroup(root, id) !== undefined
      ? []
      : [{ path: '/dependencies', error: `${of.id} depends on ${id}, which does not exist` }],
  );
}
