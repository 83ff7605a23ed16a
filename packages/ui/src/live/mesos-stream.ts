/**
 * Follows the master's event stream: keeps the cluster state (tasks above all) up to date in place,
 * and refreshes the agents' figures when something changed. Reconnecting brings a fresh snapshot.
 */
import type { JsonValue } from '@dcos/base';
import type { QueryClient } from '@tanstack/react-query';
import { ApiError } from '../api/http.ts';
import { queryKeys } from '../api/queries.ts';
import { applyMasterEvent, emptyClusterState, isMasterEvent } from '../model/cluster-state.ts';
import type { ClusterState } from '../model/cluster-state.ts';
import { RecordDecoder } from '../model/record-io.ts';
import { setStream } from './connection.ts';
import { createStore } from './store.ts';
import { pause, retryDelayMs } from './stream-retry.ts';

/** The agents' figures are read again at most this often, in milliseconds. */
const SUMMARY_GATHER_MS = 150;
/** Silence after which the stream counts as dead: three missed heartbeats, in milliseconds. */
const SILENCE_MAX_MS = 50_000;

const state: ClusterState = emptyClusterState();

/** Revision of the cluster state: components follow it and read `clusterState()`. */
export const clusterRevision = createStore(0);

/** The live cluster state; changes in place with every revision. */
export function clusterState(): ClusterState {
  return state;
}

/** Keeps the stream open until the signal fires. */
export async function followMesos(client: QueryClient, signal: AbortSignal): Promise<void> {
  const changed = createNotifier(client);
  let attempt = 0;
  while (!signal.aborted) {
    setStream('mesos', 'connecting');
    let opened = false;
    try {
      await readStream(signal, (event) => {
        if (!opened) setStream('mesos', 'open');
        opened = true;
        if (applyMasterEvent(state, event).length > 0) changed();
      });
    } catch {
      // The reason does not matter to the reader: the indicator shows the loss, the loop tries again.
    }
    if (signal.aborted) break;
    setStream('mesos', 'lost');
    attempt = opened ? 0 : attempt + 1;
    await pause(retryDelayMs(attempt), signal);
  }
  setStream('mesos', 'paused');
}

async function readStream(signal: AbortSignal, onEvent: (event: JsonValue) => void): Promise<void> {
  const silence = new AbortController();
  const response = await fetch('/mesos/api/v1', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ type: 'SUBSCRIBE' }),
    signal: AbortSignal.any([signal, silence.signal]),
  });
  if (!response.ok || response.body === null) {
    throw new ApiError(response.status, `The master answered ${response.status}.`);
  }
  const reader = response.body.getReader();
  const decoder = new RecordDecoder();
  const text = new TextDecoder();
  for (;;) {
    const watchdog = setTimeout(() => silence.abort(), SILENCE_MAX_MS);
    const { done, value } = await reader.read().finally(() => clearTimeout(watchdog));
    if (done) return;
    for (const record of decoder.push(value)) {
      const event: unknown = JSON.parse(text.decode(record));
      if (isMasterEvent(event)) onEvent(event);
    }
  }
}

/** One notification per frame at most, and one request for the figures per gathering time. */
function createNotifier(client: QueryClient): () => void {
  let frame: number | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    frame ??= requestAnimationFrame(() => {
      frame = undefined;
      clusterRevision.set(state.revision);
    });
    timer ??= setTimeout(() => {
      timer = undefined;
      void client.invalidateQueries({ queryKey: queryKeys.summary });
    }, SUMMARY_GATHER_MS);
  };
}
