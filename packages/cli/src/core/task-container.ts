/** Which container a task runs in, from the master's state document. */

import { err, ok } from '@dcos/base';
import type { JsonObject, Result } from '@dcos/base';
import { objectField, objectsField, textField } from './json-field.ts';
import type { ClusterTask } from './mesos-tasks.ts';

/** A container's id, within those around it. */
export interface ContainerIdentity {
  readonly value: string;
  readonly parent?: ContainerIdentity;
}

/** The container that the newest status names. */
export function containerOf(task: ClusterTask): Result<ContainerIdentity, string> {
  const statuses = objectsField(task.document, 'statuses');
  for (const status of statuses.toReversed()) {
    const found = identityOf(objectField(objectField(status, 'container_status'), 'container_id'));
    if (found !== undefined) return ok(found);
  }
  return err(`the task "${task.id}" has no container yet, it is ${task.state}`);
}

function identityOf(document: JsonObject | undefined): ContainerIdentity | undefined {
  const value = textField(document, 'value');
  if (value === undefined) return undefined;
  const parent = identityOf(objectField(document, 'parent'));
  return parent === undefined ? { value } : { value, parent };
}
