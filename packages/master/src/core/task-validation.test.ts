/** Rules that more than one kind of launch relies on. */

import { describe, expect, test } from 'vitest';
import { Resources } from '@dcos/resources';
import type { Resource } from '@dcos/wire';
import { togetherProblem } from './task-validation.ts';

const VOLUME: Resource = {
  name: 'disk',
  type: 'SCALAR',
  scalar: { value: 10 },
  reservations: [{ type: 'DYNAMIC', role: 'dev' }],
  disk: { persistence: { id: 'v' }, volume: { mode: 'RW', container_path: 'data' } },
};

describe('a volume that two tasks of a group use', () => {
  test.each([
    { what: 'is refused', volume: VOLUME, problem: 'Group uses duplicate persistence ID v' },
    { what: 'may be a shared one', volume: { ...VOLUME, shared: {} }, problem: undefined },
  ])('$what', ({ volume, problem }) => {
    expect(togetherProblem('Group', Resources.fromWire([volume, volume]))).toBe(problem);
  });
});
