/** Named timers of one simulated process; setting one again replaces it. */

import type { World } from './world.ts';

export interface Timers {
  set(name: string, afterMs: number, fire: () => void): void;
  cancel(name: string): void;
  cancelAll(): void;
}

export function createTimers(world: World): Timers {
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
        world.after(afterMs, () => {
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
