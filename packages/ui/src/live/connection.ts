/** Whether the live streams stand: what the indicator in the sidebar and the offline banner show. */
import { createStore } from './store.ts';

export type StreamState = 'connecting' | 'open' | 'lost' | 'paused';

export interface Connection {
  readonly marathon: StreamState;
  readonly mesos: StreamState;
  /** Since when nothing at all is reachable, epoch milliseconds. */
  readonly lostSinceMs: number | undefined;
}

export const connection = createStore<Connection>({
  marathon: 'connecting',
  mesos: 'connecting',
  lostSinceMs: undefined,
});

/**
 * Records the state of one stream. "Lost" starts when both are gone, and lasts through all attempts to get them back
 * until one of them stands.
 */
export function setStream(name: 'marathon' | 'mesos', state: StreamState): void {
  const before = connection.get();
  if (before[name] === state) return;
  const next = { ...before, [name]: state };
  const states = [next.marathon, next.mesos];
  const isBack = states.some((each) => each === 'open' || each === 'paused');
  const isLost = states.every((each) => each === 'lost');
  const lostSinceMs = before.lostSinceMs ?? (isLost ? Date.now() : undefined);
  connection.set({ ...next, lostSinceMs: isBack ? undefined : lostSinceMs });
}
