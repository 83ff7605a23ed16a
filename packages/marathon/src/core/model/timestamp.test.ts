import { describe, expect, test } from 'vitest';
import { formatTimestamp, parseTimestamp, parseVersion, versionAfter } from './timestamp.ts';

describe('timestamps', () => {
  test.each([
    [0, '1970-01-01T00:00:00.000Z'],
    [1_443_604_157_614, '2015-09-30T09:09:17.614Z'],
    [-1, '1969-12-31T23:59:59.999Z'],
    [951_782_400_000, '2000-02-29T00:00:00.000Z'],
    [4_107_542_400_000, '2100-03-01T00:00:00.000Z'],
    [1_000.75, '1970-01-01T00:00:01.000Z'],
  ])('%d is %s', (instant, text) => {
    expect(formatTimestamp(instant)).toBe(text);
    expect(parseTimestamp(text)).toBe(Math.floor(instant));
  });

  test.each([
    ['2015-09-30T09:09:17Z', 1_443_604_157_000],
    ['2015-09-30T09:09:17.6Z', 1_443_604_157_600],
    ['2015-09-30T09:09:17.614999Z', 1_443_604_157_614],
    ['2015-09-30T11:09:17.614+02:00', 1_443_604_157_614],
    ['2015-09-30T08:39:17.614-0030', 1_443_604_157_614],
  ])('reads %s', (text, instant) => {
    expect(parseTimestamp(text)).toBe(instant);
  });

  test.each([
    '',
    'now',
    '2015-09-30',
    '2015-13-01T00:00:00Z',
    '2015-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2015-04-31T00:00:00Z',
    '2015-09-30T24:00:00Z',
    '2015-09-30T00:00:60Z',
    '2015-09-30T00:00:00',
    '0000-01-01T00:00:00+01:00',
  ])('does not read %j', (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });

  test('refuses instants that four digits of a year cannot say', () => {
    expect(() => formatTimestamp(253_402_300_800_000)).toThrow('out of range');
    expect(() => formatTimestamp(Number.NaN)).toThrow('out of range');
  });

  test('a version has one written form', () => {
    expect(parseVersion('2015-09-30T11:09:17+02:00')).toBe('2015-09-30T09:09:17.000Z');
    expect(parseVersion('yesterday')).toBeUndefined();
  });

  test('a version is later than the one before, even when the clock is not', () => {
    expect(versionAfter(5000.5, undefined)).toBe('1970-01-01T00:00:05.000Z');
    expect(versionAfter(5000, '1970-01-01T00:00:01.000Z')).toBe('1970-01-01T00:00:05.000Z');
    expect(versionAfter(5000, '1970-01-01T00:00:05.000Z')).toBe('1970-01-01T00:00:05.001Z');
    expect(versionAfter(1000, '1970-01-01T00:00:05.000Z')).toBe('1970-01-01T00:00:05.001Z');
  });
});
