import { expect, test } from 'vitest';
import type { CommitOptions } from '@dcos/store';
import type { Effect, MasterEvent } from '../core/index.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { CoreLoop } from './core-loop.ts';

const event: MasterEvent = { kind: 'timer', timer: 'allocate' };
const persist: Effect = { kind: 'persist', writes: [{ kind: 'delete', key: 'master/agents/1' }] };
const reply: Effect = { kind: 'reply', request: 1, status: 200 };

/** A loop whose core answers each event with these effects. */
function looped(effects: readonly Effect[]) {
  const clock = new ManualClock();
  let isHeld = true;
  let lose = (): void => undefined;
  const lost = new Promise<void>((resolve) => (lose = resolve));
  const lease = { epoch: 7, isHeld: () => isHeld, lost, release: async () => undefined };
  const seen: { handled: MasterEvent[]; performed: Effect[]; failures: unknown[] } = {
    handled: [],
    performed: [],
    failures: [],
  };
  const commits: (CommitOptions | undefined)[] = [];
  const loop = new CoreLoop({
    lease,
    clock,
    store: { commit: async (_writes, options) => void commits.push(options) },
    registryStoreTimeoutMs: 1_000,
    handle: (given) => {
      seen.handled.push(given);
      return effects;
    },
    perform: (effect) => seen.performed.push(effect),
    written: () => undefined,
    onFailure: (error) => seen.failures.push(error),
  });
  const expire = (): void => void (isHeld = false);
  return { loop, lease, seen, commits, expire, lose };
}

/** Lets everything that is already decided happen. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test('writes carry the lease, and effects come behind them', async () => {
  const { loop, lease, seen, commits } = looped([persist, reply]);
  loop.dispatch(event);
  expect(seen.performed).toEqual([]);
  await turn();
  expect(commits).toEqual([{ lease }]);
  expect(seen.performed).toEqual([reply]);
  expect([loop.effects, loop.writes]).toEqual([0, 0]);
});

test('an event that waited until the lease was over is not handled, and ends the leader', async () => {
  const { loop, seen, expire } = looped([reply]);
  expire();
  loop.dispatch(event);
  loop.dispatch(event);
  await turn();
  expect(seen).toMatchObject({
    handled: [],
    performed: [],
    failures: [{ code: 'MASTER_DEPOSED' }],
  });
});

test('when the lease is lost nothing that waits for a write is performed', async () => {
  const { loop, seen, expire, lose } = looped([persist, reply]);
  loop.dispatch(event);
  expire();
  lose();
  await turn();
  expect(seen).toMatchObject({ performed: [], failures: [{ code: 'MASTER_DEPOSED' }] });
});

test('a defect of the core ends the leader', () => {
  const { loop, seen } = looped([]);
  const broken = new CoreLoop({
    lease: looped([]).lease,
    clock: new ManualClock(),
    registryStoreTimeoutMs: 1_000,
    store: { commit: async () => undefined },
    handle: () => {
      throw new Error('broken');
    },
    perform: () => undefined,
    written: () => undefined,
    onFailure: (error) => seen.failures.push(error),
  });
  broken.dispatch(event);
  expect(seen.failures).toMatchObject([{ message: 'broken' }]);
  loop.stop();
});

test('once stopped it says nothing, not even that its lease is lost', async () => {
  const { loop, seen, expire, lose } = looped([reply]);
  loop.stop();
  expire();
  lose();
  loop.dispatch(event);
  await turn();
  expect(seen).toEqual({ handled: [], performed: [], failures: [] });
});
