import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatAmount,
  formatListingTime,
  formatSeveral,
  formatTimestamp,
  toCalendarTime,
  toJsonOutput,
  truncateText,
} from './format.ts';

describe('format', () => {
  test('amounts lose binary noise, not digits', () => {
    expect([0.1 + 0.2, 128, 0.5, undefined].map(formatAmount)).toEqual([
      '0.3',
      '128',
      '0.5',
      'N/A',
    ]);
  });

  test('a cut text has the length asked for and whole characters', () => {
    expect(truncateText('short', 30)).toBe('short');
    expect(truncateText('x'.repeat(31), 30)).toBe(`${'x'.repeat(27)}...`);
    expect(truncateText('😀😀😀😀😀', 4)).toBe('😀...');
  });

  test('several items stand in parentheses', () => {
    expect([[], ['a'], ['a', 'b']].map((items) => formatSeveral(items, '-'))).toEqual([
      '-',
      'a',
      '(a, b)',
    ]);
  });

  test('JSON is indented and ends with its line', () => {
    expect(toJsonOutput({ a: [1] }, 2)).toBe('{\n  "a": [\n    1\n  ]\n}\n');
    expect(toJsonOutput(undefined)).toBe('null\n');
  });

  test('calendar times agree with the calendar of the runtime', () => {
    fc.assert(
      fc.property(fc.integer({ min: -8_640_000_000_000, max: 8_640_000_000_000 }), (instant) => {
        const date = new Date(instant);
        expect(toCalendarTime(instant)).toEqual({
          year: date.getUTCFullYear(),
          month: date.getUTCMonth() + 1,
          day: date.getUTCDate(),
          hour: date.getUTCHours(),
          minute: date.getUTCMinutes(),
          second: date.getUTCSeconds(),
        });
      }),
    );
    const instant = Date.parse('2026-02-03T04:05:06Z');
    expect(formatListingTime(instant)).toBe('Feb 03 04:05');
    expect(formatTimestamp(instant)).toBe('2026-02-03 04:05:06');
  });
});
