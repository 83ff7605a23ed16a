import { expect, test } from 'vitest';
import {
  incidentQuery,
  incidentState,
  incidentTime,
  incidentTone,
  unlistedTasks,
  type Incident,
} from './incident.ts';

const incident = (fields: Partial<Incident>): Incident => ({
  id: '1',
  kind: 'AGENT_LOST',
  subject: { id: 'a', name: 'h' },
  summary: '',
  started_at: '2026-11-27T03:02:11.000Z',
  tasks_affected: 0,
  tasks: [],
  ...fields,
});
const ended_at = '2026-11-27T03:10:23.000Z';

test.each([
  [{}, 'bad', 'Going on'],
  [{ kind: 'MASTER_ELECTED' }, 'busy', 'Going on'],
  [{ ended_at, outcome: 'RETURNED' }, 'good', 'Over'],
  [{ ended_at, outcome: 'REMOVED' }, 'warn', 'Lost'],
  [{ kind: 'AGENT_REMOVED', ended_at, outcome: 'DONE' }, 'warn', 'Lost'],
  [{ kind: 'MASTER_ELECTED', ended_at, outcome: 'DONE' }, 'idle', 'Over'],
  [{ kind: 'LATER_VERSION', ended_at, outcome: 'OTHER' }, 'idle', 'Over'],
])('%j is %s: %s', (fields, tone, state) => {
  expect(incidentTone(incident(fields))).toBe(tone);
  expect(incidentState(incident(fields))).toBe(state);
});

test.each([
  [undefined, undefined, 'limit=50'],
  [undefined, '17', 'limit=50&cursor=17'],
  ['hour', undefined, 'limit=50&since=1970-01-01T01%3A00%3A00.000Z'],
  ['nonsense', '3', 'limit=50&cursor=3'],
])('period %s, cursor %s', (period, cursor, query) => {
  expect(incidentQuery(period, cursor, 7_200_000)).toBe(query);
});

test('times name a length that can be felt', () => {
  expect(incidentTime(incident({ duration_ms: 492_000 }))).toMatch(/^2026-11-2\d .*, for 8 min$/);
  for (const fields of [{}, { duration_ms: 0 }])
    expect(incidentTime(incident(fields))).not.toContain('for');
});

test('tasks that are not listed are counted', () => {
  const task = { id: 't', framework_id: 'f', agent_id: 'a', state: 'TASK_LOST' };
  expect(unlistedTasks(incident({ tasks_affected: 60, tasks: [task] }))).toBe(59);
  expect(unlistedTasks(incident({}))).toBe(0);
});
