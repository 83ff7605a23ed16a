import { describe, expect, test } from 'vitest';
import {
  applyProbe,
  isAlive,
  UNKNOWN_HEALTH,
  type HealthState,
  type ProbeOutcome,
} from './health.ts';
import { healthOutcome } from './probe-answer.ts';

const RULES = { gracePeriodMs: 1000, maxConsecutiveFailures: 2 };
const GOOD: ProbeOutcome = { kind: 'healthy' };
const BAD: ProbeOutcome = { kind: 'unhealthy', cause: 'refused' };

/** Applies outcomes one a second, beginning a second after the start. */
function apply(
  outcomes: readonly ProbeOutcome[],
  rules = RULES,
): { state: HealthState; kills: boolean[]; flips: (boolean | undefined)[] } {
  let state = UNKNOWN_HEALTH;
  const kills: boolean[] = [];
  const flips: (boolean | undefined)[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    const step = applyProbe(state, outcome, rules, { startedAt: 0, now: (index + 1) * 1000 });
    ({ state } = step);
    kills.push(step.kill);
    flips.push(step.alive);
  }
  return { state, kills, flips };
}

describe('health', () => {
  test('kills on the failure after the allowed ones', () => {
    expect(apply([GOOD, BAD, BAD, BAD]).kills).toEqual([false, false, false, true]);
  });

  test('never kills when no failures are allowed to count', () => {
    expect(
      apply([GOOD, BAD, BAD, BAD, BAD], { ...RULES, maxConsecutiveFailures: 0 }).kills,
    ).not.toContain(true);
  });

  test('does not count failures of the grace period before the first success', () => {
    const { state, kills } = apply([BAD, BAD, BAD], {
      gracePeriodMs: 10_000,
      maxConsecutiveFailures: 1,
    });
    expect(kills).not.toContain(true);
    expect(state).toMatchObject({ consecutiveFailures: 0, failedInGrace: true });
    expect(state.lastFailure).toBeUndefined();
  });

  test('counts failures of the grace period after a success', () => {
    const { state } = apply([GOOD, BAD], { gracePeriodMs: 10_000, maxConsecutiveFailures: 5 });
    expect(state.consecutiveFailures).toBe(1);
    expect(isAlive(state)).toBe(false);
  });

  test('tells flips and nothing else', () => {
    expect(apply([GOOD, GOOD, BAD, BAD, GOOD]).flips).toEqual([
      true,
      undefined,
      false,
      undefined,
      true,
    ]);
  });

  test('flips within one millisecond are told apart', () => {
    const times = { startedAt: 0, now: 5000 };
    const good = applyProbe(UNKNOWN_HEALTH, GOOD, RULES, times).state;
    const bad = applyProbe(good, BAD, RULES, times).state;
    expect(isAlive(bad)).toBe(false);
    expect(isAlive(applyProbe(bad, GOOD, RULES, times).state)).toBe(true);
  });
});

describe('answers', () => {
  test.each([
    [200, 'healthy'],
    [302, 'healthy'],
    [399, 'healthy'],
    [404, 'unhealthy'],
    [500, 'unhealthy'],
    [100, 'unhealthy'],
  ])('status %i is %s', (status, kind) => {
    expect(healthOutcome({ kind: 'status', status }, { ignoreHttp1xx: false }).kind).toBe(kind);
  });

  test('1xx may say nothing', () => {
    expect(healthOutcome({ kind: 'status', status: 100 }, { ignoreHttp1xx: true }).kind).toBe(
      'ignored',
    );
  });
});
