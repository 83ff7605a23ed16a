/**
 * Performs the core's effects in their order, none before the writes ahead of it are durable. Writes are
 * handed to the store at once, so that the store can group them, while effects behind them wait.
 *
 * One call may cause 100,000 effects (a reconciliation, say): others get their turn in between.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { OperationError } from '@dcos/base';
import type { Effect } from '../core/effects.ts';

/**
 * Effects that may wait behind a write. A store that hangs for so long is as good as one that fails: the
 * master ends, and its successor starts from what is durable.
 */
export const EFFECTS_WAITING_MAX = 1_000_000;

/** How long effects are performed before others get their turn. */
const TURN_MS = 10;
/** Effects between two looks at the clock. */
const EFFECTS_PER_LOOK = 64;

export interface EffectQueueOptions {
  /** Starts a write; resolves when it is durable. Called in the order of the effects. */
  readonly persist: (effect: Extract<Effect, { kind: 'persist' }>) => Promise<void>;
  readonly perform: (effect: Effect) => void;
  /** Asked before each effect; when it is not so, nothing more is performed, and that is a failure. */
  readonly mayPerform?: () => boolean;
  /** A write failed: nothing more is performed. */
  readonly onFailure: (error: unknown) => void;
  readonly effectsWaitingMax?: number;
  /** By which turns are measured. */
  readonly monotonicMs: () => number;
}

export class EffectQueue {
  readonly #options: EffectQueueOptions;
  #waiting: { readonly effect: Effect; readonly durable: Promise<void> | undefined }[] = [];
  #draining = false;
  #drained: Promise<void> = Promise.resolve();
  #stopped = false;
  #size = 0;
  #writes = 0;

  constructor(options: EffectQueueOptions) {
    this.#options = options;
  }

  /** Effects that were not performed yet, writes included. */
  get size(): number {
    return this.#size;
  }

  /** Writes that are not durable yet. */
  get writes(): number {
    return this.#writes;
  }

  /** Takes the effects of one event. Performs them at once when nothing is waiting. */
  push(effects: readonly Effect[]): void {
    if (this.#stopped) return;
    for (const effect of effects) {
      const durable = effect.kind === 'persist' ? this.#options.persist(effect) : undefined;
      // The failure is handled when its turn comes; until then nobody looks at the promise.
      durable?.catch(() => undefined);
      this.#waiting.push({ effect, durable });
      if (durable !== undefined) this.#writes += 1;
    }
    this.#size += effects.length;
    if (!this.#draining) this.#drained = this.#drain();
    else if (this.#waiting.length > (this.#options.effectsWaitingMax ?? EFFECTS_WAITING_MAX)) {
      const count = this.#waiting.length;
      this.stop();
      this.#options.onFailure(
        new OperationError('MASTER_STORE_SLOW', `${count} effects wait for a write to be durable`),
      );
    }
  }

  /** Resolves when nothing waits, or nothing is performed any more. */
  async idle(): Promise<void> {
    while (this.#draining) await this.#drained;
  }

  /** Performs nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#waiting = [];
    this.#size = 0;
    this.#writes = 0;
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    const { monotonicMs } = this.#options;
    let turnEndsMs = monotonicMs() + TURN_MS;
    try {
      let batch = this.#waiting;
      while (batch.length > 0) {
        this.#waiting = [];
        for (const [index, { effect, durable }] of batch.entries()) {
          if (index % EFFECTS_PER_LOOK === EFFECTS_PER_LOOK - 1 && monotonicMs() > turnEndsMs) {
            await nextTurn();
            turnEndsMs = monotonicMs() + TURN_MS;
          }
          if (this.#stopped) return;
          if (durable !== undefined) await durable;
          else if (this.#options.mayPerform?.() === false) {
            throw new OperationError('MASTER_DEPOSED', 'leadership was lost');
          } else this.#options.perform(effect);
          if (this.#stopped) return;
          this.#size -= 1;
          if (durable !== undefined) this.#writes -= 1;
        }
        batch = this.#waiting;
      }
    } catch (error) {
      // Said already, or nobody wants to know any more.
      if (this.#stopped) return;
      this.stop();
      this.#options.onFailure(error);
    } finally {
      this.#draining = false;
    }
  }
}
