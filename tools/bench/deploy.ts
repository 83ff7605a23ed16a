/** What a user waits for in the box: POST of an app until it runs, and until a killed instance runs again. */

import { join } from 'node:path';
import { startBoxProcess, temporaryDirectory, waitFor, type BoxProcess } from '@dcos/testkit';
import {
  boxClient,
  processesOfTask,
  type BoxClient,
} from '../../packages/box/src/testing/box-client.ts';
import { row, type Row } from './row.ts';

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
  const events = await statusEvents(box);
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
  const events = await statusEvents(box);
  const startedMs = performance.now();
  for (const pid of processesOfTask(app.tasks[0]?.id ?? '').keys()) process.kill(pid, 'SIGKILL');
  await events.running(id);
  const elapsedMs = performance.now() - startedMs;
  await events.close();
  return elapsedMs;
}

interface StatusEvents {
  running(appId: string): Promise<void>;
  close(): Promise<void>;
}

async function statusEvents(box: BoxProcess): Promise<StatusEvents> {
  const abort = new AbortController();
  const response = await fetch(
    `${box.ready.url}/service/marathon/v2/events?event_type=status_update_event`,
    {
      headers: { accept: 'text/event-stream' },
      signal: abort.signal,
    },
  );
  if (response.body === null) throw new Error('no event stream');
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    async running(appId) {
      for (;;) {
        const frames = text.split('\n\n');
        text = frames.pop() ?? '';
        for (const frame of frames) {
          const data = /^data: (.*)$/m.exec(frame)?.[1];
          if (data === undefined) continue;
          const event = JSON.parse(data) as {
            readonly appId?: string;
            readonly taskStatus?: string;
          };
          if (event.appId === `/${appId}` && event.taskStatus === 'TASK_RUNNING') return;
        }
        const { value, done } = await reader.read();
        if (done) throw new Error('the event stream ended');
        text += value;
      }
    },
    close: async () => abort.abort(),
  };
}
