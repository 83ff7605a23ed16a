/**
 * Rows of `marathon app list`, and the definition of an app as it comes from a file.
 */

import { compareText, err, isJsonObject, ok } from '@dcos/base';
import type { JsonObject, JsonValue, Result } from '@dcos/base';
import { formatAmount, formatSeveral, notAvailable, toTrueFalse, truncateText } from './format.ts';
import { numberField, objectField, objectsField, textField, textsField } from './json-field.ts';
import { actionName } from './marathon-deployments.ts';
import { isOverdue, queueItemId } from './marathon-queue.ts';

export const appHeadings: readonly string[] = [
  'ID',
  'MEM',
  'CPUS',
  'TASKS',
  'HEALTH',
  'DEPLOYMENT',
  'WAITING',
  'CONTAINER',
  'CMD',
  'ROLE',
];

const commandLengthMax = 30;
const none = '---';

export interface AppListDocuments {
  readonly apps: readonly JsonObject[];
  readonly deployments: readonly JsonObject[];
  readonly queue: readonly JsonObject[];
}

/** One row for each app, by id. */
export function appRows(documents: AppListDocuments): readonly (readonly string[])[] {
  const waiting = new Set(documents.queue.filter(isOverdue).map(queueItemId));
  return documents.apps
    .toSorted((left, right) => compareText(appId(left), appId(right)))
    .map((app) => [
      appId(app),
      formatAmount(numberField(app, 'mem')),
      formatAmount(numberField(app, 'cpus')),
      `${numberField(app, 'tasksRunning') ?? 0}/${numberField(app, 'instances') ?? 0}`,
      health(app),
      deploymentActions(app, documents.deployments),
      toTrueFalse(waiting.has(appId(app))),
      textField(objectField(app, 'container'), 'type') ?? 'mesos',
      command(app),
      textField(app, 'role') ?? '',
    ]);
}

/** The id of an app, empty when the server sent none. */
export function appId(app: JsonObject): string {
  return textField(app, 'id') ?? '';
}

/** True when something may wait: fewer instances run than are wanted, or a change is under way. */
export function mayWait(app: JsonObject): boolean {
  if (objectsField(app, 'deployments').length > 0) return true;
  return (numberField(app, 'tasksRunning') ?? 0) < (numberField(app, 'instances') ?? 0);
}

/** Checks the least that an app definition needs before it is sent: an object with an id. */
export function requireDefinition(
  value: JsonValue,
  source: string,
): Result<JsonObject & { readonly id: string }, string> {
  if (!isJsonObject(value)) return err(`${source} must hold one JSON object`);
  const id = value['id'];
  if (id === undefined) return err(`${source} has no "id"`);
  if (typeof id !== 'string' || id === '') return err(`"id" in ${source} must be a text`);
  return ok({ ...value, id });
}

/** Picks the version that a negative number means: -1 is the one before the newest. */
export function versionBefore(versions: readonly string[], offset: number): Result<string, string> {
  const newestFirst = versions.toSorted((left, right) => compareText(right, left));
  const found = newestFirst[-offset];
  if (found !== undefined) return ok(found);
  return err(`there are only ${versions.length} versions, ${offset} goes back too far`);
}

function health(app: JsonObject): string {
  if (objectsField(app, 'healthChecks').length === 0) return none;
  return `${numberField(app, 'tasksHealthy') ?? 0}/${numberField(app, 'tasksRunning') ?? 0}`;
}

function command(app: JsonObject): string {
  const args = textsField(app, 'args');
  const text = textField(app, 'cmd') ?? (args.length === 0 ? notAvailable : args.join(' '));
  return truncateText(text, commandLengthMax);
}

function deploymentActions(app: JsonObject, deployments: readonly JsonObject[]): string {
  const own = new Set(
    objectsField(app, 'deployments').flatMap((deployment) => textField(deployment, 'id') ?? []),
  );
  const actions = deployments
    .filter((deployment) => own.has(textField(deployment, 'id') ?? ''))
    .flatMap((deployment) => objectsField(deployment, 'currentActions'))
    .filter((action) => textField(action, 'app') === appId(app))
    .map((action) => actionName(textField(action, 'action') ?? ''));
  return formatSeveral([...new Set(actions)], none);
}
