import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '@dcos/base';
import {
  createSubscription,
  RETRY_MS_MAX,
  stepSubscription,
  type SubscriptionEvent,
} from './subscription.ts';

/** Events of the current stream, or of one before it (`back` streams ago). */
const happenings = fc.record({
  kind: fc.constantFrom(
    'accepted',
    'redirected',
    'refused',
    'activity',
    'subscribed',
    'ended',
    'stale',
    'retryDue',
    'silenceDue',
    'stop',
    'leads',
    'nobody',
  ),
  back: fc.integer({ min: 0, max: 2 }),
  passMs: fc.integer({ min: 0, max: 100_000 }),
});

function eventOf(kind: string, generation: number): SubscriptionEvent {
  switch (kind) {
    case 'redirected':
      return { kind, generation, from: 'http://a', location: '//b:1/' };
    case 'subscribed':
      return { kind, generation, heartbeatIntervalMs: 15_000 };
    case 'refused':
    case 'ended':
    case 'stale':
      return { kind, generation, problem: 'x' };
    case 'accepted':
    case 'activity':
    case 'retryDue':
    case 'silenceDue':
      return { kind, generation };
    case 'leads':
      return { kind: 'masters', masters: [`http://${generation % 3}`] };
    case 'nobody':
      return { kind: 'masters', masters: [] };
    default:
      return { kind: 'stop', reason: 'closed', problem: 'x' };
  }
}

test('whatever happens: one stream at most, bounded waits, silence after the stop', () => {
  fc.assert(
    fc.property(fc.array(happenings, { maxLength: 80 }), fc.integer(), (history, seed) => {
      const random = seededRandom(seed);
      let now = 0;
      const open = new Set<number>();
      let stopped = false;
      let state = createSubscription({ masters: ['http://a', 'http://b'] });
      const step = (event: SubscriptionEvent): void => {
        const result = stepSubscription(state, event, now, random);
        state = result.state;
        if (stopped) expect(result.effects).toEqual([]);
        for (const effect of result.effects) {
          if (effect.kind === 'open') open.add(effect.generation);
          if (effect.kind === 'abort') open.delete(effect.generation);
          if (effect.kind === 'stopped') stopped = true;
          const waitMs = effect.kind === 'retryAfter' ? effect.afterMs : 0;
          expect(waitMs).toBeLessThanOrEqual(RETRY_MS_MAX);
        }
        // A redirected stream has ended by itself: its answer was the redirect.
        if (event.kind === 'redirected') open.delete(event.generation);
        expect(open.size).toBeLessThanOrEqual(1);
        expect(open.size === 1).toBe(state.phase === 'opening' || state.phase === 'open');
      };
      step({ kind: 'start' });
      for (const { kind, back, passMs } of history) {
        now += passMs;
        step(eventOf(kind, state.generation - back));
      }
    }),
  );
});
