import { expect, test } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { WriteWatch } from './write-watch.ts';

function watched() {
  const clock = new ManualClock();
  const stalls: number[] = [];
  return { clock, stalls, watch: new WriteWatch(clock, 100, () => stalls.push(clock.now())) };
}

test('writes that become durable one after another are no stall, however long all of them take', () => {
  const { clock, stalls, watch } = watched();
  for (let write = 0; write < 5; write++) watch.begin();
  for (let write = 0; write < 5; write++) {
    clock.advance(99);
    watch.end();
  }
  clock.advance(1_000);
  expect(stalls).toEqual([]);
});

test('when none is durable in time the store has stalled', () => {
  const { clock, stalls, watch } = watched();
  watch.begin();
  clock.advance(50);
  watch.begin();
  watch.end();
  clock.advance(99);
  expect(stalls).toEqual([]);
  clock.advance(1);
  expect(stalls).toEqual([150]);
});

test('what is stopped does not stall', () => {
  const { clock, stalls, watch } = watched();
  watch.begin();
  watch.stop();
  clock.advance(1_000);
  expect(stalls).toEqual([]);
});
