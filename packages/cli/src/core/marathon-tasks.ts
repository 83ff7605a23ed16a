/**
 * Rows of `marathon task list` and `marathon group list`.
 */

import { compareText } from '@dcos/base';
import type { JsonObject } from '@dcos/base';
import { notAvailable, toTrueFalse } from './format.ts';
import { booleanField, objectsField, textField } from './json-field.ts';

export const marathonTaskHeadings: readonly string[] = [
  'APP',
  'HEALTHY',
  'STARTED',
  'HOST',
  'ID',
  'ROLE',
];

/** One row for each task, by app and id. */
export function marathonTaskRows(tasks: readonly JsonObject[]): readonly (readonly string[])[] {
  return tasks
    .map((task) => [
      textField(task, 'appId') ?? '',
      toTrueFalse(isHealthy(task)),
      textField(task, 'startedAt') ?? notAvailable,
      textField(task, 'host') ?? notAvailable,
      textField(task, 'id') ?? '',
      textField(task, 'role') ?? '',
    ])
    .toSorted(
      (left, right) =>
        compareText(left[0] ?? '', right[0] ?? '') || compareText(left[4] ?? '', right[4] ?? ''),
    );
}

/** The tasks of one app; all of them without an id. */
export function selectMarathonTasks(
  tasks: readonly JsonObject[],
  app: string | undefined,
): readonly JsonObject[] {
  return app === undefined ? tasks : tasks.filter((task) => textField(task, 'appId') === app);
}

export const groupHeadings: readonly string[] = ['ID', 'APPS', 'ENFORCE_ROLE'];

const groupDepthMax = 64;

/** One row for each group below the root, with the number of apps in it and below it. */
export function groupRows(root: JsonObject): readonly (readonly string[])[] {
  return groupsBelow(root, 0)
    .map((group) => [
      textField(group, 'id') ?? '',
      String(countApps(group, 0)),
      toTrueFalse(booleanField(group, 'enforceRole') ?? false),
    ])
    .toSorted((left, right) => compareText(left[0] ?? '', right[0] ?? ''));
}

function groupsBelow(group: JsonObject, depth: number): readonly JsonObject[] {
  if (depth >= groupDepthMax) return [];
  const own = objectsField(group, 'groups');
  return own.flatMap((child) => [child, ...groupsBelow(child, depth + 1)]);
}

function countApps(group: JsonObject, depth: number): number {
  if (depth >= groupDepthMax) return 0;
  return objectsField(group, 'groups').reduce(
    (sum, child) => sum + countApps(child, depth + 1),
    objectsField(group, 'apps').length,
  );
}

function isHealthy(task: JsonObject): boolean {
  return objectsField(task, 'healthCheckResults').every(
    (result) => booleanField(result, 'alive') ?? false,
  );
}
