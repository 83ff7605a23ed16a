/**
 * Incidents of the cluster as rows of `incident list`.
 */

import type { JsonObject } from '@dcos/base';
import { numberField, textField } from './json-field.ts';

export const incidentHeadings: readonly string[] = ['STARTED', 'STATE', 'TASKS', 'WHAT HAPPENED'];

/** One row for each, in the given order; times are UTC. */
export function incidentRows(incidents: readonly JsonObject[]): readonly (readonly string[])[] {
  return incidents.map((incident) => [
    (textField(incident, 'started_at') ?? '').slice(0, 19).replace('T', ' '),
    textField(incident, 'outcome') ?? 'GOING ON',
    String(numberField(incident, 'tasks_affected') ?? 0),
    textField(incident, 'summary') ?? '',
  ]);
}
