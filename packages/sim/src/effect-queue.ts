/**
 * The shell's side of the contract of effects: performed in order, and nothing after a `persist` before that
 * is durable.
 */

export interface EffectQueue<Effect> {
  add(effects: readonly Effect[]): void;
  /** Forgets what was not performed: the process died. */
  drop(): void;
  /** What was not performed yet. */
  waiting(): readonly Effect[];
}

/**
 * @param perform returns nothing when the effect is done, or takes a callback to go on later.
 */
export function createEffectQueue<Effect>(
  perform: (effect: Effect) => ((goOn: () => void) => void) | undefined,
): EffectQueue<Effect> {
  let waiting: Effect[] = [];
  let generation = 0;
  let busy = false;

  function pump(): void {
    while (!busy) {
      const effect = waiting.shift();
      if (effect === undefined) return;
      const later = perform(effect);
      if (later === undefined) continue;
      busy = true;
      const mine = generation;
      later(() => {
        if (mine !== generation) return;
        busy = false;
        pump();
      });
    }
  }

  return {
    add(effects) {
      waiting.push(...effects);
      pump();
    },
    drop() {
      waiting = [];
      busy = false;
      generation += 1;
    },
    waiting: () => waiting,
  };
}
