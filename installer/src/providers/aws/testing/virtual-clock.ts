/** A clock for tests: a timer fires as soon as nothing else is left to do, and time is then where it was set for. */

import type { Clock } from '@dcos/base';

/** Time begins at 0. */
export function virtualClock(): Clock {
  let nowMs = 0;
  const timers = new Map<number, { readonly atMs: number; readonly callback: () => void }>();
  let last = 0;
  const fireNext = (): void => {
    const [id, timer] =
      [...timers].toSorted(([, one], [, other]) => one.atMs - other.atMs)[0] ?? [];
    if (id === undefined || timer === undefined) return;
    timers.delete(id);
    nowMs = Math.max(nowMs, timer.atMs);
    timer.callback();
  };
  return {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    setTimer(afterMs, callback) {
      const id = ++last;
      timers.set(id, { atMs: nowMs + afterMs, callback });
      setImmediate(fireNext);
      return () => timers.delete(id);
    },
  };
}
