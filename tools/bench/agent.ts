/**
 * One agent under load, area by area: `npm run bench -- agent`, `--area=<name>` for one of them. Numbers of
 * containers are small unless `--full` is given; a figure that is a budget's is one of a full run. A runtime that
 * this machine cannot run is named with the reason.
 */

import { benchmarkContainers } from './agent-containers.ts';
import { benchmarkImages } from './agent-images.ts';
import { benchmarkLatency } from './agent-latency.ts';
import { benchmarkAgentMemory } from './agent-memory.ts';
import { benchmarkRecovery } from './agent-recovery.ts';
import { runAreas } from './areas.ts';
import type { Row } from './row.ts';

export async function benchmarkAgent(): Promise<readonly Row[]> {
  return await runAreas({
    containers: benchmarkContainers,
    latency: benchmarkLatency,
    recovery: benchmarkRecovery,
    memory: benchmarkAgentMemory,
    images: benchmarkImages,
  });
}
