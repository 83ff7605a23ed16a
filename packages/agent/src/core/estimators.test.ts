import fc from 'fast-check';
import { expect, test } from 'vitest';
import { containerId } from '@dcos/base';
import { cpuSlackEstimator, loadController, type ContainerSample } from './estimators.ts';

const PERIOD_MS = 15_000;

/** Estimates after each of the samples; a container uses so many cpus in each period. */
function estimates(
  cpusTotal: number,
  periods: readonly (readonly { readonly cpus: number; readonly used: number }[])[],
): readonly number[] {
  const estimator = cpuSlackEstimator(cpusTotal);
  const spent: number[] = [];
  return periods.map((containers, period) => {
    const samples = containers.map(({ cpus, used }, index): ContainerSample => {
      spent[index] = (spent[index] ?? 0) + (used * PERIOD_MS) / 1000;
      return { id: containerId(`c${index}`), cpus, cpuSeconds: spent[index] ?? 0 };
    });
    const found = estimator.estimate({ monotonicMs: period * PERIOD_MS, containers: samples });
    expect(found.every(({ revocable }) => revocable !== undefined)).toBe(true);
    return found[0]?.scalar?.value ?? 0;
  });
}

const steady = (cpus: number, used: number, periods: number): { cpus: number; used: number }[][] =>
  Array.from({ length: periods }, () => [{ cpus, used }]);

test('half of what is idle is lent when it has been idle for a while', () => {
  expect(estimates(8, steady(4, 1, 6))).toEqual([0, 0, 0, 0, 1.5, 1.5]);
});

test('a peak counts until it is old', () => {
  const periods = [...steady(4, 0, 5), ...steady(4, 4, 1), ...steady(4, 0, 4)];
  expect(estimates(8, periods)).toEqual([0, 0, 0, 0, 2, 0, 0, 0, 0, 2]);
});

test('at most half of the agent is lent, in tenths', () => {
  expect(estimates(4, steady(16, 0, 5)).at(-1)).toBe(2);
  expect(estimates(4, steady(0.5, 0, 5)).at(-1)).toBe(0.2);
});

test('containers that are gone lend nothing', () => {
  expect(estimates(8, [...steady(4, 0, 5), []]).at(-1)).toBe(0);
});

test('no more is ever lent than half of what is granted, nor less than nothing', () => {
  const container = fc.record({
    cpus: fc.double({ min: 0, max: 16, noNaN: true }),
    used: fc.double({ min: 0, max: 32, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(fc.array(container, { maxLength: 4 }), { maxLength: 12 }), (periods) => {
      for (const [index, lent] of estimates(8, periods).entries()) {
        const granted = (periods[index] ?? []).reduce((sum, { cpus }) => sum + cpus, 0);
        expect(lent).toBeGreaterThanOrEqual(0);
        expect(lent).toBeLessThanOrEqual(Math.min(4, granted / 2));
      }
    }),
  );
});

test.each([
  [{ fiveMinutes: 4 }, 3, 9, false],
  [{ fiveMinutes: 4 }, 4.1, 0, true],
  [{ fifteenMinutes: 4 }, 9, 4, false],
  [{ fifteenMinutes: 4 }, 0, 5, true],
  [{}, 100, 100, false],
])('bounds %j and loads %d and %d', (bounds, fiveMinutes, fifteenMinutes, isOver) => {
  const guests = [containerId('a'), containerId('b')];
  const found = loadController(bounds).correct({ fiveMinutes, fifteenMinutes }, guests);
  expect(found).toEqual(isOver ? guests : []);
});
