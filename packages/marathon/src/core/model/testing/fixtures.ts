/** Contexts, definitions and short forms for tests of the app model. */

import { assert, isJsonObject, type JsonObject, type JsonValue, type Result } from '@dcos/base';
import type { AppDefinition, RootGroup, Version } from '../app-definition.ts';
import { createApp, type AppVersions } from '../app-requests.ts';
import type { ChangeContext } from '../change-root.ts';
import type { RootVersions } from '../group-requests.ts';
import { emptyRoot } from '../group.ts';
import type { Problem } from '../problem.ts';
import { DEFAULT_MODEL_SETTINGS, type ModelSettings } from '../settings.ts';

export const FIRST: Version = '2026-01-01T00:00:00.000Z';
export const SECOND: Version = '2026-01-01T00:00:01.000Z';
export const THIRD: Version = '2026-01-01T00:00:02.000Z';

export const EMPTY = emptyRoot(FIRST);

export function contextAt(
  version: Version,
  settings: Partial<ModelSettings> = {},
  versions: Partial<AppVersions & RootVersions> = {},
): ChangeContext & AppVersions & RootVersions {
  return {
    version,
    settings: { ...DEFAULT_MODEL_SETTINGS, ...settings },
    appAt: versions.appAt ?? (() => undefined),
    rootAt: versions.rootAt ?? (() => undefined),
  };
}

/** The value of a Result that must have one. */
export function valueOf<T>(result: Result<T, Problem>): T {
  assert(result.ok, result.ok ? '' : JSON.stringify(result.error));
  return result.value;
}

/** The problem of a Result that must have one. */
export function problemOf(result: Result<unknown, Problem>): Problem {
  assert(!result.ok, 'a refusal was expected');
  return result.error;
}

/** The places that a problem names, with their texts. */
export function detailsOf(result: Result<unknown, Problem>): Readonly<Record<string, JsonValue>> {
  const { details } = problemOf(result).body;
  assert(Array.isArray(details), `details expected in ${JSON.stringify(problemOf(result).body)}`);
  const entries = (details as readonly JsonValue[]).map((detail): [string, JsonValue] => {
    assert(isJsonObject(detail), 'a detail is an object');
    const { path } = detail;
    assert(typeof path === 'string', 'a detail has a path');
    return [path, detail.errors ?? null];
  });
  return Object.fromEntries(entries);
}

/** The smallest app, and what is different about it. */
export function create(
  fields: JsonObject,
  settings: Partial<ModelSettings> = {},
  root: RootGroup = EMPTY,
): Result<{ readonly root: RootGroup; readonly app: AppDefinition }, Problem> {
  const body = { id: '/app', cmd: 'sleep 1', ...fields };
  return createApp(root, JSON.stringify(body), contextAt(FIRST, settings));
}

/** The app that a request for it gives. */
export function created(fields: JsonObject, settings: Partial<ModelSettings> = {}): AppDefinition {
  return valueOf(create(fields, settings)).app;
}

/** A tree with these apps, by one request after the other. */
export function treeOf(...apps: readonly JsonObject[]): RootGroup {
  let root: RootGroup = EMPTY;
  for (const app of apps) {
    const body = JSON.stringify({ cmd: 'sleep 1', ...app });
    root = valueOf(createApp(root, body, contextAt(FIRST))).root;
  }
  return root;
}
