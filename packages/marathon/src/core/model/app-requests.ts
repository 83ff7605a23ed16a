/**
 * The requests that change apps: from the body to a new root group, or to the answer that refuses them.
 *
 * Invariants: a request is carried out whole or not at all; the tree that is given is never changed.
 * Source: behaviour of Marathon 1.10.
 */

import { assert, err, ok, type Result } from '@dcos/base';
import type { AppDefinition, PathId, RootGroup, Version } from './app-definition.ts';
import { finishRoot, type ChangeContext } from './change-root.ts';
import { findApp, putApp, removeApp } from './group.ts';
import { readBody, readList } from './json-reader.ts';
import { resolvePath } from './path-id.ts';
import {
  appExists,
  illegalArgument,
  notValid,
  unknownApp,
  type Problem,
  type Violation,
} from './problem.ts';
import { readApp, readAppWithId, type RawApp } from './raw-app.ts';
import { below, resolveApp } from './resolve-app.ts';
import { enforcesRole } from './roles.ts';
import { parseVersion } from './timestamp.ts';

/** Former definitions, for going back to them. */
export interface AppVersions {
  readonly appAt: (id: PathId, version: Version) => AppDefinition | undefined;
}

export interface ChangedApp {
  readonly root: RootGroup;
  /** The app as it is in that root. */
  readonly app: AppDefinition;
}

/** Reads a new app; it is not in the tree yet and may lack service ports. */
export function parseAppCreate(
  root: RootGroup,
  body: string,
  context: ChangeContext,
): Result<AppDefinition, Problem> {
  const raw = readBody(body, readAppWithId);
  if (!raw.ok) return raw;
  const id = resolvePath(raw.value.id ?? '');
  const enforceRole = enforcesRole(root, id, context.settings);
  const app = resolveApp(raw.value, { id, enforceRole, keepsPresent: false }, context);
  return app.ok ? app : err(notValid(app.error));
}

/** POST /v2/apps. */
export function createApp(
  root: RootGroup,
  body: string,
  context: ChangeContext,
): Result<ChangedApp, Problem> {
  const app = parseAppCreate(root, body, context);
  if (!app.ok) return app;
  const { id } = app.value;
  if (findApp(root, id) !== undefined) return err(appExists(id));
  return changed({ original: root, target: putApp(root, app.value, context.version), id }, context);
}

export interface UpdateOptions {
  /** Fields that are left out keep their values; else they return to their defaults. */
  readonly partial: boolean;
  /** Whether an app that does not exist is made. */
  readonly mayCreate: boolean;
}

/** Reads an update of one app, a version to go back to included. */
export function parseAppUpdate(
  root: RootGroup,
  request: UpdateOptions & { readonly id: PathId; readonly body: string },
  context: ChangeContext & AppVersions,
): Result<AppDefinition, Problem> {
  const raw = readBody(request.body, readApp);
  return raw.ok ? resolveUpdate(root, raw.value, { ...request, place: '' }, context) : raw;
}

/** PUT and PATCH /v2/apps/{id}. */
export function updateApp(
  root: RootGroup,
  request: UpdateOptions & { readonly id: PathId; readonly body: string },
  context: ChangeContext & AppVersions,
): Result<ChangedApp & { readonly isCreated: boolean }, Problem> {
  const { id } = request;
  const app = parseAppUpdate(root, request, context);
  if (!app.ok) return app;
  const isCreated = findApp(root, id) === undefined;
  const change = changed(
    { original: root, target: putApp(root, app.value, context.version), id },
    context,
  );
  return change.ok ? ok({ ...change.value, isCreated }) : change;
}

