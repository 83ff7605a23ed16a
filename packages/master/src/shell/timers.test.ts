import { expect, test } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { Timers } from './timers.ts';

const YEAR_MS = 365 * 24 * 3_600_000;

test('a timer of a year fires after a year, not at once', () => {
  const clock = new ManualClock();
  const fired: string[] = [];
  const timers = new Timers(clock, (timer) => fired.push(timer));
  timers.set('failover', YEAR_MS);
  clock.advance(YEAR_MS - 1);
  expect(fired).toEqual([]);
  clock.advance(1);
  expect(fired).toEqual(['failover']);
});

test('setting a timer again replaces it, cancelling ends it', () => {
  const clock = new ManualClock();
  const fired: string[] = [];
  const timers = new Timers(clock, (timer) => fired.push(timer));
  timers.set('a', 10);
  timers.set('a', 20);
  timers.set('b', 10);
  timers.cancel('b');
  clock.advance(15);
  expect(fired).toEqual([]);
  clock.advance(5);
  expect(fired).toEqual(['a']);
  timers.set('c', 1);
  timers.cancelAll();
  clock.advance(10);
  expect(fired).toEqual(['a']);
});
