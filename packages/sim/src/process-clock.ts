/**
 * The clock of a simulated process. It may run fast or slow, as those of real hosts do a little, and its wall clock may
 * be set; its timers reach the process through its gate.
 */

import type { Clock } from '@dcos/base';
import type { ProcessGate } from './process-gate.ts';
import type { World } from './world.ts';

export interface ProcessClockPlan {
  readonly name: string;
  readonly gate: ProcessGate;
  /** Seconds of this clock in a second of the world. */
  readonly rate: number;
  /** By how much the wall clock is off. */
  readonly offsetMs: () => number;
}

export function createProcessClock(world: World, plan: ProcessClockPlan): Clock {
  const { name, gate, rate, offsetMs } = plan;
  return {
    now: () => world.now() + offsetMs(),
    monotonicMs: () => world.now() * rate,
    setTimer(afterMs, callback) {
      let isCancelled = false;
      const fire = (): void => {
        if (!isCancelled) callback();
      };
      const withdraw = world.after(Math.ceil(afterMs / rate), `${name}: timer`, () =>
        gate.run(fire),
      );
      return () => {
        isCancelled = true;
        withdraw();
      };
    },
  };
}
