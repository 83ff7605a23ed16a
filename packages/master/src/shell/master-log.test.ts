import { expect, test } from 'vitest';
import { silentLogger, type Clock } from '@dcos/base';
import { MasterLog } from './master-log.ts';

/** A clock that takes no timer beyond what platforms take, and lets the test end them. */
function handClock(): { readonly clock: Clock; readonly fire: () => void } {
  const due: (() => void)[] = [];
  const clock: Clock = {
    now: () => 0,
    monotonicMs: () => 0,
    setTimer(afterMs, action) {
      expect(afterMs).toBeGreaterThanOrEqual(0);
      expect(afterMs).toBeLessThan(2 ** 31);
      due.push(action);
      return () => void due.splice(0);
    },
  };
  return { clock, fire: () => due.shift()?.() };
}

test('a level lasts as long as it was asked for, however long that is', () => {
  const { clock, fire } = handClock();
  const log = new MasterLog(silentLogger, clock);
  log.setLevel(2, 3_000_000_000);
  fire();
  expect(log.level).toBe(2);
  fire();
  expect(log.level).toBe(0);
});

test('a level for less than no time is over at once', () => {
  const { clock, fire } = handClock();
  const log = new MasterLog(silentLogger, clock);
  log.setLevel(2, -1);
  fire();
  expect(log.level).toBe(0);
});
