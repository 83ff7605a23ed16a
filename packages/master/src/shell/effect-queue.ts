/**
 * Performs the core's effects in their order, none before the writes ahead of it are durable. Writes are
 * handed to the store at once, so that the store can group them, while effects behind them wait.
 */

import type { Effect } from '../core/effects.ts';

export interface EffectQueueOptions {
  /** Starts a write; resolves when it is durable. Called in the order of the effects. */
  readonly persist: (effect: Extract<Effect, { kind: 'persist' }>) => Promise<void>;
  readonly perform: (effect: Effect) => void;
  /** A write failed: nothing more is performed. */
  readonly onFailure: (error: unknown) => void;
}

export class EffectQueue {
  readonly #options: EffectQueueOptions;
  #waiting: { readonly effect: Effect; readonly durable: Promise<void> | undefined }[] = [];
  #draining = false;
  #stopped = false;

  constructor(options: EffectQueueOptions) {
    this.#options = options;
  }

  /** Takes the effects of one event. Performs them at once when nothing is waiting. */
  push(effects: readonly Effect[]): void {
    if (this.#stopped) return;
    for (const effect of effects) {
      const durable = effect.kind === 'persist' ? this.#options.persist(effect) : undefined;
      // The failure is handled when its turn comes; until then nobody looks at the promise.
      durable?.catch(() => undefined);
      this.#waiting.push({ effect, durable });
    }
    if (!this.#draining) void this.#drain();
  }

  /** Performs nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#waiting = [];
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    try {
      let batch = this.#waiting;
      while (batch.length > 0) {
        this.#waiting = [];
        for (const { effect, durable } of batch) {
          if (this.#stopped) return;
          if (durable === undefined) this.#options.perform(effect);
          else await durable;
        }
        batch = this.#waiting;
      }
    } catch (error) {
      this.stop();
      this.#options.onFailure(error);
    } finally {
      this.#draining = false;
    }
  }
}
