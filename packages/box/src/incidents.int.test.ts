/** What the leading master tells of a host that is lost and comes back, as an operator reads it behind the router. */

import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { startAgent } from '@dcos/agent';
import { silentLogger } from '@dcos/base';
import { startMaster } from '@dcos/master';
import { startRouter } from '@dcos/router';
import { connectScheduler, launch, openOffer } from '@dcos/sdk';
import { openMemoryStore, type Store } from '@dcos/store';
import { temporaryDirectory, waitFor } from '@dcos/testkit';

const logger = silentLogger;
const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Incident {
  readonly kind: string;
  readonly summary: string;
  readonly outcome?: string;
  readonly tasks: readonly { readonly id: string; readonly state: string }[];
}

async function incidentsOf(url: string): Promise<readonly Incident[]> {
  const answer = await fetch(`${url}/system/v1/incidents`);
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { readonly incidents: readonly Incident[] }).incidents;
}

async function startTestMaster(store: Store, port: number) {
  const master = await startMaster(
    { port, agentPingIntervalMs: 400, agentPingsMissedMax: 5 },
    { logger, store },
  );
  closers.push(() => master.close());
  return master;
}

test('a lost agent, its task, its return and the next leader are told in plain sentences', async () => {
  const scratch = temporaryDirectory('incidents');
  closers.push(() => scratch.remove());
  const store = openMemoryStore();
  const master = await startTestMaster(store, 0);
  const masters = [master.url];
  const startTestAgent = async () => {
    const agent = await startAgent(
      {
        masters,
        port: 0,
        hostname: 'host-7',
        workDir: join(scratch.path, 'agent'),
        resources: 'cpus:2;mem:1024',
        registrationBackoffMs: 10,
        registrationBackoffMaxMs: 50,
      },
      { logger },
    );
    await agent.registered;
    return agent;
  };
  const agent = await startTestAgent();
  const router = await startRouter({ port: 0, masters }, { logger });
  closers.push(() => router.close());
  await router.ready;
  expect(await incidentsOf(router.url)).toEqual([]);

  const connection = connectScheduler({
    masters,
    logger,
    framework: {
      user: '',
      name: 'night shift',
      roles: ['*'],
      checkpoint: true,
      failover_timeout: 3600,
      capabilities: [{ type: 'MULTI_ROLE' }, { type: 'PARTITION_AWARE' }],
    },
  });
  closers.push(() => connection.close());
  for await (const event of connection) {
    if (event.kind === 'offers') {
      const [offer] = event.offers.map(openOffer);
      const resources = offer?.take({ cpus: 0.1, memMb: 32 });
      if (offer === undefined || resources === undefined) continue;
      const task = launch({
        name: 'watch',
        task_id: { value: 'watch' },
        agent_id: { value: agent.agentId() ?? '' },
        resources,
        command: { value: 'sleep 3600' },
      });
      await connection.accept([offer.id], [task]);
    } else if (event.kind === 'update' && event.status.state === 'TASK_RUNNING') break;
  }

  await agent.close();
  const lost = await waitFor('the report of the loss', async () =>
    (await incidentsOf(router.url)).find(({ tasks }) => tasks.length > 0),
  );
  expect(lost).toMatchObject({
    kind: 'AGENT_LOST',
    summary: 'Agent host-7 is away: its connection broke. 1 task was affected: 1 TASK_UNREACHABLE.',
    tasks: [{ id: 'watch', state: 'TASK_UNREACHABLE' }],
  });
  const back = await startTestAgent();
  closers.push(() => back.shutdown({ killTasks: true }));
  const told = await waitFor('the report of the return', async () =>
    (await incidentsOf(router.url)).find(({ outcome }) => outcome === 'RETURNED'),
  );
  expect(told.summary).toMatch(
    /^Agent host-7 was away for .+: its connection broke\. It came back\. 1 task was affected: 1 TASK_UNREACHABLE\.$/,
  );

  await master.close();
  await startTestMaster(store, master.port);
  const election = await waitFor('the report of the election', async () =>
    (await incidentsOf(router.url)).find(({ outcome }) => outcome === 'DONE'),
  );
  expect(election).toMatchObject({ kind: 'MASTER_ELECTED', tasks: [] });
  expect(election.summary).toMatch(/1 of 1 agent came back within/);
  expect((await incidentsOf(router.url)).map(({ kind }) => kind)).toContain('AGENT_LOST');
});
