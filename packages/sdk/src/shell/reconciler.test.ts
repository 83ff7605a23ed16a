import { expect, test } from 'vitest';
import type { Clock } from '@dcos/base';
import { RECONCILE_AGAIN_MS_MAX, RECONCILE_AGAIN_MS_MIN, Reconciler } from './reconciler.ts';

/** A clock whose timer goes off when the test says so. */
function handClock() {
  let due: { readonly afterMs: number; readonly action: () => void } | undefined;
  const clock: Clock = {
    now: () => 0,
    monotonicMs: () => 0,
    setTimer(afterMs, action) {
      const mine = { afterMs, action };
      due = mine;
      return () => {
        if (due === mine) due = undefined;
      };
    },
  };
  const fire = (): number => {
    const timer = due;
    if (timer === undefined) return 0;
    due = undefined;
    timer.action();
    return timer.afterMs;
  };
  return { clock, fire };
}

const task = (value: string) => ({ task_id: { value } });

test('asks by name until every task was heard of, with a growing wait', () => {
  const { clock, fire } = handClock();
  const asked: string[] = [];
  const reconciler = new Reconciler(clock, (tasks) =>
    asked.push(tasks.map(({ task_id }) => task_id.value).join()),
  );
  reconciler.begin([task('a'), task('b')]);
  expect(asked).toEqual(['a,b', '']);
  reconciler.heard('a');
  const waits = Array.from({ length: 7 }, fire);
  expect(waits.slice(0, 2)).toEqual([RECONCILE_AGAIN_MS_MIN, 2 * RECONCILE_AGAIN_MS_MIN]);
  expect(waits.at(-1)).toBe(RECONCILE_AGAIN_MS_MAX);
  expect(asked.slice(2)).toEqual(Array.from({ length: 7 }, () => 'b'));
  reconciler.heard('b');
  expect(fire()).toBe(0);
});

test('a new round replaces the old one, and nothing follows the end', () => {
  const { clock, fire } = handClock();
  const asked: number[] = [];
  const reconciler = new Reconciler(clock, (tasks) => asked.push(tasks.length));
  reconciler.begin([task('a'), task('b')]);
  reconciler.begin([task('c')]);
  fire();
  expect(asked).toEqual([2, 0, 1, 0, 1]);
  reconciler.cancel();
  expect(fire()).toBe(0);
});
