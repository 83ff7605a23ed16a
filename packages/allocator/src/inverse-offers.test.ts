/** Whom the allocator asks about maintenance, and when again. */

import { agentId, frameworkId } from '@dcos/base';
import { describe, expect, test } from 'vitest';
import { INTERVAL_MS, res, world } from './testing/allocator-world.ts';

const AWAY = { start: { nanoseconds: 1e18 }, duration: { nanoseconds: 6e11 } };
const A1 = agentId('a1');
const F1 = frameworkId('f1');

function maintained() {
  const built = world();
  const { allocator, agent, framework } = built;
  agent('a1', 'cpus:4;mem:1024');
  agent('a2', 'cpus:4;mem:1024');
  framework('f1', ['r']);
  framework('idle', ['r']);
  allocator.track(F1, A1, res('cpus:1;mem:64').allocate('r'));
  allocator.updateUnavailability(A1, AWAY);
  return built;
}

describe('inverse offers', () => {
  test('go to frameworks that have something on the agent, once while unanswered', () => {
    const { allocator } = maintained();
    expect(allocator.hasCandidates()).toBe(true);
    expect(allocator.inverseAllocate(0)).toEqual([
      { frameworkId: F1, agentId: A1, unavailability: AWAY },
    ]);
    expect(allocator.inverseAllocate(INTERVAL_MS)).toEqual([]);
  });

  test('come again after an answer when its filter is over, and at once after a revival', () => {
    const { allocator } = maintained();
    allocator.inverseAllocate(0);
    allocator.answerInverseOffer(F1, A1, { willing: true, instant: 10 }, 5_000, 10);
    expect(allocator.inverseAllocate(5_010)).toEqual([]);
    expect(allocator.inverseAllocate(5_011)).toHaveLength(1);
    allocator.answerInverseOffer(F1, A1, { willing: false, instant: 5_020 }, 3_600_000, 5_020);
    expect(allocator.inverseAllocate(6_000)).toEqual([]);
    allocator.revive(F1, []);
    expect(allocator.inverseAllocate(6_000)).toHaveLength(1);
    expect(allocator.inverseOfferAnswers().get(A1)?.get(F1)).toEqual({
      willing: false,
      instant: 5_020,
    });
  });

  test('that were withdrawn are sent again without an answer on record', () => {
    const { allocator } = maintained();
    allocator.inverseAllocate(0);
    allocator.answerInverseOffer(F1, A1, undefined, 0, 10);
    expect(allocator.inverseAllocate(11)).toHaveLength(1);
    expect(allocator.inverseOfferAnswers().get(A1)?.size).toBe(0);
  });

  test.each<[string, (built: ReturnType<typeof maintained>) => void]>([
    ['the framework is not connected', ({ allocator }) => allocator.deactivateFramework(F1)],
    ['the framework is gone', ({ allocator }) => allocator.removeFramework(F1)],
    ['the agent is gone', ({ allocator }) => allocator.removeAgent(A1)],
    [
      'the schedule was cancelled',
      ({ allocator }) => allocator.updateUnavailability(A1, undefined),
    ],
    [
      'nothing is left on the agent',
      ({ allocator }) =>
        allocator.recover(F1, A1, res('cpus:1;mem:64').allocate('r'), undefined, 0),
    ],
  ])('are not made when %s', (_what, change) => {
    const built = maintained();
    change(built);
    expect(built.allocator.inverseAllocate(0)).toEqual([]);
  });

  test('begin anew with a new unavailability', () => {
    const { allocator } = maintained();
    allocator.inverseAllocate(0);
    allocator.answerInverseOffer(F1, A1, { willing: true, instant: 1 }, 3_600_000, 1);
    allocator.updateUnavailability(A1, { ...AWAY, duration: { nanoseconds: 1 } });
    expect(allocator.inverseAllocate(2)).toHaveLength(1);
    expect(allocator.inverseOfferAnswers().get(A1)?.size).toBe(0);
  });
});
