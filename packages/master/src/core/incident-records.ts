/**
 * Incidents as the registry holds them. One that cannot be read is left out: a report is no reason for a master not to
 * start.
 */

import { isJsonObject, type JsonObject, type JsonValue } from '@dcos/base';
import type { TaskState } from '@dcos/wire';
import {
  INCIDENT_KINDS,
  INCIDENT_OUTCOMES,
  type AffectedTask,
  type Incident,
} from './incidents.ts';

/** Digits of a number in its key, so that keys are in the order of numbers. */
const NUMBER_DIGITS = 12;

/** What names an incident in the registry. */
export const incidentKey = (number: number): string => String(number).padStart(NUMBER_DIGITS, '0');

/** As it is written. */
export function incidentRecord(incident: Incident): JsonObject {
  const { kind, subject, startedAt, endedAt, outcome, reason, repeats, leader, agents } = incident;
  return {
    kind,
    subject: { ...subject },
    started_at: startedAt,
    ended_at: endedAt,
    outcome,
    reason,
    tasks: incident.tasks.map(({ taskId, frameworkId, agentId, state }) => ({
      task_id: taskId,
      framework_id: frameworkId,
      agent_id: agentId,
      state,
    })),
    tasks_affected: incident.tasksAffected,
    repeats,
    leader,
    agents: agents && { ...agents },
  };
}

/** As it was read; undefined for what this version cannot read. */
export function incidentOf(key: string, value: JsonObject): Incident | undefined {
  const number = Number(key);
  const kind = INCIDENT_KINDS.find((one) => one === value['kind']);
  const outcome = INCIDENT_OUTCOMES.find((one) => one === value['outcome']);
  const { subject, started_at, ended_at, reason, tasks, tasks_affected, repeats, leader, agents } =
    value;
  if (!Number.isSafeInteger(number) || kind === undefined || !isJsonObject(subject))
    return undefined;
  const { id, name } = subject;
  if (typeof id !== 'string' || typeof name !== 'string') return undefined;
  if (typeof started_at !== 'number' || typeof reason !== 'string') return undefined;
  if (typeof leader !== 'string' || !Array.isArray(tasks)) return undefined;
  return {
    number,
    kind,
    subject: { id, name },
    startedAt: started_at,
    ...(typeof ended_at === 'number' && { endedAt: ended_at }),
    ...(outcome !== undefined && { outcome }),
    reason,
    tasks: (tasks as readonly JsonValue[]).flatMap(taskOf),
    tasksAffected: countOf(tasks_affected),
    repeats: countOf(repeats),
    leader,
    ...(isJsonObject(agents) && {
      agents: { expected: countOf(agents['expected']), returned: countOf(agents['returned']) },
    }),
  };
}

function taskOf(value: JsonValue): readonly AffectedTask[] {
  if (!isJsonObject(value)) return [];
  const { task_id, framework_id, agent_id, state } = value;
  if (typeof task_id !== 'string' || typeof framework_id !== 'string') return [];
  if (typeof agent_id !== 'string' || typeof state !== 'string') return [];
  return [
    { taskId: task_id, frameworkId: framework_id, agentId: agent_id, state: state as TaskState },
  ];
}

const countOf = (value: JsonValue | undefined): number => (typeof value === 'number' ? value : 0);
