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
import { runAreas } from './areas.ts';
import type { Row } from './row.ts';

export async function benchmarkKernel(): Promise<readonly Row[]> {
  return await runAreas({
    allocator: benchmarkKernelAllocator,
    fairness: benchmarkFairness,
    core: benchmarkCore,
    load: benchmarkLoad,
    failover: benchmarkFailover,
    reconciliation: benchmarkReconciliation,
    subscribers: benchmarkSubscribers,
    state: benchmarkState,
  });
}
