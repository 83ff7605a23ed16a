/**
 * The kernel under load: reading the state, failover, reconciliation, and many agents over real connections.
 * Small clusters unless `--full` is given, see each area.
 */

import { benchmarkCore } from './kernel-core.ts';
import { benchmarkFailover, benchmarkLoad, benchmarkReconciliation } from './kernel-load.ts';
import { benchmarkState } from './kernel-state.ts';
import type { Row } from './row.ts';

const AREAS: readonly ((full: boolean) => Promise<readonly Row[]>)[] = [
  benchmarkCore,
  benchmarkState,
  benchmarkLoad,
  benchmarkFailover,
  benchmarkReconciliation,
];

export async function benchmarkKernel(): Promise<readonly Row[]> {
  const full = process.argv.includes('--full');
  const rows: Row[] = [];
  for (const area of AREAS) rows.push(...(await area(full)));
  return rows;
}
