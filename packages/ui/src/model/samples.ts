/**
 * The dashboard's history: a bounded series of samples of the master's metrics, and figures derived
 * from it. Invariants: samples are in time order and at most `SAMPLES_MAX`; a counter that fell (the
 * master restarted) counts as zero new events, not as negative ones.
 */
import type { MetricsSnapshot } from '../api/types.ts';

export interface Sample {
  readonly timeMs: number;
  readonly cpusPercent: number;
  readonly memPercent: number;
  readonly diskPercent: number;
  readonly agents: number;
  readonly tasksRunning: number;
  readonly tasksStaging: number;
  /** Tasks that ended badly since the master started. */
  readonly failuresTotal: number;
}

/** Seconds between samples while the page is visible. */
export const SAMPLE_INTERVAL_MS = 2_000;
/** Ten minutes of samples. */
export const SAMPLES_MAX = 300;

const FAILURE_COUNTERS: readonly string[] = [
  'master/tasks_failed',
  'master/tasks_error',
  'master/tasks_lost',
  'master/tasks_dropped',
  'master/tasks_gone',
];

export function sampleOf(metrics: MetricsSnapshot, timeMs: number): Sample {
  const value = (name: string): number => metrics[name] ?? 0;
  const percent = (name: string): number => {
    const total = value(`master/${name}_total`);
    return total > 0 ? (value(`master/${name}_used`) / total) * 100 : 0;
  };
  return {
    timeMs,
    cpusPercent: percent('cpus'),
    memPercent: percent('mem'),
    diskPercent: percent('disk'),
    agents: value('master/slaves_active'),
    tasksRunning: value('master/tasks_running'),
    tasksStaging: value('master/tasks_staging') + value('master/tasks_starting'),
    failuresTotal: FAILURE_COUNTERS.reduce((sum, name) => sum + value(name), 0),
  };
}

/** The series with one more sample, the oldest dropped beyond the bound. */
export function appendSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  const last = samples.at(-1);
  if (last !== undefined && sample.timeMs <= last.timeMs) return samples;
  return [...samples, sample].slice(-SAMPLES_MAX);
}

/** Failures between neighbouring samples; the first has none. */
export function failuresPerSample(samples: readonly Sample[]): readonly number[] {
  return samples.map((sample, index) => {
    const before = samples[index - 1];
    return before === undefined ? 0 : Math.max(0, sample.failuresTotal - before.failuresTotal);
  });
}

const MINUTE_MS = 60_000;

/** Whether the samples reach back a minute; before, a count is of what was seen so far. */
export function coversLastMinute(samples: readonly Sample[]): boolean {
  const [first] = samples;
  const newest = samples.at(-1);
  if (first === undefined || newest === undefined) return false;
  return newest.timeMs - first.timeMs >= MINUTE_MS;
}

/** Failures in the last minute before the newest sample. */
export function failuresLastMinute(samples: readonly Sample[]): number {
  const newest = samples.at(-1);
  if (newest === undefined) return 0;
  const failures = failuresPerSample(samples);
  return samples.reduce(
    (sum, sample, index) =>
      newest.timeMs - sample.timeMs < MINUTE_MS ? sum + (failures[index] ?? 0) : sum,
    0,
  );
}
