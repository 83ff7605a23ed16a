/**
 * The requests that change groups: from the body to a new root group, or to the answer that refuses them.
 *
 * Source: behaviour of Marathon 1.10.
 */

import { err, ok, type Result } from '@dcos/base';
import {
  INSTANCES_PER_APP_MAX,
  type Group,
  type PathId,
  type RootGroup,
  type Version,
} from './app-definition.ts';
import { finishRoot, type ChangeContext } from './change-root.ts';
import { allApps, findApp, findGroup, mapApps, putGroup, removeGroup } from './group.ts';
import { readBody } from './json-reader.ts';
import { isDirectChild, resolvePath, ROOT_PATH } from './path-id.ts';
import {
  appAtGroupPath,
  groupExists,
  illegalArgument,
  notValid,
  unknownGroup,
  type Problem,
} from './problem.ts';
import { readGroup, readGroupPatch, type RawGroup } from './raw-group.ts';
import { resolveGroup } from './resolve-group.ts';
import { enforcesRole } from './roles.ts';
import { parseVersion } from './timestamp.ts';

/** Former states, for going back to them. */
export interface RootVersions {
  readonly rootAt: (version: Version) => RootGroup | undefined;
}

export interface GroupRequest {
  /** The id in the URL; an id in the body is relative to it. */
  readonly id: PathId;
  readonly body: string;
}

export interface GroupChange {
  readonly root: RootGroup;
  /** The group that the request is about. */
  readonly groupId: PathId;
}

/** POST /v2/groups and /v2/groups/{id}. */
export function createGroup(
  root: RootGroup,
  request: GroupRequest,
  context: ChangeContext,
): Result<GroupChange, Problem> {
  const raw = readBody(request.body, readGroup);
  if (!raw.ok) return raw;
  const groupId = resolvePath(raw.value.id ?? '', request.id);
  if (findGroup(root, groupId) !== undefined) return err(groupExists(groupId));
  if (findApp(root, groupId) !== undefined) return err(appAtGroupPath(groupId));
  if (raw.value.scaleBy !== undefined || raw.value.version !== undefined) {
    return err(unknownGroup(groupId));
  }
  return replaced(root, { raw: raw.value, groupId }, context);
}

/** PUT /v2/groups and /v2/groups/{id}. */
export function updateGroup(
  root: RootGroup,
  request: GroupRequest,
  context: ChangeContext & RootVersions,
): Result<GroupChange & { readonly isCreated: boolean }, Problem> {
  const raw = readBody(request.body, readGroup);
  if (!raw.ok) return raw;
  const groupId = resolvePath(raw.value.id ?? '', request.id);
  const isCreated = findGroup(root, groupId) === undefined;
  const change = updated(root, { raw: raw.value, groupId }, context);
  return change.ok ? ok({ ...change.value, isCreated }) : change;
}

/** PATCH /v2/groups/{id}: what a top-level group says about roles. */
export function patchGroup(
  root: RootGroup,
  request: GroupRequest,
  context: ChangeContext,
): Result<GroupChange, Problem> {
  const raw = readBody(request.body, readGroupPatch);
  if (!raw.ok) return raw;
  const { id } = request;
  const group = findGroup(root, id);
  if (group === undefined) return err(unknownGroup(id));
  if (!isDirectChild(id, ROOT_PATH)) {
    const error = 'enforceRole can only be set for top-level groups';
    return err(notValid([{ path: '/enforceRole', error }]));
  }
  const { enforceRole } = raw.value;
  return finished(root, putGroup(root, { ...group, enforceRole }, context.version), id, context);
}

/** DELETE /v2/groups and /v2/groups/{id}; the root is emptied. */
export function deleteGroup(
  root: RootGroup,
  id: PathId,
  context: ChangeContext,
): Result<GroupChange, Problem> {
  if (findGroup(root, id) === undefined) return err(unknownGroup(id));
  return finished(root, removeGroup(root, id, context.version), id, context);
}

interface Update {
  readonly raw: RawGroup;
  readonly groupId: PathId;
}

function updated(
  root: RootGroup,
  update: Update,
  context: ChangeContext & RootVersions,
): Result<GroupChange, Problem> {
  const { raw, groupId } = update;
  const { version: to, scaleBy } = raw;
  if (to === undefined && scaleBy === undefined) return replaced(root, update, context);
  const others = [raw.apps, raw.groups, raw.dependencies, raw.enforceRole];
  if (others.some((other) => other !== undefined)) {
    const name = to === undefined ? 'scaleBy' : 'version';
    const error = `${name} is not allowed in conjunction with other properties`;
    return err(notValid([{ path: '/', error }]));
  }
  const group = findGroup(root, groupId);
  if (to !== undefined) return wentBack(root, { to, groupId }, context);
  if (group === undefined) return err(unknownGroup(groupId));
  const scaled = mapApps(group, context.version, (app) => {
    const instances = Math.ceil(stable(app.instances * (scaleBy ?? 1)));
    return instances === app.instances ? app : { ...app, instances };
  });
  const large = allApps(scaled).find(({ instances }) => instances > INSTANCES_PER_APP_MAX);
  if (large !== undefined) {
    const message = `scaleBy gives ${large.id} more than ${INSTANCES_PER_APP_MAX} instances`;
    return err(illegalArgument(message));
  }
  return finished(root, putGroup(root, scaled, context.version), groupId, context);
}

/** 10 × 1.1 must be 11, not what binary fractions make of it. */
function stable(value: number): number {
  return Math.round(value * 1e9) / 1e9;
}

/** Puts a group back to what it was in a version of the root. */
function wentBack(
  root: RootGroup,
  { to, groupId }: { readonly to: string; readonly groupId: PathId },
  context: ChangeContext & RootVersions,
): Result<GroupChange, Problem> {
  const version = parseVersion(to);
  const former = version === undefined ? undefined : context.rootAt(version);
  if (former === undefined) return err(illegalArgument(`Version ${to} is not available.`));
  const group = findGroup(former, groupId);
  if (group === undefined) {
    return err(illegalArgument(`Group ${groupId} is not available in version ${to}.`));
  }
  return finished(root, putGroup(root, group, context.version), groupId, context);
}

function replaced(
  root: RootGroup,
  { raw, groupId }: Update,
  context: ChangeContext,
): Result<GroupChange, Problem> {
  const enforceRole =
    groupId === ROOT_PATH ? undefined : enforcesRole(root, groupId, context.settings);
  const group: Result<Group, Parameters<typeof notValid>[0]> = resolveGroup(
    raw,
    { root, id: groupId, path: '', enforceRole },
    context,
  );
  if (!group.ok) return err(notValid(group.error));
  return finished(root, putGroup(root, group.value, context.version), groupId, context);
}

function finished(
  original: RootGroup,
  target: RootGroup,
  groupId: PathId,
  context: ChangeContext,
): Result<GroupChange, Problem> {
  const root = finishRoot(original, target, context);
  return root.ok ? ok({ root: root.value, groupId }) : root;
}
