/**
 * Command tasks through a real master and a real agent in this process, as in the box, over loopback: how many a
 * second with fifty at a time. How long one takes is a figure of the area `latency` of the benchmark `agent`.
 */

import { silentLogger } from '@dcos/base';
import { startAgent } from '@dcos/agent';
import { startMaster } from '@dcos/master';
import { openMemoryStore } from '@dcos/store';
import { temporaryDirectory } from '@dcos/testkit';
import { row, type Row } from './row.ts';
import { TaskFramework } from './task-framework.ts';

/** Tasks that are under way at once, and tasks of one sample. */
const AT_A_TIME = 50;
const TASKS_PER_SAMPLE = 500;
const SAMPLES = 5;

export async function benchmarkTasks(): Promise<readonly Row[]> {
  const scratch = temporaryDirectory('bench-tasks');
  const master = await startMaster({ port: 0 }, { logger: silentLogger, store: openMemoryStore() });
  const agent = await startAgent(
    {
      masters: [master.url],
      port: 0,
      workDir: scratch.path,
      resources: 'cpus:64;mem:65536;disk:65536;ports:[31000-31999]',
    },
    { logger: silentLogger },
  );
  await agent.registered;
  const framework = new TaskFramework(master.url, { command: 'true', goal: 'TASK_FINISHED' });
  try {
    await framework.run(AT_A_TIME, AT_A_TIME);
    const perSecond: number[] = [];
    for (let sample = 0; sample < SAMPLES; sample++) {
      const startedMs = performance.now();
      await framework.run(TASKS_PER_SAMPLE, AT_A_TIME);
      perSecond.push(TASKS_PER_SAMPLE / ((performance.now() - startedMs) / 1000));
    }
    return [
      row('command tasks (`true`) through one agent, 50 at a time', '/s', perSecond, '200 /s'),
    ];
  } finally {
    await framework.close();
    await agent.shutdown({ killTasks: true });
    await master.close();
    scratch.remove();
  }
}
