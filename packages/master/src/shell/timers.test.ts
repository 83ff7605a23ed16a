import { expect, test } from 'vitest';
import type { Clock } from '@dcos/base';
import { Timers } from './timers.ts';

/** A clock that moves when it is told to, and takes no timer beyond what platforms take. */
class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  now = (): number => this.#now;
  monotonicMs = (): number => this.#now;

  setTimer = (afterMs: number, callback: () => void): (() => void) => {
    expect(afterMs).toBeLessThan(2 ** 31);
    const timer = { at: this.#now + afterMs, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const [due] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = due.at;
      due.callback();
    }
    this.#now = end;
  }
}

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
