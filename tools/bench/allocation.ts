/** Allocation rounds on big clusters, inside one process. */

import { benchmarkAllocator } from '@dcos/allocator/testing/benchmark';
import { row, type Row } from './row.ts';

const REPETITIONS = 3;

export async function benchmarkAllocation(): Promise<readonly Row[]> {
  const figures = benchmarkAllocator({
    monotonicMs: () => performance.now(),
    repetitions: REPETITIONS,
  });
  return figures.map(({ what, samplesMs, budget }) => row(what, 'ms', samplesMs, budget));
}
