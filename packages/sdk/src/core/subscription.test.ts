import { describe, expect, test } from 'vitest';
import { seededRandom } from '@dcos/base';
import {
  createSubscription,
  HEARTBEATS_MISSED_MAX,
  OPENING_MS_MAX,
  REDIRECTS_MAX,
  RETRY_MS_MAX,
  stepSubscription,
  type Subscription,
  type SubscriptionEffect,
  type SubscriptionEvent,
} from './subscription.ts';

/** Drives a machine and keeps what it did. */
function driver(masters: readonly string[] = ['http://a', 'http://b']) {
  let state: Subscription = createSubscription({ masters });
  const random = seededRandom(1);
  let now = 1_000;
  return {
    get state() {
      return state;
    },
    pass(ms: number) {
      now += ms;
    },
    step(event: SubscriptionEvent): readonly SubscriptionEffect[] {
      const step = stepSubscription(state, event, now, random);
      state = step.state;
      return step.effects;
    },
    /** Opens the stream of the current generation. */
    subscribe() {
      const { generation } = state;
      this.step({ kind: 'accepted', generation });
      this.step({ kind: 'subscribed', generation, heartbeatIntervalMs: 15_000 });
    },
  };
}

const kinds = (effects: readonly SubscriptionEffect[]) => effects.map(({ kind }) => kind);
const opened = (effects: readonly SubscriptionEffect[]) =>
  effects.flatMap((effect) => (effect.kind === 'open' ? [effect.origin] : []));
const waits = (effects: readonly SubscriptionEffect[]) =>
  effects.flatMap((effect) => (effect.kind === 'retryAfter' ? [effect.afterMs] : []));

