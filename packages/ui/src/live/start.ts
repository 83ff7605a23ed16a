/**
 * Starts everything live. Streams run while the page is visible: a hidden tab gives its connections
 * back after a moment (browsers allow six per host) and catches up when it is shown again.
 */
import type { QueryClient } from '@tanstack/react-query';
import { followMarathon } from './marathon-stream.ts';
import { followMesos } from './mesos-stream.ts';
import { sampleMetrics } from './sampler.ts';

/** A tab that was hidden for this long gives up its streams, in milliseconds. */
const HIDDEN_PATIENCE_MS = 15_000;

/** @returns a function that stops everything. */
export function startLive(client: QueryClient): () => void {
  let running: AbortController | undefined;
  let hiddenTimer: ReturnType<typeof setTimeout> | undefined;

  const start = (): void => {
    if (running !== undefined) return;
    running = new AbortController();
    const { signal } = running;
    void followMarathon(client, signal);
    void followMesos(client, signal);
    void sampleMetrics(signal);
  };
  const stop = (): void => {
    running?.abort();
    running = undefined;
  };
  const onVisibility = (): void => {
    clearTimeout(hiddenTimer);
    if (document.visibilityState === 'visible') start();
    else hiddenTimer = setTimeout(stop, HIDDEN_PATIENCE_MS);
  };

  document.addEventListener('visibilitychange', onVisibility);
  start();
  return () => {
    document.removeEventListener('visibilitychange', onVisibility);
    clearTimeout(hiddenTimer);
    stop();
  };
}
