import { expect, test } from 'vitest';
import type { Effect } from '../core/effects.ts';
import { EffectQueue } from './effect-queue.ts';

const reply = (request: number): Effect => ({ kind: 'reply', request, status: 200 });
const persist: Effect = { kind: 'persist', writes: [] };

/** A queue whose writes end when the test says so. */
function harness(effectsWaitingMax?: number) {
  const performed: number[] = [];
  const failures: unknown[] = [];
  const writes: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  const queue = new EffectQueue({
    monotonicMs: () => performance.now(),
    persist: () => new Promise<void>((resolve, reject) => writes.push({ resolve, reject })),
    perform: (effect) => void (effect.kind === 'reply' && performed.push(effect.request)),
    onFailure: (error) => failures.push(error),
    ...(effectsWaitingMax === undefined ? {} : { effectsWaitingMax }),
  });
  return { queue, performed, failures, writes };
}

/** Lets everything that is already decided happen. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test('effects without a write ahead of them are performed at once', () => {
  const { queue, performed } = harness();
  queue.push([reply(1), reply(2)]);
  expect(performed).toEqual([1, 2]);
});

test('very many effects leave others their turn, and stay in order', async () => {
  const performed: number[] = [];
  const queue = new EffectQueue({
    monotonicMs: () => performance.now(),
    persist: async () => undefined,
    perform(effect) {
      const untilMs = performance.now() + 0.2;
      while (performance.now() < untilMs);
      if (effect.kind === 'reply') performed.push(effect.request);
    },
    onFailure: (error) => {
      throw error;
    },
  });
  const numbers = Array.from({ length: 500 }, (_, index) => index);
  queue.push(numbers.slice(0, 400).map(reply));
  expect(performed.length).toBeLessThan(400);
  queue.push(numbers.slice(400).map(reply));
  while (performed.length < numbers.length) await turn();
  expect(performed).toEqual(numbers);
});

test('nothing passes a write that is not durable, of later events either', async () => {
  const { queue, performed, writes } = harness();
  queue.push([reply(1), persist, reply(2)]);
  queue.push([reply(3)]);
  await turn();
  expect(performed).toEqual([1]);
  writes[0]?.resolve();
  await turn();
  expect(performed).toEqual([1, 2, 3]);
});

test('writes start together, their effects come in order whichever ends first', async () => {
  const { queue, performed, writes } = harness();
  queue.push([persist, reply(1), persist, reply(2)]);
  expect(writes).toHaveLength(2);
  writes[1]?.resolve();
  await turn();
  expect(performed).toEqual([]);
  writes[0]?.resolve();
  await turn();
  expect(performed).toEqual([1, 2]);
});

test('a failed write ends everything behind it', async () => {
  const { queue, performed, failures, writes } = harness();
  queue.push([persist, reply(1)]);
  const error = new Error('disk full');
  writes[0]?.reject(error);
  await turn();
  queue.push([reply(2)]);
  await turn();
  expect(failures).toEqual([error]);
  expect(performed).toEqual([]);
});

test('a write that hangs ends the queue at its bound, once', async () => {
  const { queue, performed, failures, writes } = harness(3);
  queue.push([persist]);
  queue.push([reply(1), reply(2), reply(3)]);
  expect(failures).toEqual([]);
  queue.push([reply(4)]);
  expect(failures).toMatchObject([{ code: 'MASTER_STORE_SLOW' }]);
  writes[0]?.reject(new Error('too late'));
  await turn();
  expect(failures).toHaveLength(1);
  expect(performed).toEqual([]);
});

test('it says what waits, and for which writes', async () => {
  const { queue, writes } = harness();
  queue.push([reply(1)]);
  expect([queue.size, queue.writes]).toEqual([0, 0]);
  queue.push([persist, reply(2), persist, reply(3)]);
  expect([queue.size, queue.writes]).toEqual([4, 2]);
  writes[0]?.resolve();
  await turn();
  expect([queue.size, queue.writes]).toEqual([2, 1]);
  queue.stop();
  expect([queue.size, queue.writes]).toEqual([0, 0]);
});

test('who no longer leads performs nothing more, not even what waited behind a write', async () => {
  const performed: number[] = [];
  const failures: unknown[] = [];
  let leads = true;
  let resolve = (): void => undefined;
  const queue = new EffectQueue({
    monotonicMs: () => performance.now(),
    persist: () => new Promise<void>((resolved) => (resolve = resolved)),
    perform: (effect) => void (effect.kind === 'reply' && performed.push(effect.request)),
    mayPerform: () => leads,
    onFailure: (error) => failures.push(error),
  });
  queue.push([reply(1), persist, reply(2)]);
  await turn();
  leads = false;
  resolve();
  await turn();
  queue.push([reply(3)]);
  await turn();
  expect(performed).toEqual([1]);
  expect(failures).toMatchObject([{ code: 'MASTER_DEPOSED' }]);
});
