/**
 * Rows of `marathon deployment list`.
 */

import { compareText } from '@dcos/base';
import type { JsonObject } from '@dcos/base';
import { formatSeveral } from './format.ts';
import { numberField, objectsField, textField, textsField } from './json-field.ts';

export const deploymentHeadings: readonly string[] = ['APP', 'POD', 'ACTION', 'PROGRESS', 'ID'];

const actionNames: Readonly<Record<string, string>> = {
  ResolveArtifacts: 'artifacts',
  ScaleApplication: 'scale',
  StartApplication: 'start',
  StopApplication: 'stop',
  RestartApplication: 'restart',
  KillAllOldTasksOf: 'kill-tasks',
  ScalePod: 'scale',
  StartPod: 'start',
  StopPod: 'stop',
  RestartPod: 'restart',
};

/** The short name of a deployment action; unknown ones as they are. */
export function actionName(action: string): string {
  return actionNames[action] ?? action;
}

/** The deployments that touch an app or pod; all of them without an id. */
export function selectDeployments(
  deployments: readonly JsonObject[],
  id: string | undefined,
): readonly JsonObject[] {
  if (id === undefined) return deployments;
  return deployments.filter(
    (item) =>
      textsField(item, 'affectedApps').includes(id) ||
      textsField(item, 'affectedPods').includes(id),
  );
}

/** One row for each deployment, by app. */
export function deploymentRows(deployments: readonly JsonObject[]): readonly (readonly string[])[] {
  return deployments
    .map((item) => [
      formatSeveral(textsField(item, 'affectedApps'), '-'),
      formatSeveral(textsField(item, 'affectedPods'), '-'),
      formatSeveral(
        objectsField(item, 'currentActions').map((action) =>
          actionName(textField(action, 'action') ?? ''),
        ),
        '-',
      ),
      progress(item),
      textField(item, 'id') ?? '',
    ])
    .toSorted((left, right) => compareText(left[0] ?? '', right[0] ?? ''));
}

// The step that is being worked on is not done yet.
function progress(deployment: JsonObject): string {
  const done = Math.max(0, (numberField(deployment, 'currentStep') ?? 1) - 1);
  return `${done}/${numberField(deployment, 'totalSteps') ?? 0}`;
}
