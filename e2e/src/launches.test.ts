import { expect, test } from 'vitest';
import { actsOfTwoLeaders, launchesOf, type AgentLog } from './launches.ts';

/** Capitals are leaders, small letters tasks. */
const log = (host: string, letters: string): AgentLog => ({
  host,
  events: Array.from(letters, (letter) =>
    letter === letter.toUpperCase()
      ? ({ kind: 'registered', master: letter } as const)
      : ({ kind: 'taken', task: letter } as const),
  ),
});

test.each([
  ['leaders that take turns', ['AaBb', 'AcBd'], []],
  ['an agent that was not there all the time', ['AaBbCc', 'AdCe'], []],
  ['a registration again', ['AaAb'], []],
  ['a leader that comes back', ['AaBbA'], ['h0 went back to A, which another had replaced']],
  ['two orders', ['AB', 'BA'], ['h0 and h1 do not agree on the order of leaders']],
  ['one task twice', ['Aa', 'Aa'], ['a was launched at h0 and h1']],
])('%s', (_, letters, found) => {
  const logs = letters.map((text, index) => log(`h${index}`, text));
  expect(actsOfTwoLeaders(logs)).toEqual(found);
});

test('launches are their leader’s', () => {
  const logs = [log('h0', 'AabBc'), log('h1', 'BdAe')];
  expect(launchesOf('A', logs)).toBe(3);
});