/** PUT and PATCH /v2/apps: a list of updates, carried out as one. */
export function updateApps(
  root: RootGroup,
  request: UpdateOptions & { readonly body: string },
  context: ChangeContext & AppVersions,
): Result<RootGroup, Problem> {
  const raws = readBody(request.body, readList(readAppWithId));
  if (!raws.ok) return raws;
  let target = root;
  const seen = new Set<PathId>();
  for (const [index, raw] of raws.value.entries()) {
    const id = resolvePath(raw.id ?? '');
    if (seen.has(id)) {
      return err(notValid([{ path: `(${index})/id`, error: `${id} is there more than once` }]));
    }
    seen.add(id);
    const place = `(${index})`;
    const app = resolveUpdate(root, raw, { ...request, id, place }, context);
    if (!app.ok) return app;
    target = putApp(target, app.value, context.version);
  }
  return finishRoot(root, target, context);
}

/** DELETE /v2/apps/{id}. */
export function deleteApp(
  root: RootGroup,
  id: PathId,
  context: ChangeContext,
): Result<RootGroup, Problem> {
  if (findApp(root, id) === undefined) return err(unknownApp(id));
  return finishRoot(root, removeApp(root, id, context.version), context);
}

/** POST /v2/apps/{id}/restart. */
export function restartApp(
  root: RootGroup,
  id: PathId,
  context: ChangeContext,
): Result<ChangedApp, Problem> {
  const app = findApp(root, id);
  if (app === undefined) return err(unknownApp(id));
  const target = putApp(root, { ...app }, context.version);
  return changed({ original: root, target, id, restart: id }, context);
}

/** Sets the number of instances, as killing with `scale` does. */
export function scaleApp(
  root: RootGroup,
  { id, instances }: { readonly id: PathId; readonly instances: number },
  context: ChangeContext,
): Result<ChangedApp, Problem> {
  const app = findApp(root, id);
  if (app === undefined) return err(unknownApp(id));
  const scaled = { ...app, instances: Math.max(0, instances) };
  return changed({ original: root, target: putApp(root, scaled, context.version), id }, context);
}

interface Update extends UpdateOptions {
  readonly id: PathId;
  /** Where the update is in the body. */
  readonly place: string;
}

function resolveUpdate(
  root: RootGroup,
  raw: RawApp,
  { id, partial, mayCreate, place }: Update,
  context: ChangeContext & AppVersions,
): Result<AppDefinition, Problem> {
  const present = findApp(root, id);
  if (present === undefined && !mayCreate) return err(unknownApp(id));
  if (raw.version !== undefined) return formerApp(raw, { id, present, place }, context);
  const enforceRole = enforcesRole(root, id, context.settings);
  const app = resolveApp(raw, { id, enforceRole, present, keepsPresent: partial }, context);
  return app.ok ? app : err(notValid(below(place, app.error)));
}

/** The definition that an app had at a version. */
function formerApp(
  raw: RawApp,
  at: { readonly id: PathId; readonly present: AppDefinition | undefined; readonly place: string },
  { appAt }: AppVersions,
): Result<AppDefinition, Problem> {
  if (raw.written.size > 0) {
    const error = "The 'version' field may only be combined with the 'id' field.";
    const violation: Violation = { path: '/', error };
    return err(notValid(below(at.place, [violation])));
  }
  const version = parseVersion(raw.version ?? '');
  if (version === undefined) {
    return err(illegalArgument(`'${raw.version ?? ''}' is not a version: a timestamp is expected`));
  }
  if (at.present === undefined) return err(unknownApp(at.id));
  const former = appAt(at.id, version);
  return former === undefined ? err(unknownApp(at.id, version)) : ok(former);
}

interface Change {
  readonly original: RootGroup;
  readonly target: RootGroup;
  readonly id: PathId;
  readonly restart?: PathId;
}

function changed(change: Change, context: ChangeContext): Result<ChangedApp, Problem> {
  const { id } = change;
  const root = finishRoot(change.original, change.target, context, change.restart);
  if (!root.ok) return root;
  const app = findApp(root.value, id);
  assert(app !== undefined, `app ${id} must be in the tree that it was put into`);
  return ok({ root: root.value, app });
}
