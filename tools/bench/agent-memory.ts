/**
 * Memory that a running task costs beside itself: what the agent grew by, and the processes that watch over it.
 * Pages that processes share are counted once (proportional set size); the greater sum that counts them for each
 * process (resident set size) is shown too.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentCluster, LASTING } from './agent-cluster.ts';
import { obstacleOf, type RuntimeName } from './agent-runtimes.ts';
import { row, type Row } from './row.ts';

const TASKS = 100;
const FULL_TASKS = 500;
const WARM_UP = 20;
/** What a launch leaves behind for the collector settles within this time. */
const SETTLE_MS = 3_000;
const BUDGET = '3 MB';

export async function benchmarkAgentMemory(full: boolean): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const runtime of ['process', 'oci'] as const) {
    const obstacle = await obstacleOf(runtime);
    if (obstacle === undefined) rows.push(...(await measure(runtime, full ? FULL_TASKS : TASKS)));
    else rows.push({ what: `memory of a running task, ${runtime}`, unavailable: obstacle });
  }
  return rows;
}

async function measure(runtime: RuntimeName, tasks: number): Promise<readonly Row[]> {
  const cluster = await AgentCluster.start(runtime, { command: LASTING, goal: 'TASK_RUNNING' });
  try {
    // The launcher process and the code that was compiled on the way are there once, not for each task.
    await cluster.framework.run(WARM_UP, WARM_UP);
    await cluster.framework.endAll();
    await cluster.untilRemoved();
    await sleep(SETTLE_MS);
    const before = memoryOf(cluster);
    await cluster.framework.run(tasks, tasks);
    await sleep(SETTLE_MS);
    const after = memoryOf(cluster);
    await cluster.framework.endAll();
    await cluster.untilRemoved();
    const growth = (after.agent - before.agent) / tasks;
    const watchers = (after.watchers.proportional - before.watchers.proportional) / tasks;
    const resident = (after.watchers.resident - before.watchers.resident) / tasks;
    const what = `${tasks} running tasks, ${runtime}`;
    return [
      row(`${what}: memory of each beside itself`, 'MB', [growth + watchers], BUDGET),
      row('  growth of the agent for each', 'MB', [growth], ''),
      row('  its watchers, shared pages once', 'MB', [watchers], ''),
      row('  its watchers, shared pages for each', 'MB', [resident], ''),
      row('  the agent with all of them', 'MB', [after.agent], ''),
    ];
  } finally {
    await cluster.close();
  }
}

/** Megabytes. */
interface Memory {
  readonly agent: number;
  /** Everything else that belongs to the agent and is no task. */
  readonly watchers: { readonly proportional: number; readonly resident: number };
}

function memoryOf(cluster: AgentCluster): Memory {
  let agent = 0;
  let proportional = 0;
  let resident = 0;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const found = readProcess(name, cluster.workDir);
    if (found === undefined) continue;
    if (Number(name) === cluster.agent.pid) agent = found.resident;
    else {
      proportional += found.proportional;
      resident += found.resident;
    }
  }
  return { agent, watchers: { proportional, resident } };
}

/** Memory of a process that belongs to the agent of this work directory and is no task of it. */
function readProcess(
  pid: string,
  workDir: string,
): { readonly proportional: number; readonly resident: number } | undefined {
  const read = (name: string): string => readFileSync(`/proc/${pid}/${name}`, 'utf8');
  try {
    const belongs = read('cmdline').includes(workDir) || read('environ').includes(workDir);
    if (!belongs || read('comm').trim() === TASK_PROGRAM) return undefined;
    const text = read('smaps_rollup');
    const megabytes = (key: string): number =>
      Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1024;
    return { proportional: megabytes('Pss'), resident: megabytes('Rss') };
  } catch {
    // The process is gone, or is another user's.
    return undefined;
  }
}

const TASK_PROGRAM = 'sleep';
