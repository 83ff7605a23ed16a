/** A clock that moves when it is told to, and takes no timer beyond what platforms take. */

import { assert, type Clock } from '@dcos/base';

export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  now = (): number => this.#now;
  monotonicMs = (): number => this.#now;

  setTimer = (afterMs: number, callback: () => void): (() => void) => {
    assert(afterMs < 2 ** 31, 'a platform takes no longer timer');
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
