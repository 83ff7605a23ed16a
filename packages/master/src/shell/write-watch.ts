/**
 * Watches that writes make progress: when some are under way and none of them has become durable for too
 * long, the store is as good as one that fails. Source: the original's registry_store_timeout.
 */

import type { Cancel, Clock } from '@dcos/base';

export class WriteWatch {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #onStall: () => void;
  #underWay = 0;
  #cancel: Cancel = () => undefined;

  constructor(clock: Clock, timeoutMs: number, onStall: () => void) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#onStall = onStall;
  }

  /** A write begins. */
  begin(): void {
    this.#underWay += 1;
    if (this.#underWay === 1) this.#restart();
  }

  /** A write is durable. */
  end(): void {
    this.#underWay -= 1;
    this.#restart();
  }

  stop(): void {
    this.#cancel();
    this.#underWay = 0;
  }

  #restart(): void {
    this.#cancel();
    this.#cancel =
      this.#underWay > 0
        ? this.#clock.setTimer(this.#timeoutMs, () => this.#onStall())
        : () => undefined;
  }
}
