/** What a user waits for in the box: POST of an app until it runs, and until a killed instance runs again. */

import { join } from 'node:path';
import { startBoxProcess, temporaryDirectory, waitFor, type BoxProcess } from '@dcos/testkit';
import {
  boxClient,
  processesOfTask,
  type BoxClient,
} from '../../packages/box/src/testing/box-client.ts';
import { row, type Row } from './row.ts';
import { openStatusEvents } from './status-events.ts';

const RUNS = 20;

export async function benchmarkDeploy(): Promise<readonly Row[]> {
  const scratch = temporaryDirectory('bench-deploy');
  const box = await startBoxProcess(join(scratch.path, 'data'));
  const client = boxClient(box);
  const runningMs: number[] = [];
  const recoveredMs: number[] = [];
  try {
    for (let run = 0; run < RUNS; run++) {
      const id = `bench-${run}`;
      runningMs.push(await timeToRunning(box, client, id));
      if (run < RUNS / 4) recoveredMs.push(await timeToRecovery(box, client, id));
      await client.marathon('DELETE', `/apps/${id}?force=true`);
      await waitFor(
        `${id} to be gone`,
        async () => (await client.marathon('GET', `/apps/${id}`)).status === 404,
      );
    }
  } finally {
    await box.stop('SIGTERM');
    scratch.remove();
  }
  return [
    row('POST /v2/apps to TASK_RUNNING', 'ms', runningMs, '300 ms'),
    row('kill -9 of an instance to its successor running', 'ms', recoveredMs, '2000 ms'),
  ];
}

/** From before the POST until Marathon's event stream tells of TASK_RUNNING. */
async function timeToRunning(box: BoxProcess, client: BoxClient, id: string): Promise<number> {
  const events = await openStatusEvents(box);
  const startedMs = performance.now();
  const created = await client.marathon('POST', '/apps', {
    id,
    cmd: 'exec sleep 1000',
    cpus: 0.1,
    mem: 16,
  });
  if (created.status !== 201) throw new Error(`POST ${id}: ${created.status}`);
  await events.running(id);
  const elapsedMs = performance.now() - startedMs;
  await events.close();
  return elapsedMs;
}

async function timeToRecovery(box: BoxProcess, client: BoxClient, id: string): Promise<number> {
  const app = await client.running(id, 1);
  const events = await openStatusEvents(box);
  const startedMs = performance.now();
  for (const pid of processesOfTask(app.tasks[0]?.id ?? '').keys()) process.kill(pid, 'SIGKILL');
  await events.running(id);
  const elapsedMs = performance.now() - startedMs;
  await events.close();
  return elapsedMs;
}
