/**
 * An agent is killed with tasks running and started again: from the start of its process until the master took it
 * in with all of them. Starting Node and reading the program is part of it, and is shown as that with no task.
 */

import { AgentCluster, LASTING } from './agent-cluster.ts';
import { growth, type CostOfEach } from './kernel-series.ts';
import { row, type Row } from './row.ts';

const SIZES = [0, 50, 150] as const;
const FULL_SIZES = [0, 50, 250, 500, 1_000] as const;
const RESTARTS = 5;
/** What fewer tasks cost is lost in the noise of starting Node. */
const COMPARED_MIN = 100;
const BUDGETS: Readonly<Record<number, string>> = { 50: '1000 ms', 500: '3000 ms' };

export async function benchmarkRecovery(full: boolean): Promise<readonly Row[]> {
  const cluster = await AgentCluster.start('process', { command: LASTING, goal: 'TASK_RUNNING' });
  const rows: Row[] = [];
  const costs: CostOfEach[] = [];
  let emptyMs = 0;
  try {
    for (const tasks of full ? FULL_SIZES : SIZES) {
      const missing = tasks - cluster.framework.running;
      if (missing > 0) await cluster.framework.run(missing, missing);
      const samples = await restarts(cluster, tasks);
      const what = `recovery with ${tasks} running tasks until registered`;
      const measured = row(what, 'ms', samples, BUDGETS[tasks] ?? '');
      rows.push(measured);
      // The least: the start of Node varies by more than what tasks cost.
      if (tasks === 0) emptyMs = measured.least;
      else if (tasks >= COMPARED_MIN) {
        const costMs = Math.max(1, measured.least - emptyMs);
        costs.push({ objects: tasks, microseconds: (costMs * 1000) / tasks });
      }
    }
    await cluster.framework.endAll();
  } finally {
    await cluster.close();
  }
  const [first] = costs;
  const last = costs.at(-1);
  // The small run has nothing to compare.
  if (first === undefined || last === undefined || first === last) return rows;
  return [
    ...rows,
    row(
      '  cost of each',
      'µs',
      costs.map((cost) => cost.microseconds),
      '',
    ),
    growth(first, last),
  ];
}

async function restarts(cluster: AgentCluster, tasks: number): Promise<readonly number[]> {
  const samples: number[] = [];
  for (let restart = 0; restart < RESTARTS; restart++) {
    await cluster.restart();
    samples.push(cluster.agent.registeredMs);
    await assertRunning(cluster, tasks);
  }
  return samples;
}

interface AgentState {
  readonly frameworks: readonly {
    readonly executors: readonly { readonly tasks: readonly { readonly state: string }[] }[];
  }[];
}

/** A fast recovery of something else is none. */
async function assertRunning(cluster: AgentCluster, tasks: number): Promise<void> {
  const answer = await fetch(`${cluster.agent.url}/state`, { headers: { connection: 'close' } });
  const state = (await answer.json()) as AgentState;
  const running = state.frameworks
    .flatMap(({ executors }) => executors)
    .flatMap((executor) => executor.tasks)
    .filter((task) => task.state === 'TASK_RUNNING').length;
  if (running !== tasks || cluster.framework.running !== tasks)
    throw new Error(`the agent came back with ${running} of ${tasks} tasks`);
}
