/**
 * The immutable tree of groups: look-ups, and changes that share everything they do not touch.
 *
 * Invariants: children are direct children of their group and are kept ordered by id; a group that is not
 * touched by a change stays the same object, so that identity means equality.
 */

import { assert, compareText } from '@dcos/base';
import type { AppDefinition, Group, PathId, RootGroup, Version } from './app-definition.ts';
import { comparePathIds, parentOf, ROOT_PATH, segmentsOf } from './path-id.ts';

/** The root of a cluster without apps. */
export function emptyRoot(version: Version): RootGroup {
  return emptyGroup(ROOT_PATH, version);
}

/** A group without content. */
export function emptyGroup(id: PathId, version: Version): Group {
  return { id, apps: new Map(), groups: new Map(), dependencies: [], version };
}

export function findGroup(root: RootGroup, id: PathId): Group | undefined {
  let group: Group | undefined = root;
  let path = '';
  for (const segment of segmentsOf(id)) {
    path = `${path}/${segment}`;
    group = group?.groups.get(path);
  }
  return group;
}

export function findApp(root: RootGroup, id: PathId): AppDefinition | undefined {
  return id === ROOT_PATH ? undefined : findGroup(root, parentOf(id))?.apps.get(id);
}

/** All apps of a group and of the groups below it; apps before groups, both in order of id. */
export function allApps(group: Group): readonly AppDefinition[] {
  const apps: AppDefinition[] = [];
  for (const one of allGroups(group)) apps.push(...one.apps.values());
  return apps;
}

/** The group and all groups below it, each before its children. */
export function allGroups(group: Group): readonly Group[] {
  const groups: Group[] = [];
  const open: Group[] = [group];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    groups.push(next);
    open.push(...[...next.groups.values()].reverse());
  }
  return groups;
}

/** The tree with an app added or replaced; groups on the way are made. */
export function putApp(root: RootGroup, app: AppDefinition, version: Version): RootGroup {
  return changeGroup(root, parentOf(app.id), version, (group) =>
    group.apps.get(app.id) === app ? group : { ...group, apps: withEntry(group.apps, app.id, app) },
  );
}

/** The tree without an app; the group stays, even when it is empty. */
export function removeApp(root: RootGroup, id: PathId, version: Version): RootGroup {
  if (findApp(root, id) === undefined) return root;
  return changeGroup(root, parentOf(id), version, (group) => ({
    ...group,
    apps: withoutEntry(group.apps, id),
  }));
}

/** The tree with a group in the place of the one that has its id, or added; groups on the way are made. */
export function putGroup(root: RootGroup, group: Group, version: Version): RootGroup {
  if (group.id === ROOT_PATH) return group;
  return changeGroup(root, parentOf(group.id), version, (parent) =>
    parent.groups.get(group.id) === group
      ? parent
      : { ...parent, groups: withEntry(parent.groups, group.id, group) },
  );
}

/** The tree without a group and all that is in it; without its content for the root. */
export function removeGroup(root: RootGroup, id: PathId, version: Version): RootGroup {
  if (id === ROOT_PATH) return emptyRoot(version);
  if (findGroup(root, id) === undefined) return root;
  return changeGroup(root, parentOf(id), version, (parent) => ({
    ...parent,
    groups: withoutEntry(parent.groups, id),
  }));
}

/** The tree with each app as `change` makes it; groups in which nothing changes stay the same objects. */
export function mapApps(
  group: Group,
  version: Version,
  change: (app: AppDefinition) => AppDefinition,
): Group {
  return mapChangedApps(group, undefined, version, change);
}

/**
 * The tree with each app as `change` makes it from the app and what it was in another tree. Parts that both
 * trees share are skipped, so that a small change of a large tree costs little.
 */
export function mapChangedApps(
  group: Group,
  former: Group | undefined,
  version: Version,
  change: (app: AppDefinition, before: AppDefinition | undefined) => AppDefinition,
): Group {
  if (group === former) return group;
  let isChanged = false;
  const apps = new Map<PathId, AppDefinition>();
  for (const [id, app] of group.apps) {
    const before = former?.apps.get(id);
    const changed = app === before ? app : change(app, before);
    assert(changed.id === id, `an app must keep its id ${id}`);
    isChanged ||= changed !== app;
    apps.set(id, changed);
  }
  const groups = new Map<PathId, Group>();
  for (const [id, child] of group.groups) {
    const changed = mapChangedApps(child, former?.groups.get(id), version, change);
    isChanged ||= changed !== child;
    groups.set(id, changed);
  }
  return isChanged ? { ...group, apps, groups, version } : group;
}

/** Changes one group; it and the groups above it get the version, unless nothing changes. */
function changeGroup(
  root: RootGroup,
  id: PathId,
  version: Version,
  change: (group: Group) => Group,
): RootGroup {
  const segments = segmentsOf(id);
  const descend = (group: Group, depth: number): Group => {
    if (depth === segments.length) {
      const changed = change(group);
      return changed === group ? group : { ...changed, version };
    }
    const childId = `/${segments.slice(0, depth + 1).join('/')}`;
    const before = group.groups.get(childId);
    const after = descend(before ?? emptyGroup(childId, version), depth + 1);
    if (before === after) return group;
    return { ...group, groups: withEntry(group.groups, childId, after), version };
  };
  return descend(root, 0);
}

/** A map ordered by id. Siblings differ in their last segment only, so comparing texts is enough. */
export function orderedById<T>(entries: Iterable<readonly [PathId, T]>): ReadonlyMap<PathId, T> {
  return new Map([...entries].sort(([left], [right]) => comparePathIds(left, right)));
}

function withEntry<T>(map: ReadonlyMap<PathId, T>, id: PathId, value: T): ReadonlyMap<PathId, T> {
  if (map.has(id)) return new Map(map).set(id, value);
  const result = new Map<PathId, T>();
  let isPlaced = false;
  for (const [key, member] of map) {
    if (!isPlaced && compareText(id, key) < 0) {
      result.set(id, value);
      isPlaced = true;
    }
    result.set(key, member);
  }
  return isPlaced ? result : result.set(id, value);
}

function withoutEntry<T>(map: ReadonlyMap<PathId, T>, id: PathId): ReadonlyMap<PathId, T> {
  const result = new Map(map);
  result.delete(id);
  return result;
}
