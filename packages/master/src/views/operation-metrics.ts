/** Metrics of offer operations: what is under way, and how those that ended did. */

import type { Metrics } from '@dcos/telemetry';
import type { MasterState } from '../core/state.ts';

const TYPES = [
  'reserve',
  'unreserve',
  'create',
  'destroy',
  'grow_volume',
  'shrink_volume',
  'create_disk',
  'destroy_disk',
] as const;
/** States in which an operation may be; `total` is all that are known. */
const LIVE = ['total', 'pending', 'recovering', 'unreachable'] as const;
const ENDS = ['finished', 'failed', 'error', 'dropped', 'gone_by_operator'] as const;

/** Counters that are shown from the start. */
export const OPERATION_COUNTERS: readonly string[] = ENDS.flatMap((end) => [
  `master/operations/${end}`,
  ...TYPES.map((type) => `master/operations/${type}/${end}`),
]);

/** Registers the gauges; `counts` is what `liveOperations` said when the snapshot began. */
export function registerOperationGauges(
  metrics: Metrics,
  counts: () => ReadonlyMap<string, number>,
): void {
  for (const state of LIVE) {
    metrics.gauge(`master/operations/${state}`, () => counts().get(state) ?? 0);
    for (const type of TYPES)
      metrics.gauge(
        `master/operations/${type}/${state}`,
        () => counts().get(`${type}/${state}`) ?? 0,
      );
  }
}

/** How many operations there are, by state and by type and state. */
export function liveOperations(state: MasterState): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { operations } of state.agents.values()) {
    for (const { operation } of operations.values()) {
      const type = (operation.info.type ?? 'UNKNOWN').toLowerCase();
      const latest = (operation.latest_status?.state ?? 'OPERATION_PENDING')
        .replace('OPERATION_', '')
        .toLowerCase();
      for (const name of ['total', latest, `${type}/total`, `${type}/${latest}`])
        counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return counts;
}
