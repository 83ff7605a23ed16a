/** From the event that an instance runs until Mesos-DNS answers with its address. */

import { join } from 'node:path';
import { startBoxProcess, temporaryDirectory, waitFor } from '@dcos/testkit';
import { boxClient } from '../../packages/box/src/testing/box-client.ts';
import { row, type Row } from './row.ts';
import { openStatusEvents } from './status-events.ts';

const RUNS = 20;
/** Queries without an answer after which a run has failed. */
const QUERIES_MAX = 2_000;

export async function benchmarkNames(): Promise<readonly Row[]> {
  const scratch = temporaryDirectory('bench-names');
  const box = await startBoxProcess(join(scratch.path, 'data'));
  const client = boxClient(box);
  const resolver = client.resolver();
  const samples: number[] = [];
  try {
    for (let run = 0; run < RUNS; run++) {
      const id = `name-${run}`;
      const events = await openStatusEvents(box);
      await client.marathon('POST', '/apps', { id, cmd: 'exec sleep 1000', cpus: 0.1, mem: 16 });
      await events.running(id);
      const startedMs = performance.now();
      let queries = 0;
      while (!(await isKnown(resolver, `${id}.marathon.mesos`))) {
        queries += 1;
        if (queries > QUERIES_MAX) throw new Error(`${id} never got a name`);
      }
      samples.push(performance.now() - startedMs);
      await events.close();
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
  return [row('task change to DNS answer', 'ms', samples, '50 ms')];
}

async function isKnown(
  resolver: ReturnType<ReturnType<typeof boxClient>['resolver']>,
  name: string,
): Promise<boolean> {
  try {
    return (await resolver.resolve4(name)).length > 0;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOTFOUND' || code === 'ENODATA') return false;
    throw error;
  }
}
