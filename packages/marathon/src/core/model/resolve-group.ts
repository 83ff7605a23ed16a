/**
 * Lays what a request says about a group over the group as it is.
 *
 * A list that is given replaces the present one wholly, a list that is absent leaves it alone. The apps in
 * the list are complete definitions, not updates. Source: behaviour of Marathon 1.10.
 */

import { err, ok, type Result } from '@dcos/base';
import type { AppDefinition, Group, PathId, RootGroup } from './app-definition.ts';
import type { ChangeContext } from './change-root.ts';
import { emptyGroup, findApp, findGroup, orderedById } from './group.ts';
import { isDirectChild, parentOf, pathProblem, resolvePath, ROOT_PATH } from './path-id.ts';
import type { Violation } from './problem.ts';
import type { RawApp } from './raw-app.ts';
import type { RawGroup } from './raw-group.ts';
import { below, resolveApp } from './resolve-app.ts';

export interface GroupPlace {
  readonly root: RootGroup;
  readonly id: PathId;
  /** Where the group is in the body; empty for the outermost. */
  readonly path: string;
  /** Whether the top-level group around it will enforce its role; undefined above top-level groups. */
  readonly enforceRole: boolean | undefined;
}

/** The group that a request asks for, or everything that is wrong with it. */
export function resolveGroup(
  raw: RawGroup,
  place: GroupPlace,
  context: ChangeContext,
): Result<Group, readonly Violation[]> {
  const { root, id } = place;
  const before = findGroup(root, id);
  const present = before ?? emptyGroup(id, context.version);
  const violations: Violation[] = [...groupViolations(raw, place, before)];
  const isTop = isDirectChild(id, ROOT_PATH);
  const { newGroupEnforceRole } = context.settings;
  const enforceRole = isTop
    ? (raw.enforceRole ?? before?.enforceRole ?? newGroupEnforceRole)
    : place.enforceRole;
  const inner = { ...place, enforceRole };
  const apps =
    raw.apps === undefined ? present.apps : resolveApps(raw.apps, inner, context, violations);
  const groups =
    raw.groups === undefined
      ? present.groups
      : resolveGroups(raw.groups, inner, context, violations);
  if (violations.length > 0) return err(violations);
  const dependencies =
    raw.dependencies?.map((path) => resolvePath(path, parentOf(id))) ?? present.dependencies;
  const group: Group = { ...present, apps, groups, dependencies, version: context.version };
  return ok(isTop && enforceRole !== undefined ? { ...group, enforceRole } : group);
}

function groupViolations(
  raw: RawGroup,
  { id, path }: GroupPlace,
  before: Group | undefined,
): readonly Violation[] {
  const violations: Violation[] = [];
  const problem =
    pathProblem(raw.id === undefined || raw.id === '/' ? id : raw.id) ?? pathProblem(id);
  if (problem !== undefined) violations.push({ path: `${path}/id`, error: problem });
  const isNested = path !== '';
  if (isNested && (raw.scaleBy !== undefined || raw.version !== undefined)) {
    const error = 'scaleBy and version are not allowed in groups of a group update';
    violations.push({ path, error });
  }
  if (raw.enforceRole === undefined) return violations;
  if (!isDirectChild(id, ROOT_PATH)) {
    const error = 'enforceRole can only be set for top-level groups';
    violations.push({ path: `${path}/enforceRole`, error });
  } else if (
    before !== undefined &&
    (before.enforceRole ?? false) !== raw.enforceRole &&
    (raw.apps !== undefined || raw.groups !== undefined)
  ) {
    const error = 'enforceRole cannot be changed together with the services of the group';
    violations.push({ path: `${path}/enforceRole`, error });
  }
  return violations;
}

function resolveApps(
  raws: readonly RawApp[],
  place: GroupPlace,
  context: ChangeContext,
  violations: Violation[],
): ReadonlyMap<PathId, AppDefinition> {
  const apps = new Map<PathId, AppDefinition>();
  for (const [index, raw] of raws.entries()) {
    const path = `${place.path}/apps(${index})`;
    const id = childId(raw.id, { parent: place.id, path, taken: apps }, violations);
    if (id === undefined) continue;
    const present = findApp(place.root, id);
    const enforceRole = place.enforceRole ?? false;
    const app = resolveApp(raw, { id, enforceRole, present, keepsPresent: false }, context);
    if (app.ok) apps.set(id, app.value);
    else violations.push(...below(path, app.error));
  }
  return orderedById(apps);
}

function resolveGroups(
  raws: readonly RawGroup[],
  place: GroupPlace,
  context: ChangeContext,
  violations: Violation[],
): ReadonlyMap<PathId, Group> {
  const groups = new Map<PathId, Group>();
  for (const [index, raw] of raws.entries()) {
    const path = `${place.path}/groups(${index})`;
    const id = childId(raw.id, { parent: place.id, path, taken: groups }, violations);
    if (id === undefined) continue;
    const group = resolveGroup(raw, { ...place, id, path }, context);
    if (group.ok) groups.set(id, group.value);
    else violations.push(...group.error);
  }
  return orderedById(groups);
}

/** The id of a child; undefined, with a violation, when it is none of this group or there already. */
function childId(
  written: string | undefined,
  at: {
    readonly parent: PathId;
    readonly path: string;
    readonly taken: ReadonlyMap<PathId, unknown>;
  },
  violations: Violation[],
): PathId | undefined {
  const id = resolvePath(written ?? '', at.parent);
  const path = `${at.path}/id`;
  if (!isDirectChild(id, at.parent)) {
    violations.push({ path, error: `Identifier is not child of '${at.parent}'` });
    return undefined;
  }
  if (at.taken.has(id)) {
    violations.push({ path, error: `${id} is there more than once` });
    return undefined;
  }
  return id;
}
