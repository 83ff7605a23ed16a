import { expect, test } from 'vitest';
import { matchesLabels, parseLabelSelector, SELECTOR_LENGTH_MAX } from './label-selector.ts';

const LABELS = { tier: 'web', zone: 'a', 'x/y': 'with space' };

test.each([
  ['tier', true],
  ['missing', false],
  ['tier==web', true],
  ['tier == db', false],
  ['tier!=db', true],
  ['missing!=db', false],
  ['zone in (a, b)', true],
  ['zone notin (a,b)', false],
  ['zone notin (c)', true],
  ['missing notin (c)', false],
  ['tier==web, zone in (b)', false],
  ['x\\/y==with\\ space', true],
  ['in in (in)', false],
])('%s is %s', (text, matches) => {
  const selector = parseLabelSelector(text);
  if (!selector.ok) throw new Error(selector.error);
  expect(matchesLabels(selector.value, LABELS)).toBe(matches);
});

test.each(['', ',', 'a==', 'a in', 'a in ()', 'a in (b', 'a b', '==', 'a=b', 'a,,b', 'ä'])(
  '%j is refused',
  (text) => {
    expect(parseLabelSelector(text).ok).toBe(false);
  },
);

test('its length is bounded', () => {
  expect(parseLabelSelector('a'.repeat(SELECTOR_LENGTH_MAX)).ok).toBe(true);
  expect(parseLabelSelector('a'.repeat(SELECTOR_LENGTH_MAX + 1)).ok).toBe(false);
});
