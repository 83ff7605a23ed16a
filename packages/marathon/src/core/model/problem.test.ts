import { describe, expect, test } from 'vitest';
import {
  DETAILS_MAX,
  lockedByDeployments,
  notValid,
  tooManyDeployments,
  unknownGroup,
  wrongTypes,
} from './problem.ts';

describe('problems', () => {
  test('violations at one place are merged, in order, once each', () => {
    const problem = notValid([
      { path: '/b', error: 'one' },
      { path: '/a', error: 'two' },
      { path: '/b', error: 'three' },
      { path: '/b', error: 'one' },
    ]);
    expect(problem.body.details).toEqual([
      { path: '/b', errors: ['one', 'three'] },
      { path: '/a', errors: ['two'] },
    ]);
  });

  test('an answer names a bounded number of places', () => {
    const at = (count: number) =>
      wrongTypes(Array.from({ length: count }, (_, index) => ({ path: `/${index}`, error: 'x' })))
        .body.details;
    expect(at(DETAILS_MAX)).toHaveLength(DETAILS_MAX);
    expect(at(DETAILS_MAX + 7)).toHaveLength(DETAILS_MAX + 1);
    expect(JSON.stringify(at(DETAILS_MAX + 7))).toContain('and 7 more places');
  });

  test('a lock has the text that clients look for', () => {
    expect(lockedByDeployments(['d-1'])).toEqual({
      status: 409,
      body: {
        message:
          "App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.",
        deployments: [{ id: 'd-1' }],
      },
    });
  });

  test('others', () => {
    expect(unknownGroup('/a', '2026-01-01T00:00:00.000Z').body.message).toBe(
      "Group '/a' does not exist in version 2026-01-01T00:00:00.000Z",
    );
    expect(tooManyDeployments(100)).toMatchObject({ status: 403 });
  });
});
