/**
 * How long one command task takes from ACCEPT until its framework hears of TASK_RUNNING, one at a time; with the
 * runtime `docker` in turns with plain `docker run` of the same image, which ends when the container runs.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { AgentCluster } from './agent-cluster.ts';
import { DOCKER_IMAGE, obstacleOf, RUNTIMES, type RuntimeName } from './agent-runtimes.ts';
import { quantile, row, type Row } from './row.ts';

const execute = promisify(execFile);
const TASKS: Readonly<Record<RuntimeName, number>> = { process: 200, oci: 50, docker: 10 };
const FULL_FACTOR = 5;
const WARM_UP = 5;
const BUDGETS: Readonly<Record<RuntimeName, string>> = {
  process: '30 ms',
  oci: '80 ms',
  docker: '',
};

export async function benchmarkLatency(full: boolean): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const runtime of RUNTIMES) {
    const obstacle = await obstacleOf(runtime);
    const tasks = TASKS[runtime] * (full ? FULL_FACTOR : 1);
    if (obstacle === undefined) rows.push(...(await measure(runtime, tasks)));
    else rows.push({ what: `ACCEPT to TASK_RUNNING, ${runtime}`, unavailable: obstacle });
  }
  return rows;
}

async function measure(runtime: RuntimeName, tasks: number): Promise<readonly Row[]> {
  const cluster = await AgentCluster.start(runtime, { command: 'true', goal: 'TASK_FINISHED' });
  const { framework } = cluster;
  const plainMs: number[] = [];
  try {
    await framework.run(WARM_UP, 1);
    framework.latenciesMs.length = 0;
    if (runtime === 'docker') {
      for (let task = 0; task < tasks; task++) {
        await framework.run(1, 1);
        plainMs.push(await plainRunMs());
      }
    } else await framework.run(tasks, 1);
    const what = `ACCEPT to TASK_RUNNING, ${runtime}`;
    return [
      ...figures(what, framework.latenciesMs, BUDGETS[runtime]),
      ...(plainMs.length === 0
        ? []
        : figures('`docker run` of the same image until it runs', plainMs, '')),
    ];
  } finally {
    await cluster.close();
  }
}

function figures(what: string, samples: readonly number[], budget: string): readonly Row[] {
  return [
    row(what, 'ms', samples, budget),
    row(`  p99 of ${samples.length}`, 'ms', [quantile(samples, 0.99)], ''),
  ];
}

async function plainRunMs(): Promise<number> {
  const startedMs = performance.now();
  const command = ['/bin/sh', '-c', 'true'];
  await execute('docker', ['run', '--detach', '--rm', '--network=host', DOCKER_IMAGE, ...command]);
  return performance.now() - startedMs;
}
