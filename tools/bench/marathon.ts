/**
 * The scheduler with 10,000 apps, through its HTTP API, with a memory store and a master in memory: what a
 * list of them costs, and what the creation of one more costs.
 *
 * The apps are suspended: what instances cost is measured in the box. Half of them have a service port,
 * since the range of those ends at 10,001.
 */

import { request } from 'undici';
import { silentLogger } from '@dcos/base';
import { openMemoryStore } from '@dcos/store';
import { marathonConfigSchema, startMarathon } from '../../packages/marathon/src/index.ts';
import { FakeMaster } from '../../packages/marathon/src/testing/fake-master.ts';
import { row, type Row } from './row.ts';

const APPS = 10_000;
const APPS_PER_GROUP = 200;
const CREATIONS = 300;
const READS = 15;
const QUANTILE = 0.99;

export async function benchmarkMarathon(): Promise<readonly Row[]> {
  const store = openMemoryStore();
  const master = new FakeMaster([
    { id: 'S0', hostname: '127.0.0.11', cpus: 4, mem: 4096, ports: [31_000, 31_099] },
  ]);
  const marathon = await startMarathon(marathonConfigSchema.parse({ httpPort: 0 }), {
    logger: silentLogger,
    store,
    connect: master.connect,
  });
  await marathon.leading;
  const timed = async (method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown) =>
    await timedCall(`${marathon.url}${path}`, method, body);
  try {
    for (let group = 0; group < APPS / APPS_PER_GROUP; group++) {
      const apps = Array.from({ length: APPS_PER_GROUP }, (_, index) =>
        suspended(`/team-${group}/app-${index}`, index % 2 === 0),
      );
      await timed('PUT', '/v2/apps', apps);
    }
    const creations: number[] = [];
    for (let index = 0; index < CREATIONS; index++) {
      creations.push(await timed('POST', '/v2/apps', suspended(`/team-0/new-${index}`, true)));
    }
    const reads: number[] = [];
    for (let run = 0; run < READS; run++) reads.push(await timed('GET', '/v2/apps'));
    return [
      row(`GET /v2/apps, ${APPS} apps, to the last byte`, 'ms', reads, '250 ms'),
      row(`POST /v2/apps beside ${APPS} apps`, 'ms', creations, '50 ms (p99)'),
      row(`POST /v2/apps beside ${APPS} apps, p99`, 'ms', [quantile(creations)], '50 ms'),
    ];
  } finally {
    await marathon.close();
    await store.close();
  }
}

function suspended(id: string, hasPort: boolean): object {
  return {
    id,
    cmd: 'exec ./serve --port $PORT0',
    cpus: 0.1,
    mem: 64,
    instances: 0,
    env: { REGION: 'eu', LOG_LEVEL: 'info' },
    labels: { team: 'storefront', tier: 'web' },
    ...(hasPort ? {} : { portDefinitions: [] }),
    healthChecks: hasPort ? [{ protocol: 'HTTP', path: '/health' }] : [],
  };
}

function quantile(samples: readonly number[]): number {
  const sorted = [...samples].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length * QUANTILE)] ?? 0;
}

async function timedCall(
  url: string,
  method: 'GET' | 'POST' | 'PUT',
  body: unknown,
): Promise<number> {
  const startedMs = performance.now();
  const response = await request(url, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const text = await response.body.text();
  const elapsedMs = performance.now() - startedMs;
  if (response.statusCode >= 300) throw new Error(`${method} ${url}: ${text.slice(0, 500)}`);
  return elapsedMs;
}
