/** A cluster in which every component speaks TLS, from a framework's executor to the router. */

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { startAgent } from '@dcos/agent';
import { silentLogger } from '@dcos/base';
import { marathonConfigSchema, startMarathon } from '@dcos/marathon';
import { startMaster } from '@dcos/master';
import { startMesosDns } from '@dcos/mesos-dns';
import { startRouter } from '@dcos/router';
import { connectScheduler, launch, openOffer } from '@dcos/sdk';
import { openMemoryStore } from '@dcos/store';
import {
  temporaryDirectory,
  testCertificate,
  testKey,
  workspaceRoot,
  writeTlsFiles,
} from '@dcos/testkit';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function get(url: string): Promise<number | undefined> {
  const outgoing = request(url, { agent: false, ca: testCertificate });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

const logger = silentLogger;

async function startCluster() {
  const scratch = temporaryDirectory('cluster-tls');
  closers.push(() => scratch.remove());
  const files = writeTlsFiles(scratch.path);
  const tls = { ...files, sslCaFile: files.sslCertFile };
  const master = await startMaster(
    { port: 0, ...tls, sslRequireClientCert: true },
    { logger, store: openMemoryStore() },
  );
  closers.push(() => master.close());
  const jwtSecretKey = join(scratch.path, 'executors.key');
  writeFileSync(jwtSecretKey, 'k'.repeat(32));
  const masters = [master.url];
  const agent = await startAgent(
    {
      masters,
      port: 0,
      workDir: join(scratch.path, 'agent'),
      resources: 'cpus:2;mem:1024;ports:[31000-31099]',
      registrationBackoffMs: 10,
      jwtSecretKey,
      authenticateHttpExecutors: true,
      ...tls,
    },
    { logger },
  );
  closers.push(() => agent.shutdown({ killTasks: true }));
  await agent.registered;
  return { tls, masters, agent };
}

test('a framework and its executor reach a cluster that speaks nothing but TLS', async () => {
  const { masters, agent } = await startCluster();
  const program = join(workspaceRoot, 'packages', 'sdk', 'examples', 'shell-executor.ts');
  const connection = connectScheduler({
    masters,
    logger,
    framework: { user: '', name: 'tls', roles: ['*'], capabilities: [{ type: 'MULTI_ROLE' }] },
    tls: { ca: testCertificate, cert: testCertificate, key: testKey },
  });
  closers.push(() => connection.close());
  const states: string[] = [];
  for await (const event of connection) {
    if (event.kind === 'offers' && states.length === 0) {
      const [offer] = event.offers.map(openOffer);
      const resources = offer?.take({ cpus: 0.1, memMb: 32 });
      if (offer === undefined || resources === undefined) continue;
      states.push('launched');
      const task = launch({
        name: 't',
        task_id: { value: 't' },
        agent_id: { value: agent.agentId() ?? '' },
        resources,
        data: Buffer.from('exit 0'),
        executor: {
          type: 'CUSTOM',
          executor_id: { value: 'shell' },
          command: {
            shell: false,
            value: process.execPath,
            arguments: ['node', '--conditions=@dcos/source', program],
          },
        },
      });
      await connection.accept([offer.id], [task]);
    } else if (event.kind === 'update') {
      states.push(event.status.state);
      if (event.status.state === 'TASK_FINISHED') break;
      expect(event.status.state).toBe('TASK_RUNNING');
    }
  }
  expect(states.at(-1)).toBe('TASK_FINISHED');
});

test('router, Mesos-DNS and Marathon speak TLS to all, and to each other', async () => {
  const { tls, masters, agent } = await startCluster();
  const dns = await startMesosDns({ masters, port: 0, httpPort: 0, ...tls }, { logger });
  closers.push(() => dns.close());
  const marathon = await startMarathon(
    marathonConfigSchema.parse({ masters, httpPort: 0, ...tls }),
    { logger, store: openMemoryStore() },
  );
  closers.push(() => marathon.close());
  await marathon.leading;
  expect([marathon.url, dns.url].map((url) => new URL(url).protocol)).toEqual(['https:', 'https:']);
  const router = await startRouter(
    {
      port: 0,
      masters,
      marathonUrl: marathon.url,
      mesosDnsUrl: dns.url,
      agentsSpeakTls: true,
      ...tls,
    },
    { logger },
  );
  closers.push(() => router.close());
  await router.ready;
  for (const path of [
    '/mesos/version',
    `/agent/${agent.agentId()}/health`,
    '/service/marathon/v2/info',
    '/mesos_dns/v1/version',
    '/ca/dcos-ca.crt',
  ])
    expect([path, await get(router.url + path)]).toEqual([path, 200]);
});