describe('subscription', () => {
  test('asks the masters in order and waits only after all of them failed', () => {
    const machine = driver();
    expect(opened(machine.step({ kind: 'start' }))).toEqual(['http://a']);
    expect(opened(machine.step({ kind: 'ended', generation: 1, problem: 'x' }))).toEqual([
      'http://b',
    ]);
    const effects = machine.step({ kind: 'ended', generation: 2, problem: 'y' });
    expect(kinds(effects)).toEqual(['abort', 'disconnected', 'retryAfter']);
    expect(opened(machine.step({ kind: 'retryDue', generation: 2 }))).toEqual(['http://a']);
  });

  test('the wait grows to its bound and is short again after a stream stood', () => {
    const machine = driver(['http://a']);
    machine.step({ kind: 'start' });
    const seen: number[] = [];
    for (let round = 0; round < 12; round++) {
      const { generation } = machine.state;
      seen.push(...waits(machine.step({ kind: 'ended', generation, problem: 'x' })));
      machine.step({ kind: 'retryDue', generation });
    }
    expect(Math.max(...seen)).toBeLessThanOrEqual(RETRY_MS_MAX);
    expect(seen.at(-1)).toBeGreaterThanOrEqual(RETRY_MS_MAX / 2);
    machine.subscribe();
    const [first] = waits(
      machine.step({ kind: 'ended', generation: machine.state.generation, problem: 'x' }),
    );
    expect(first).toBeLessThanOrEqual(100);
  });

  test('follows redirects up to the bound', () => {
    const machine = driver(['http://a']);
    machine.step({ kind: 'start' });
    for (let count = 1; count <= REDIRECTS_MAX; count++) {
      const effects = machine.step({
        kind: 'redirected',
        generation: machine.state.generation,
        from: 'http://a',
        location: `//leader${count}:5050/api/v1/scheduler`,
      });
      expect(opened(effects)).toEqual([`http://leader${count}:5050`]);
    }
    const { generation } = machine.state;
    const effects = machine.step({
      kind: 'redirected',
      generation,
      from: 'http://a',
      location: '//x:1/',
    });
    expect(kinds(effects)).toEqual(['abort', 'disconnected', 'retryAfter']);
  });

  test('a stream that missed five heartbeats is given up, one that spoke is not', () => {
    const machine = driver(['http://a']);
    machine.step({ kind: 'start' });
    machine.subscribe();
    const limitMs = HEARTBEATS_MISSED_MAX * 15_000;
    machine.pass(limitMs - 1);
    expect(machine.step({ kind: 'silenceDue', generation: 1 })).toEqual([
      { kind: 'watchSilence', generation: 1, afterMs: 1 },
    ]);
    machine.step({ kind: 'activity', generation: 1 });
    machine.pass(limitMs - 1);
    expect(kinds(machine.step({ kind: 'silenceDue', generation: 1 }))).toEqual(['watchSilence']);
    machine.pass(1);
    expect(kinds(machine.step({ kind: 'silenceDue', generation: 1 }))).toContain('disconnected');
  });

  test('a master that takes too long to answer is left for the next', () => {
    const machine = driver();
    machine.step({ kind: 'start' });
    machine.pass(OPENING_MS_MAX);
    expect(opened(machine.step({ kind: 'silenceDue', generation: 1 }))).toEqual(['http://b']);
  });

  test('reports of an older stream change nothing', () => {
    const machine = driver();
    machine.step({ kind: 'start' });
    machine.step({ kind: 'ended', generation: 1, problem: 'x' });
    const before = machine.state;
    expect(machine.step({ kind: 'ended', generation: 1, problem: 'late' })).toEqual([]);
    expect(machine.step({ kind: 'stale', generation: 1, problem: 'late' })).toEqual([]);
    expect(machine.state).toBe(before);
  });

  test('nothing follows the stop', () => {
    const machine = driver();
    machine.step({ kind: 'start' });
    const effects = machine.step({ kind: 'refused', generation: 1, problem: 'bad request' });
    expect(effects).toEqual([
      { kind: 'abort', generation: 1 },
      { kind: 'stopped', reason: 'refused', problem: 'bad request' },
    ]);
    expect(machine.step({ kind: 'stop', reason: 'closed', problem: '' })).toEqual([]);
    expect(machine.step({ kind: 'retryDue', generation: 1 })).toEqual([]);
  });

  test('without a master it waits for one, and asks it at once', () => {
    const machine = driver([]);
    expect(machine.step({ kind: 'start' })).toEqual([]);
    expect(machine.state.phase).toBe('waiting');
    expect(opened(machine.step({ kind: 'masters', masters: ['http://l'] }))).toEqual(['http://l']);
  });

  test('a master that leads no longer is left for the one that does', () => {
    const machine = driver([]);
    machine.step({ kind: 'start' });
    machine.step({ kind: 'masters', masters: ['http://l'] });
    machine.subscribe();
    expect(machine.step({ kind: 'masters', masters: ['http://l'] })).toEqual([]);
    // While nobody is known to lead, the one that there is may still do.
    expect(machine.step({ kind: 'masters', masters: [] })).toEqual([]);
    const effects = machine.step({ kind: 'masters', masters: ['http://m'] });
    expect(kinds(effects)).toEqual(['abort', 'disconnected', 'open', 'watchSilence']);
    expect(opened(effects)).toEqual(['http://m']);
    expect(machine.state.phase).toBe('opening');
  });

  test('a lost stream is not opened anew before somebody leads, and then at once', () => {
    const machine = driver([]);
    machine.step({ kind: 'start' });
    machine.step({ kind: 'masters', masters: ['http://l'] });
    machine.subscribe();
    machine.step({ kind: 'masters', masters: [] });
    machine.step({ kind: 'ended', generation: 1, problem: 'x' });
    expect(machine.step({ kind: 'retryDue', generation: 1 })).toEqual([]);
    expect(opened(machine.step({ kind: 'masters', masters: ['http://l'] }))).toEqual(['http://l']);
    expect(machine.step({ kind: 'retryDue', generation: 1 })).toEqual([]);
  });
});
