/**
 * From what a request says about an app to a definition that satisfies every rule about a single app.
 */

import { err, ok, type Result } from '@dcos/base';
import type { AppDefinition, PathId } from './app-definition.ts';
import type { ChangeContext } from './change-root.ts';
import { translateLegacy } from './legacy-notation.ts';
import { completeApp, mergeUpdate } from './normalise-app.ts';
import { pathProblem, ROOT_PATH } from './path-id.ts';
import type { Violation } from './problem.ts';
import type { RawApp } from './raw-app.ts';
import { rolePolicyOf, roleViolations } from './roles.ts';
import { appViolations } from './validate-app.ts';

export interface AppPlace {
  readonly id: PathId;
  /** Whether the top-level group around the app enforces its role. */
  readonly enforceRole: boolean;
  /** The definition that the app has now. */
  readonly present?: AppDefinition | undefined;
  /** Fields that the request leaves out keep their present values, rather than getting the defaults. */
  readonly keepsPresent: boolean;
}

/** The definition that a request asks for, or everything that is wrong with it. */
export function resolveApp(
  raw: RawApp,
  place: AppPlace,
  { settings, version }: ChangeContext,
): Result<AppDefinition, readonly Violation[]> {
  const { id, present } = place;
  const translated = translateLegacy(raw, settings);
  if (!translated.ok) return translated;
  const update =
    place.keepsPresent && present !== undefined
      ? mergeUpdate(present, translated.value)
      : translated.value;
  const policy = rolePolicyOf(id, place.enforceRole, settings);
  const { defaultRole } = policy;
  const { app, violations } = completeApp(update, { id, defaultRole, version, settings });
  const all = [
    ...idViolations(id, raw.id),
    ...violations,
    ...appViolations(app, settings),
    ...roleViolations(app.role, present?.role, policy),
  ];
  return all.length > 0 ? err(all) : ok(app);
}

/** What is wrong with the name of an app. */
function idViolations(id: PathId, written: string | undefined): readonly Violation[] {
  if (id === ROOT_PATH) return [{ path: '/id', error: 'must not be the root' }];
  const problem = pathProblem(written ?? id) ?? pathProblem(id);
  return problem === undefined ? [] : [{ path: '/id', error: problem }];
}

/** The same violations in an object that is part of another one. */
export function below(prefix: string, violations: readonly Violation[]): readonly Violation[] {
  if (prefix === '') return violations;
  return violations.map(({ path, error }) => ({
    path: path === '/' ? prefix : `${prefix}${path}`,
    error,
  }));
}
