/**
 * Metrics with the original's names (`master/uptime_secs`) and two faces: the flat JSON object of
 * `/metrics/snapshot` and the Prometheus text format, where `/` becomes `_`.
 *
 * The Prometheus text is written by prom-client from the same readings, so the two can never disagree.
 */

import { Counter as PrometheusCounter, Gauge, Registry } from 'prom-client';

/** A monotone count since the start of the process. */
export interface Counter {
  increment(by?: number): void;
  readonly value: number;
}

/** Durations of something, of which the last and the percentiles of a bounded window are shown. */
export interface Timer {
  observe(durationMs: number): void;
}

/** Samples that a timer keeps for its percentiles. */
export const TIMER_SAMPLES_MAX = 1000;

export interface Metrics {
  /** Registers a value that is read when somebody asks; a reading that throws or is NaN is left out. */
  gauge(name: string, read: () => number): void;
  /** The counter of that name, made at its first use. */
  counter(name: string): Counter;
  /** The timer of that name; its readings are `<name>_ms` and `<name>_ms/count|min|max|p50|…`. */
  timer(name: string): Timer;
  /** Drops every metric whose name begins so, for objects that are gone. */
  remove(prefix: string): void;
  /** All readings, by the original's names. */
  snapshot(): Readonly<Record<string, number>>;
  /** All readings in the Prometheus text format. */
  prometheus(): Promise<string>;
}

const PERCENTILES = [
  ['p50', 0.5],
  ['p90', 0.9],
  ['p95', 0.95],
  ['p99', 0.99],
  ['p999', 0.999],
  ['p9999', 0.9999],
] as const;

/** Makes an empty set of metrics. */
export function createMetrics(): Metrics {
  const gauges = new Map<string, () => number>();
  const counters = new Map<string, { value: number }>();
  const timers = new Map<string, { last: number; count: number; samples: number[] }>();

  function snapshot(): Record<string, number> {
    const readings: Record<string, number> = {};
    for (const [name, read] of gauges) {
      const value = read();
      if (Number.isFinite(value)) readings[name] = value;
    }
    for (const [name, counter] of counters) readings[name] = counter.value;
    for (const [name, timer] of timers) Object.assign(readings, timerReadings(name, timer));
    return readings;
  }

  return {
    gauge: (name, read) => void gauges.set(name, read),
    counter(name) {
      const existing = counters.get(name) ?? { value: 0 };
      counters.set(name, existing);
      return {
        increment: (by = 1) => void (existing.value += by),
        get value() {
          return existing.value;
        },
      };
    },
    timer(name) {
      const existing = timers.get(name) ?? { last: 0, count: 0, samples: [] };
      timers.set(name, existing);
      return {
        observe(durationMs) {
          existing.last = durationMs;
          existing.samples[existing.count % TIMER_SAMPLES_MAX] = durationMs;
          existing.count += 1;
        },
      };
    },
    remove(prefix) {
      for (const all of [gauges, counters, timers]) {
        for (const name of all.keys()) if (name.startsWith(prefix)) all.delete(name);
      }
    },
    snapshot,
    prometheus: () => prometheusText(snapshot(), counters),
  };
}

function timerReadings(
  name: string,
  timer: { readonly last: number; readonly count: number; readonly samples: readonly number[] },
): Record<string, number> {
  if (timer.count === 0) return {};
  const sorted = [...timer.samples].sort((left, right) => left - right);
  const at = (fraction: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))] ?? 0;
  const prefix = `${name}_ms`;
  const readings: Record<string, number> = {
    [prefix]: timer.last,
    [`${prefix}/count`]: timer.count,
    [`${prefix}/min`]: at(0),
    [`${prefix}/max`]: at(1),
  };
  for (const [label, fraction] of PERCENTILES) readings[`${prefix}/${label}`] = at(fraction);
  return readings;
}

async function prometheusText(
  readings: Readonly<Record<string, number>>,
  counters: ReadonlyMap<string, unknown>,
): Promise<string> {
  const registry = new Registry();
  const taken = new Set<string>();
  for (const [name, value] of Object.entries(readings)) {
    let metric = name.replaceAll(/[^a-zA-Z0-9_]/g, '_');
    if (/^[0-9]/.test(metric)) metric = `_${metric}`;
    const isCounter = counters.has(name);
    if (isCounter) metric = `${metric}_total`;
    if (taken.has(metric)) continue;
    taken.add(metric);
    const about = { name: metric, help: name, registers: [registry] };
    if (isCounter) new PrometheusCounter(about).inc(value);
    else new Gauge(about).set(value);
  }
  return await registry.metrics();
}
