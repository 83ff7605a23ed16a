import { expect, test } from 'vitest';
import { durationText, parseDurationMs } from './duration.ts';

test.each([
  [0, '0ns'],
  [1, '1ms'],
  [1_500, '1500ms'],
  [15_000, '15secs'],
  [600_000, '10mins'],
  [21_600_000, '6hrs'],
  [259_200_000, '3days'],
  [604_800_000, '1weeks'],
  [1_209_600_000, '2weeks'],
])('%d ms is %s, both ways', (milliseconds, text) => {
  expect(durationText(milliseconds)).toBe(text);
  expect(parseDurationMs(text)).toBe(milliseconds);
});

test.each(['', '5', 'secs', '-5secs', '5 secs', '5sec'])("'%s' is no duration", (text) => {
  expect(parseDurationMs(text)).toBeUndefined();
});
