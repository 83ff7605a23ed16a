/** Named timers of one simulated process; setting one again replaces it. */

import type { World } from './world.ts';

export interface Timers {
  set(name: string, afterMs: number, fire: () => void): void;
  cancel(name: string): void;
  cancelAll(): void;
}

/** @param owner whose timers they are. */
export function createTimers(world: World, owner: string): Timers {
  const timers = new Map<string, () => void>();
  const cancel = (name: string): void => {
    timers.get(name)?.();
    timers.delete(name);
  };
  return {
    set(name, afterMs, fire) {
      cancel(name);
      timers.set(
        name,
        world.after(afterMs, `${owner}: ${name}`, () => {
          timers.delete(name);
          fire();
        }),
      );
    },
    cancel,
    cancelAll() {
      for (const withdraw of timers.values()) withdraw();
      timers.clear();
    },
  };
}
