import { expect, test } from 'vitest';
import { emptyBook, type Incident } from '../core/incidents.ts';
import { incidentsDocument, spoken, type PageQuery } from './incidents.ts';

test.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [1_999, '1 s'],
  [60_000, '1 min'],
  [492_000, '8 min 12 s'],
  [3_600_000, '1 h'],
  [3_601_000, '1 h'],
  [90_061_000, '1 day 1 h'],
  [2 * 86_400_000, '2 days'],
])('%i ms is %s', (milliseconds, text) => expect(spoken(milliseconds)).toBe(text));

/** Number n begins at n seconds and lasts one; the last lasts still. */
const incident = (number: number): Incident => ({
  number,
  kind: 'AGENT_LOST',
  subject: { id: `a${number}`, name: '' },
  startedAt: number * 1_000,
  ...(number < 5 && { endedAt: (number + 1) * 1_000, outcome: 'RETURNED' }),
  reason: 'its connection broke',
  tasks: [],
  tasksAffected: 0,
  repeats: 0,
  leader: 'm',
});

const book = emptyBook();
for (let number = 1; number <= 5; number++) book.all.set(number, incident(number));

test.each<readonly [PageQuery, readonly string[], string | undefined]>([
  [{ size: 9 }, ['5', '4', '3', '2', '1'], undefined],
  [{ size: 5 }, ['5', '4', '3', '2', '1'], undefined],
  [{ size: 2 }, ['5', '4'], '4'],
  [{ size: 2, before: 4 }, ['3', '2'], '2'],
  [{ size: 2, before: 2 }, ['1'], undefined],
  [{ size: 2, before: 1 }, [], undefined],
  [{ size: 9, since: 4_000 }, ['5', '4', '3'], undefined],
  [{ size: 9, since: 60_000 }, ['5'], undefined],
  [{ size: 1, since: 4_000 }, ['5'], '5'],
])('page %j', (query, ids, next) => {
  const document = incidentsDocument(book, query);
  expect(document['incidents']).toMatchObject(ids.map((id) => ({ id })));
  expect(document['next']).toBe(next);
});

test('an incident has times as text, and a sentence', () => {
  const { incidents } = incidentsDocument(book, { size: 1, before: 2 });
  expect(JSON.parse(JSON.stringify(incidents))).toEqual([
    {
      id: '1',
      kind: 'AGENT_LOST',
      subject: { id: 'a1', name: '' },
      summary:
        'Agent a1 was away for 1 s: its connection broke. It came back. No task was affected.',
      started_at: '1970-01-01T00:00:01.000Z',
      ended_at: '1970-01-01T00:00:02.000Z',
      duration_ms: 1_000,
      outcome: 'RETURNED',
      reason: 'its connection broke',
      repeats: 0,
      leader: 'm',
      tasks_affected: 0,
      tasks: [],
    },
  ]);
});
