/**
 * Named timers on the clock port. The core's timers may be longer than what a platform's timer takes
 * (a failover time-out of a year), so long ones are waited for in steps.
 */

import type { Cancel, Clock } from '@dcos/base';

/** A platform timer beyond this would fire at once. */
const STEP_MS_MAX = 2_000_000_000;

export class Timers {
  readonly #clock: Clock;
  readonly #onTimer: (timer: string) => void;
  readonly #running = new Map<string, Cancel>();

  constructor(clock: Clock, onTimer: (timer: string) => void) {
    this.#clock = clock;
    this.#onTimer = onTimer;
  }

  /** Sets a timer, in place of one with that name. */
  set(timer: string, afterMs: number): void {
    this.cancel(timer);
    const stepMs = Math.min(afterMs, STEP_MS_MAX);
    const cancel = this.#clock.setTimer(stepMs, () => {
      this.#running.delete(timer);
      if (afterMs > stepMs) this.set(timer, afterMs - stepMs);
      else this.#onTimer(timer);
    });
    this.#running.set(timer, cancel);
  }

  cancel(timer: string): void {
    this.#running.get(timer)?.();
    this.#running.delete(timer);
  }

  cancelAll(): void {
    for (const cancel of this.#running.values()) cancel();
    this.#running.clear();
  }
}
