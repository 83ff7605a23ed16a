/**
 * Many containers on one agent: launched together until all run, killed together until their ends are told and
 * nothing is left of them. The budgets are those of a thousand.
 */

import { AgentCluster, LASTING } from './agent-cluster.ts';
import { obstacleOf, RUNTIMES, type RuntimeName } from './agent-runtimes.ts';
import { growth, type CostOfEach } from './kernel-series.ts';
import { row, type Row } from './row.ts';

const FULL = 1_000;
const SMALL = 100;
/** The lesser number that shows whether the cost of one grows. */
const STEPS = 4;
/** An engine of its own is slow, and its speed is not ours. */
const ENGINE_SHARE = 10;
const WARM_UP = 10;

export async function benchmarkContainers(full: boolean): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const runtime of RUNTIMES) {
    const obstacle = await obstacleOf(runtime);
    if (obstacle === undefined) rows.push(...(await measure(runtime, full)));
    else rows.push({ what: `containers, ${runtime}`, unavailable: obstacle });
  }
  return rows;
}

async function measure(runtime: RuntimeName, full: boolean): Promise<readonly Row[]> {
  const containers = (full ? FULL : SMALL) / (runtime === 'docker' ? ENGINE_SHARE : 1);
  const cluster = await AgentCluster.start(runtime, { command: LASTING, goal: 'TASK_RUNNING' });
  try {
    await rounds(cluster, WARM_UP);
    const few = await rounds(cluster, Math.round(containers / STEPS));
    const many = await rounds(cluster, containers);
    const budgets = containers === FULL ? { start: '20000 ms', destroy: '10000 ms' } : undefined;
    const what = `${containers} containers, ${runtime}`;
    return [
      row(`${what}: started`, 'ms', [many.startMs], budgets?.start ?? ''),
      growth(each(few.containers, few.startMs), each(containers, many.startMs)),
      row(`${what}: destroyed`, 'ms', [many.destroyMs], budgets?.destroy ?? ''),
      growth(each(few.containers, few.destroyMs), each(containers, many.destroyMs)),
    ];
  } finally {
    await cluster.close();
  }
}

interface Round {
  readonly containers: number;
  readonly startMs: number;
  readonly destroyMs: number;
}

async function rounds(cluster: AgentCluster, containers: number): Promise<Round> {
  const startedMs = performance.now();
  await cluster.framework.run(containers, containers);
  const runningMs = performance.now();
  await cluster.framework.endAll();
  await cluster.untilRemoved();
  return {
    containers,
    startMs: runningMs - startedMs,
    destroyMs: performance.now() - runningMs,
  };
}

function each(objects: number, elapsedMs: number): CostOfEach {
  return { objects, microseconds: (elapsedMs * 1000) / objects };
}
