/**
 * The kernel under load, area by area: `npm run bench -- kernel`, `--area=<name>` for one of them. Clusters are
 * small unless `--full` is given. A figure that is a budget's is one of a full run.
 */

import { benchmarkKernelAllocator } from './kernel-allocator.ts';
import { benchmarkCore } from './kernel-core.ts';
import { benchmarkFairness } from './kernel-fairness.ts';
import { benchmarkFailover, benchmarkLoad, benchmarkReconciliation } from './kernel-load.ts';
import { benchmarkState } from './kernel-state.ts';
import { benchmarkSubscribers } from './kernel-subscribers.ts';
import type { Row } from './row.ts';

const AREAS: Readonly<Record<string, (full: boolean) => Promise<readonly Row[]>>> = {
  allocator: benchmarkKernelAllocator,
  fairness: benchmarkFairness,
  core: benchmarkCore,
  load: benchmarkLoad,
  failover: benchmarkFailover,
  reconciliation: benchmarkReconciliation,
  subscribers: benchmarkSubscribers,
  state: benchmarkState,
};

export async function benchmarkKernel(): Promise<readonly Row[]> {
  const full = process.argv.includes('--full');
  const chosen = process.argv
    .filter((arg) => arg.startsWith('--area='))
    .map((arg) => arg.slice('--area='.length));
  const unknown = chosen.filter((name) => !(name in AREAS));
  if (unknown.length > 0) {
    throw new Error(
      `unknown area ${unknown.join(', ')}; there are ${Object.keys(AREAS).join(', ')}`,
    );
  }
  const rows: Row[] = [];
  for (const [name, area] of Object.entries(AREAS)) {
    if (chosen.length === 0 || chosen.includes(name)) rows.push(...(await area(full)));
  }
  return rows;
}
