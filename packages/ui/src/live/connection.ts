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

/** Records the state of one stream; "lost" starts when both are gone. */
export function setStream(name: 'marathon' | 'mesos', state: StreamState): void {
  const before = connection.get();
  if (before[name] === state) return;
  const next = { ...before, [name]: state };
  const lost = next.marathon === 'lost' && next.mesos === 'lost';
  connection.set({ ...next, lostSinceMs: lost ? (before.lostSinceMs ?? Date.now()) : undefined });
}
