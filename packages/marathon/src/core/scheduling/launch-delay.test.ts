import { expect, test } from 'vitest';
import {
  isForgotten,
  launchableAt,
  raiseDelay,
  touchDelay,
  type LaunchDelay,
} from './launch-delay.ts';

const settings = { backoffMs: 1000, backoffFactor: 2, delayMsMax: 5000 };

function fail(times: number, configVersion = 'v'): LaunchDelay | undefined {
  let delay: LaunchDelay | undefined;
  for (let count = 0; count < times; count++)
    delay = raiseDelay(delay, { configVersion, settings, now: 100 });
  return delay;
}

test('the delay grows by its factor up to its maximum', () => {
  expect([1, 2, 3, 4, 5].map((times) => fail(times)?.delayMs)).toEqual([
    1000, 2000, 4000, 5000, 5000,
  ]);
  expect(launchableAt(fail(2))).toBe(2100);
  expect(launchableAt(undefined)).toBe(0);
});

test('another configuration begins anew', () => {
  const delay = raiseDelay(fail(3, 'old'), { configVersion: 'new', settings, now: 100 });
  expect(delay).toMatchObject({ delayMs: 1000, configVersion: 'new' });
});

test('a delay is forgotten when nothing failed for its maximum', () => {
  const delay = fail(3);
  if (delay === undefined) throw new Error('no delay');
  expect(isForgotten(delay, 5100)).toBe(false);
  expect(isForgotten(delay, 5101)).toBe(true);
  expect(raiseDelay(delay, { configVersion: 'v', settings, now: 6000 }).delayMs).toBe(1000);
  expect(isForgotten(touchDelay(delay, 5000), 6000)).toBe(false);
});

test('no backoff means no delay', () => {
  const none = { backoffMs: 0, backoffFactor: 1.15, delayMsMax: 5000 };
  const first = raiseDelay(undefined, { configVersion: 'v', settings: none, now: 0 });
  expect(raiseDelay(first, { configVersion: 'v', settings: none, now: 0 }).delayMs).toBe(0);
});
