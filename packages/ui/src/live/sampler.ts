/**
 * Samples the master's metrics for the dashboard's charts while the page is visible. The series
 * survives a reload of the page in the session storage, so that charts do not start empty.
 */
import { readMetrics } from '../api/mesos.ts';
import { appendSample, SAMPLE_INTERVAL_MS, sampleOf, SAMPLES_MAX } from '../model/samples.ts';
import type { Sample } from '../model/samples.ts';
import { createStore } from './store.ts';
import { pause } from './stream-retry.ts';

const STORAGE_KEY = 'dcos.samples.v1';
/** Older series are of no use: the chart would show one long gap. Milliseconds. */
const RESTORE_AGE_MAX_MS = 600_000;

export const samples = createStore<readonly Sample[]>(restore());

/** Samples until the signal fires. */
export async function sampleMetrics(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const metrics = await readMetrics(signal);
      samples.set(appendSample(samples.get(), sampleOf(metrics, Date.now())));
      store(samples.get());
    } catch {
      // A missing sample is a gap in the chart; the connection indicator tells about the loss.
    }
    await pause(SAMPLE_INTERVAL_MS, signal);
  }
}

function store(series: readonly Sample[]): void {
  try {
    sessionStorage.setItem(STORAGE_KEY, JSON.stringify(series));
  } catch {
    // Storage may be full or forbidden: then the charts start anew after a reload.
  }
}

function restore(): readonly Sample[] {
  try {
    const parsed: unknown = JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? '[]');
    if (!Array.isArray(parsed)) return [];
    const series = parsed.filter(isSample).slice(-SAMPLES_MAX);
    return series.filter((sample) => Date.now() - sample.timeMs < RESTORE_AGE_MAX_MS);
  } catch {
    return [];
  }
}

function isSample(value: unknown): value is Sample {
  return (
    typeof value === 'object' && value !== null && 'timeMs' in value && 'failuresTotal' in value
  );
}
