/**
 * How state is stored: one small record per app version, group version, instance, deployment and task
 * failure, and one for the framework id. No record grows with the cluster.
 *
 * Keys: `marathon/app/<id>/<version>`, `marathon/group/<id>/<version>`, `marathon/instance/<id>`,
 * `marathon/deployment/<id>`, `marathon/failure/<app id>`, `marathon/framework`. Path ids are
 * percent-encoded, so that a key has as many segments as it says.
 *
 * A removed app or group leaves a tombstone version, so that the root group can be rebuilt as it was.
 */

import { isJsonObject, type JsonObject, type JsonValue } from '@dcos/base';
import type { AppDefinition } from '../model/index.ts';
import type { DeploymentPlan, DeploymentStep } from './deployment.ts';
import type { RecordWrite } from './effects.ts';
import type { Instance } from './instance.ts';

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
  | { readonly kind: 'deployment'; readonly plan: DeploymentPlan }
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

export function deploymentRecord(plan: DeploymentPlan): RecordWrite {
  const value: JsonObject = {
    id: plan.id,
    version: plan.version,
    createdAt: plan.createdAt,
    steps: asJson(plan.steps),
    changes: asJson([...plan.changes]),
    groups: asJson([...plan.groups]),
  };
  return { key: `${RECORD_PREFIX}deployment/${plan.id}`, value };
}

export function deploymentRecordRemoval(id: string): RecordWrite {
  return { key: `${RECORD_PREFIX}deployment/${id}`, value: undefined };
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
      return { kind, plan: readPlan(value) };
    case 'failure':
      return { kind, failure: value as unknown as TaskFailure };
    default:
      return undefined;
  }
}

function readPlan(value: JsonObject): DeploymentPlan {
  return {
    id: value.id as string,
    version: value.version as string,
    createdAt: value.createdAt as number,
    steps: value.steps as unknown as readonly DeploymentStep[],
    changes: new Map(value.changes as unknown as readonly [string, never][]),
    groups: new Map(value.groups as unknown as readonly [string, never][]),
  };
}
