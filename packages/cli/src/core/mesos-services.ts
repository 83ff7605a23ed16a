/**
 * Services, which the master calls frameworks: selection and the rows of `service list`.
 */

import { compareText } from '@dcos/base';
import type { JsonObject } from '@dcos/base';
import { formatOneDecimal, toTrueFalse } from './format.ts';
import { booleanField, numberField, objectField, objectsField, textField } from './json-field.ts';

export interface ServiceSelection {
  /** Also those that are known but not connected. */
  readonly inactive: boolean;
  /** Also those that ended. */
  readonly completed: boolean;
}

/** The frameworks of the state document that are asked for, by name and id. */
export function selectServices(
  state: JsonObject,
  selection: ServiceSelection,
): readonly JsonObject[] {
  const live = objectsField(state, 'frameworks').filter(
    (framework) => selection.inactive || (booleanField(framework, 'active') ?? false),
  );
  const ended = selection.completed ? objectsField(state, 'completed_frameworks') : [];
  return [...live, ...ended].toSorted(
    (left, right) =>
      compareText(textField(left, 'name') ?? '', textField(right, 'name') ?? '') ||
      compareText(textField(left, 'id') ?? '', textField(right, 'id') ?? ''),
  );
}

export const serviceHeadings: readonly string[] = [
  'NAME',
  'HOST',
  'ACTIVE',
  'TASKS',
  'CPU',
  'MEM',
  'DISK',
  'ID',
];

/** One row for each service, with the resources that its tasks hold. */
export function serviceRows(services: readonly JsonObject[]): readonly (readonly string[])[] {
  return services.map((service) => {
    const used = objectField(service, 'used_resources');
    return [
      textField(service, 'name') ?? '',
      textField(service, 'hostname') ?? '',
      toTrueFalse(booleanField(service, 'active') ?? false),
      String(objectsField(service, 'tasks').length),
      formatOneDecimal(numberField(used, 'cpus')),
      formatOneDecimal(numberField(used, 'mem')),
      formatOneDecimal(numberField(used, 'disk')),
      textField(service, 'id') ?? '',
    ];
  });
}
