/**
 * How state is stored: one small record per app version, group version, instance, deployment and task
 * failure, and one for the framework id. No record grows with the cluster.
 *
 * Keys: `marathon/app/<id>/<version>`, `marathon/group/<id>/<version>`, `marathon/instance/<id>`,
 * `marathon/deployment/<id>`, `marathon/deployment/<id>/<app id>`, `marathon/failure/<app id>`, `marathon/framework`. Path ids are
 * percent-encoded, so that a key has as many segments as it says.
 *
 * A removed app or group leaves a tombstone version, so that the root group can be rebuilt as it was.
 */

import { compareText, isJsonObject, type JsonObject, type JsonValue } from '@dcos/base';
import type { AppDefinition } from '../model/index.ts';
import type { ActionKind, DeploymentAction, DeploymentPlan } from './deployment.ts';
import type { RecordWrite } from './effects.ts';
import type { Instance } from './instance.ts';
import type { AppDifference, GroupDifference } from './root-difference.ts';

export const RECORD_PREFIX = 'marathon/';
const FRAMEWORK_KEY = `${RECORD_PREFIX}framework`;

/** What a group has beside its children. */
export interface GroupRecord {
  readonly id: string;
  readonly version: string;
  readonly dependencies: readonly string[];
  readonly enforceRole?: boolean;
}

/** The last failure of a task of an app. */
export interface TaskFailure {
  readonly appId: string;
  readonly host: string;
  readonly message: string;
  readonly state: string;
  readonly taskId: string;
  readonly timestamp: string;
  readonly version: string;
  readonly slaveId?: string;
}

/** What a deployment is beside the apps that it changes. */
export type DeploymentHeader = Omit<DeploymentPlan, 'steps' | 'changes'>;

interface StoredAction {
  readonly step: number;
  readonly action: ActionKind;
}

/** What a deployment does to one app. */
export interface DeploymentChange extends AppDifference {
  readonly deployment: string;
  readonly app: string;
  readonly actions: readonly StoredAction[];
}

export type StoredRecord =
  | { readonly kind: 'framework'; readonly frameworkId: string }
  | {
      readonly kind: 'app';
      readonly id: string;
      readonly version: string;
      readonly app: AppDefinition | undefined;
    }
  | {
      readonly kind: 'group';
      readonly id: string;
      readonly version: string;
      readonly group: GroupRecord | undefined;
    }
  | { readonly kind: 'instance'; readonly instance: Instance }
  | { readonly kind: 'deployment'; readonly header: DeploymentHeader }
  | { readonly kind: 'deploymentChange'; readonly change: DeploymentChange }
  | { readonly kind: 'failure'; readonly failure: TaskFailure };

/** `/a/b` as one segment of a key. */
function segment(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('/', '%2F');
}

function unsegment(text: string): string {
  return text.replaceAll('%2F', '/').replaceAll('%25', '%');
}

/** Records are plain data: what JSON makes of them is the same value again. */
function asJson(value: unknown): JsonValue {
  return value as JsonValue;
}

export function frameworkRecord(frameworkId: string | undefined): RecordWrite {
  return { key: FRAMEWORK_KEY, value: frameworkId === undefined ? undefined : { id: frameworkId } };
}

export function appRecord(
  id: string,
  version: string,
  app: AppDefinition | undefined,
): RecordWrite {
  return {
    key: `${RECORD_PREFIX}app/${segment(id)}/${version}`,
    value: { app: asJson(app ?? null) },
  };
}

export function appRecordRemoval(id: string, version: string): RecordWrite {
  return { key: `${RECORD_PREFIX}app/${segment(id)}/${version}`, value: undefined };
}

export function groupRecord(
  id: string,
  version: string,
  group: GroupRecord | undefined,
): RecordWrite {
  return {
    key: `${RECORD_PREFIX}group/${segment(id)}/${version}`,
    value: { group: asJson(group ?? null) },
  };
}

export function groupRecordRemoval(id: string, version: string): RecordWrite {
  return { key: `${RECORD_PREFIX}group/${segment(id)}/${version}`, value: undefined };
}

export function instanceRecord(instance: Instance): RecordWrite {
  return { key: `${RECORD_PREFIX}instance/${segment(instance.id)}`, value: asJson(instance) };
}

