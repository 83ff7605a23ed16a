/** When a keeper asks, and whom it leaves: by a client and a clock of the test. */

import type { Clock } from '@dcos/base';
import { expect, test } from 'vitest';
import type { ZooKeeperListener } from './client.ts';
import { LeaseKeeper, type LeaseKeeperOptions } from './lease-keeper.ts';

const TIMEOUT_MS = 10_000;
/** That there is one is all that counts. */
const ANSWER = undefined as never;
/** A turn of the event loop: what was answered is heard. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Question {
  readonly answer: () => void;
  readonly lose: () => void;
}

interface Scene {
  readonly keeper: LeaseKeeper;
  /** Why servers were left. */
  readonly left: readonly string[];
  /** Questions that nobody has answered yet. */
  readonly open: readonly Question[];
  /** Time passes, a timer after another. */
  readonly pass: (forMs: number) => Promise<void>;
  readonly lose: () => Promise<void>;
  /** Another server takes the session up, and answers when it is told to. */
  readonly take: (answers: boolean) => Promise<void>;
}

function createScene(tickMs?: number): Scene {
  let nowMs = 0;
  const timers = new Set<{ readonly atMs: number; readonly callback: () => void }>();
  const clock: Clock = {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    setTimer(afterMs, callback) {
      const timer = { atMs: nowMs + afterMs, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
  };
  const listeners = new Set<ZooKeeperListener>();
  const open: Question[] = [];
  const left: string[] = [];
  let isConnected = true;
  let beganMs = 0;
  let isAnswering = true;
  const client: LeaseKeeperOptions['client'] = {
    get isConnected() {
      return isConnected;
    },
    get beganMs() {
      return beganMs;
    },
    timeoutMs: TIMEOUT_MS,
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    reconnect: (reason) => void left.push(reason),
    request: (): Promise<never> =>
      isConnected && isAnswering
        ? Promise.resolve(ANSWER)
        : new Promise((resolve, reject) =>
            open.push({ answer: () => resolve(ANSWER), lose: () => reject(new Error('lost')) }),
          ),
  };
  const keeper = new LeaseKeeper({ client, clock, tickMs, path: '/leader' });
  return {
    keeper,
    left,
    open,
    async pass(forMs: number): Promise<void> {
      const endMs = nowMs + forMs;
      await turn();
      for (;;) {
        const [next] = [...timers].sort((one, other) => one.atMs - other.atMs);
        if (next === undefined || next.atMs > endMs) break;
        timers.delete(next);
        nowMs = Math.max(nowMs, next.atMs);
        next.callback();
        await turn();
      }
      nowMs = endMs;
    },
    async lose(): Promise<void> {
      isConnected = false;
      for (const question of open.splice(0)) question.lose();
      for (const { onState } of listeners) onState?.('suspended', 'lost');
      await turn();
    },
    async take(answers: boolean): Promise<void> {
      isAnswering = answers;
      isConnected = true;
      beganMs = nowMs;
      for (const { onState } of listeners) onState?.('connected', 'another');
      await turn();
    },
  };
}

test.each([
  ['unknown', undefined, 4_000, 6_000],
  ['a second', 1_000, 6_500, 8_000],
])(
  'without servers a lease lasts by what is known of their tick: %s',
  async (_name, tickMs, heldMs, lostMs) => {
    const { keeper, pass, lose } = createScene(tickMs);
    void keeper.lead();
    await pass(60_000);
    await lose();
    await pass(heldMs);
    expect(keeper.isProven()).toBe(true);
    await pass(lostMs - heldMs);
    expect(keeper.isProven()).toBe(false);
    keeper.stop();
  },
);

test('the next server is asked at once, though the last one was just asked', async () => {
  const { keeper, open, pass, lose, take } = createScene();
  void keeper.lead();
  await pass(60_000);
  await lose();
  await pass(100);
  await take(false);
  expect(open).toHaveLength(1);
  open[0]?.answer();
  await pass(8_500);
  expect(keeper.isProven()).toBe(true);
  keeper.stop();
});

test('a server has its time to answer, however long none was there before', async () => {
  const { keeper, left, pass, lose, take } = createScene();
  void keeper.lead();
  await pass(60_000);
  await lose();
  await pass(2_450);
  await take(false);
  await pass(2_000);
  expect(left).toEqual([]);
  await pass(1_000);
  expect(left).toEqual(['it does not answer in time']);
  keeper.stop();
});
