/**
 * The fields of definitions, and `key=value` arguments of `app update` and `group update`. A value is JSON where it parses as
 * JSON, and text otherwise, so that `instances=3`, `env='{"A":"b"}'` and `cmd='sleep 10'` all work.
 */

import { err, nearestWord, ok } from '@dcos/base';
import type { JsonObject, JsonValue, Result } from '@dcos/base';

/** Every field of an app that a client may write. */
export const appFields: readonly string[] = [
  'id',
  'acceptedResourceRoles',
  'args',
  'backoffFactor',
  'backoffSeconds',
  'check',
  'cmd',
  'constraints',
  'container',
  'cpus',
  'dependencies',
  'disk',
  'env',
  'executor',
  'executorResources',
  'fetch',
  'gpus',
  'healthChecks',
  'instances',
  'ipAddress',
  'killSelection',
  'labels',
  'maxLaunchDelaySeconds',
  'mem',
  'networks',
  'portDefinitions',
  'ports',
  'readinessChecks',
  'requirePorts',
  'residency',
  'resourceLimits',
  'role',
  'secrets',
  'storeUrls',
  'taskKillGracePeriodSeconds',
  'tty',
  'unreachableStrategy',
  'upgradeStrategy',
  'uris',
  'user',
  'version',
];

/** What Marathon adds to the apps that it shows; harmless in a definition that was copied from there. */
const shownFields: ReadonlySet<string> = new Set([
  'deployments',
  'lastTaskFailure',
  'readinessCheckResults',
  'taskStats',
  'tasks',
  'tasksHealthy',
  'tasksRunning',
  'tasksStaged',
  'tasksUnhealthy',
  'versionInfo',
]);

/** Every field of a group that a client may write. */
export const groupFields: readonly string[] = [
  'id',
  'apps',
  'dependencies',
  'enforceRole',
  'groups',
  'pods',
  'scaleBy',
  'version',
];

/** The object that the arguments describe; the error is a sentence for a person. */
export function parseProperties(
  words: readonly string[],
  known: readonly string[],
): Result<JsonObject, string> {
  const properties: Record<string, JsonValue> = {};
  for (const word of words) {
    const equals = word.indexOf('=');
    if (equals <= 0) return err(`"${word}" is no property: expected name=value`);
    const name = word.slice(0, equals);
    if (!known.includes(name))
      return err(`"${name}" is not a known property${hintOf(name, known)}`);
    properties[name] = parseValue(word.slice(equals + 1));
  }
  return ok(properties);
}

/** One sentence for every field of an app's definition that Marathon does not know and would ignore. */
export function unknownFieldSentences(definition: JsonObject): readonly string[] {
  return Object.keys(definition)
    .filter((name) => !appFields.includes(name) && !shownFields.has(name))
    .map((name) => `"${name}" is no field of an app and has no effect${hintOf(name, appFields)}`);
}

function hintOf(name: string, known: readonly string[]): string {
  const near = nearestWord(name, known);
  return near === undefined ? '' : `. Did you mean "${near}"?`;
}

function parseValue(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
