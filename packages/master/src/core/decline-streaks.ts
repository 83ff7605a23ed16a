/**
 * Frameworks that decline the same thing again and again are asked less and less often: from the third
 * refusal in a row on, each lasts twice as long as the one before, up to a bound. Beyond the original,
 * where a few dozen idle frameworks with the default of 5 s keep what others wait for.
 *
 * Invariants: a refusal never lasts shorter than the framework asked for, and one of 0 s stays 0 s; a
 * streak ends when the framework uses something of the agent, when more is on offer than it refused, and
 * when it revives, subscribes or changes itself. Memory is bounded; what falls out is asked as before.
 */

import type { FrameworkId } from '@dcos/base';
import type { Resources } from '@dcos/resources';
import type { OfferRecord } from './state.ts';

/** Streaks that are remembered; the oldest gives way. */
const STREAKS_MAX = 200_000;
/** Refusals in a row that last as long as was asked. */
const PATIENCE = 2;

interface Streak {
  /** The framework's epoch at the time; a streak of an older one is over. */
  readonly epoch: number;
  readonly refused: Resources;
  readonly count: number;
}

export class DeclineStreaks {
  readonly #streaks = new Map<string, Streak>();
  readonly #epochs = new Map<FrameworkId, number>();

  /**
   * Notes a refusal and says how long it counts.
   * @param requestedMs what the framework asked for.
   * @param maxMs no refusal is lengthened beyond; 0 lengthens none.
   */
  refuse(offer: OfferRecord, requestedMs: number, maxMs: number): number {
    if (requestedMs <= 0 || requestedMs >= maxMs) return requestedMs;
    const key = keyOf(offer);
    const epoch = this.#epochs.get(offer.frameworkId) ?? 0;
    const before = this.#streaks.get(key);
    const goesOn = before?.epoch === epoch && before.refused.contains(offer.resources);
    const streak: Streak = goesOn
      ? { ...before, count: before.count + 1 }
      : { epoch, refused: offer.resources, count: 1 };
    // Put anew, so that the order of the map is that of the last refusals.
    this.#streaks.delete(key);
    this.#streaks.set(key, streak);
    if (this.#streaks.size > STREAKS_MAX) this.#dropOldest();
    const doublings = Math.max(0, streak.count - PATIENCE);
    return Math.min(requestedMs * 2 ** doublings, maxMs);
  }

  /** The framework used something of this offer. */
  end(offer: OfferRecord): void {
    this.#streaks.delete(keyOf(offer));
  }

  /** The framework asks for offers anew. */
  endAll(framework: FrameworkId): void {
    this.#epochs.set(framework, (this.#epochs.get(framework) ?? 0) + 1);
  }

  /** The framework is gone. Its id is never used again, so neither is what is left of its streaks. */
  forget(framework: FrameworkId): void {
    this.#epochs.delete(framework);
  }

  #dropOldest(): void {
    const { value } = this.#streaks.keys().next();
    if (value !== undefined) this.#streaks.delete(value);
  }
}

function keyOf({ frameworkId, agentId, role }: OfferRecord): string {
  return `${frameworkId}\u0000${agentId}\u0000${role}`;
}
