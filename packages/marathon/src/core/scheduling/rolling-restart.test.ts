import { describe, expect, test } from 'vitest';
import { decideRestart, restartCapacity, type RestartLimits } from './rolling-restart.ts';

const limits = (
  isResident: boolean,
  target: number,
  minimumHealthCapacity: number,
  maximumOverCapacity: number,
): RestartLimits => ({ isResident, target, minimumHealthCapacity, maximumOverCapacity });

describe('the first decision of a rolling restart', () => {
  const table: readonly [boolean, number, number, number, number, number, number][] = [
    // resident, running, target, minimum health, over capacity → kill at once, capacity
    [true, 1, 1, 0.5, 0, 1, 1],
    [true, 5, 5, 0.5, 0, 2, 5],
    [true, 5, 5, 1, 0, 1, 5],
    [true, 7, 5, 1, 0, 3, 5],
    [true, 3, 5, 1, 0, 0, 5],
    [false, 1, 1, 0.5, 0, 0, 2],
    [false, 0, 1, 0.5, 0, 0, 1],
    [false, 2, 2, 0.5, 0, 1, 2],
    [false, 1, 10, 0.1, 0, 0, 10],
    [false, 10, 10, 1, 0.1, 0, 11],
    [false, 10, 10, 0.9, 1, 1, 20],
  ];
  test.each(table)(
    'resident %s, %i running of %i, %f healthy, %f over: kill %i, capacity %i',
    (isResident, running, target, minimum, over, kill, maxCapacity) => {
      expect(
        restartCapacity(limits(isResident, target, minimum, over), running, running),
      ).toMatchObject({
        kill,
        maxCapacity,
      });
    },
  );
});

describe('later decisions', () => {
  const full = limits(false, 3, 1, 1);
  test('start all new instances at once when there is room for them', () => {
    expect(
      decideRestart(full, { old: 3, oldHealthy: 3, oldStopping: 0, fresh: 0, freshReady: 0 }),
    ).toMatchObject({
      kill: 0,
      start: 3,
    });
  });

  test('stop one old instance for each new one that is ready', () => {
    expect(
      decideRestart(full, { old: 3, oldHealthy: 3, oldStopping: 0, fresh: 3, freshReady: 1 }),
    ).toMatchObject({
      kill: 1,
      start: 0,
    });
  });

  test('stop nothing while a new version never gets ready', () => {
    expect(
      decideRestart(full, { old: 3, oldHealthy: 3, oldStopping: 0, fresh: 3, freshReady: 0 }),
    ).toMatchObject({
      kill: 0,
      start: 0,
      killUnhealthy: 0,
    });
  });

  test('wait for old instances to end before they are replaced when there is no room beside them', () => {
    const tight = limits(false, 4, 0.5, 0);
    expect(
      decideRestart(tight, { old: 2, oldHealthy: 2, oldStopping: 2, fresh: 0, freshReady: 0 }),
    ).toMatchObject({
      kill: 0,
      start: 0,
    });
    expect(
      decideRestart(tight, { old: 2, oldHealthy: 2, oldStopping: 1, fresh: 0, freshReady: 0 }),
    ).toMatchObject({
      start: 1,
    });
  });

  test('old instances that fail anyway make room when nothing else can', () => {
    const tight = limits(false, 2, 1, 0);
    expect(
      decideRestart(tight, { old: 2, oldHealthy: 0, oldStopping: 0, fresh: 0, freshReady: 0 }),
    ).toMatchObject({
      kill: 0,
      start: 0,
      killUnhealthy: 2,
    });
  });

  test('all old instances go once the whole new set is ready', () => {
    expect(
      decideRestart(full, { old: 2, oldHealthy: 0, oldStopping: 0, fresh: 3, freshReady: 3 }),
    ).toMatchObject({ kill: 2 });
  });
});
