/** Load and memory of the host, read when somebody asks. Names are the original's. */

import { availableParallelism, freemem, loadavg, totalmem } from 'node:os';
import type { Metrics } from './metrics.ts';

/** Registers the gauges `system/*`. */
export function addHostGauges(metrics: Metrics): void {
  metrics.gauge('system/cpus_total', () => availableParallelism());
  metrics.gauge('system/mem_total_bytes', () => totalmem());
  metrics.gauge('system/mem_free_bytes', () => freemem());
  for (const [index, minutes] of [1, 5, 15].entries())
    metrics.gauge(`system/load_${minutes}min`, () => loadavg()[index] ?? 0);
}

/** The document `/system/stats.json`: loads over 1, 5 and 15 minutes, bytes, processors. */
export function hostStatistics(): Readonly<Record<string, number>> {
  const [last = 0, recent = 0, long = 0] = loadavg();
  return {
    avg_load_15min: long,
    avg_load_1min: last,
    avg_load_5min: recent,
    cpus_total: availableParallelism(),
    mem_free_bytes: freemem(),
    mem_total_bytes: totalmem(),
  };
}