export function instanceRecordRemoval(id: string): RecordWrite {
  return { key: `${RECORD_PREFIX}instance/${segment(id)}`, value: undefined };
}

/** A deployment: one record, and one for each app that it changes, so that none grows with their number. */
export function deploymentRecords(plan: DeploymentPlan): RecordWrite[] {
  const steps = new Map<string, StoredAction[]>();
  for (const [index, { actions }] of plan.steps.entries()) {
    for (const { app, action } of actions)
      steps.set(app, [...(steps.get(app) ?? []), { step: index, action }]);
  }
  const header: RecordWrite = {
    key: `${RECORD_PREFIX}deployment/${plan.id}`,
    value: {
      id: plan.id,
      version: plan.version,
      createdAt: plan.createdAt,
      groups: asJson([...plan.groups]),
    },
  };
  const changes = [...plan.changes].map(([appId, change]) => ({
    key: changeKey(plan.id, appId),
    value: { deployment: plan.id, app: appId, ...change, actions: steps.get(appId) ?? [] },
  }));
  // The header comes last: without it the others are no deployment.
  return [...changes.map(({ key, value }) => ({ key, value: asJson(value) })), header];
}

export function deploymentRecordRemovals(plan: DeploymentPlan): RecordWrite[] {
  const keys = [
    `${RECORD_PREFIX}deployment/${plan.id}`,
    ...[...plan.changes.keys()].map((appId) => changeKey(plan.id, appId)),
  ];
  return keys.map((key) => ({ key, value: undefined }));
}

function changeKey(deploymentId: string, appId: string): string {
  return `${RECORD_PREFIX}deployment/${deploymentId}/${segment(appId)}`;
}

/** Puts a plan together from its records. */
export function planOf(
  header: DeploymentHeader,
  changes: readonly DeploymentChange[],
): DeploymentPlan {
  const steps: DeploymentAction[][] = [];
  for (const { app, actions } of changes) {
    for (const { step, action } of actions) (steps[step] ??= []).push({ action, app });
  }
  const ordered = [...changes].sort((left, right) => compareText(left.app, right.app));
  return {
    ...header,
    steps: steps.map((actions) => ({
      actions: actions.sort((left, right) => compareText(left.app, right.app)),
    })),
    changes: new Map(
      ordered.map(({ app, original, target }) => [
        app,
        {
          ...(original === undefined ? {} : { original }),
          ...(target === undefined ? {} : { target }),
        },
      ]),
    ),
  };
}

export function failureRecord(appId: string, failure: TaskFailure | undefined): RecordWrite {
  return {
    key: `${RECORD_PREFIX}failure/${segment(appId)}`,
    value: failure === undefined ? undefined : asJson(failure),
  };
}

/**
 * Reads a record back. Undefined for a key of another version of the program, which is left alone.
 * The value is trusted to be what was written: the store is ours.
 */
export function readRecord(key: string, value: JsonValue): StoredRecord | undefined {
  if (!key.startsWith(RECORD_PREFIX) || !isJsonObject(value)) return undefined;
  if (key === FRAMEWORK_KEY) {
    return typeof value.id === 'string' ? { kind: 'framework', frameworkId: value.id } : undefined;
  }
  const [kind, id = '', version = ''] = key.slice(RECORD_PREFIX.length).split('/');
  switch (kind) {
    case 'app':
      return {
        kind,
        id: unsegment(id),
        version,
        app: value.app === null ? undefined : (value.app as unknown as AppDefinition),
      };
    case 'group':
      return {
        kind,
        id: unsegment(id),
        version,
        group: value.group === null ? undefined : (value.group as unknown as GroupRecord),
      };
    case 'instance':
      return { kind, instance: value as unknown as Instance };
    case 'deployment':
      return id !== '' && version !== ''
        ? { kind: 'deploymentChange', change: value as unknown as DeploymentChange }
        : { kind, header: readHeader(value) };
    case 'failure':
      return { kind, failure: value as unknown as TaskFailure };
    default:
      return undefined;
  }
}

function readHeader(value: JsonObject): DeploymentHeader {
  return {
    id: value.id as string,
    version: value.version as string,
    createdAt: value.createdAt as number,
    groups: new Map(value.groups as unknown as readonly [string, GroupDifference][]),
  };
}
