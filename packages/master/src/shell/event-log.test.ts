import { expect, test } from 'vitest';
import { EventLog } from './event-log.ts';

function logOf(eventsMax: number, count: number): EventLog {
  const log = new EventLog(eventsMax);
  for (let index = 1; index <= count; index++) {
    log.add({ type: 'AGENT_REMOVED', agent_removed: { agent_id: { value: `agent ${index}` } } });
  }
  return log;
}

test.each([
  { what: 'nothing has happened', eventsMax: 3, count: 0, after: 0, expected: [] },
  { what: 'nothing was missed', eventsMax: 3, count: 2, after: 2, expected: [] },
  { what: 'some were missed', eventsMax: 3, count: 3, after: 1, expected: [2, 3] },
  { what: 'all that are kept were missed', eventsMax: 3, count: 5, after: 2, expected: [3, 4, 5] },
  { what: 'one more was missed', eventsMax: 3, count: 5, after: 1, expected: undefined },
  { what: 'the number is of the future', eventsMax: 3, count: 5, after: 6, expected: undefined },
])('events after a number: $what', ({ eventsMax, count, after, expected }) => {
  const log = logOf(eventsMax, count);
  expect(log.last).toBe(count);
  expect(log.after(after)?.map(({ sequence }) => sequence)).toEqual(expected);
  for (const { sequence, event } of log.after(after) ?? [])
    expect(event.agent_removed?.agent_id.value).toBe(`agent ${sequence}`);
});
