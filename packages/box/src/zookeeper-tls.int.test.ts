/** A cluster whose ZooKeeper speaks TLS, and asks clients for a certificate: every component finds its way. */

import { request, type RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { fileURLToPath } from 'node:url';
import { startAgent } from '@dcos/agent';
import { silentLogger } from '@dcos/base';
import { startMesosDns } from '@dcos/mesos-dns';
import {
  startZooKeeperEnsemble,
  temporaryDirectory,
  testCertificate,
  waitFor,
  writeTlsFiles,
  zooKeeperWithTls,
} from '@dcos/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { Component, startMasterProcess } from './testing/master-processes.ts';

const MARATHON = fileURLToPath(new URL('../../marathon/src/main.ts', import.meta.url));
const START_TIMEOUT_MS = 60_000;
const facility = zooKeeperWithTls();

describe.skipIf(!facility.available)(`ZooKeeper with TLS${facility.note}`, () => {
  const closers: (() => Promise<unknown> | void)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  test('masters, a scheduler, an agent and names meet there', async () => {
    const scratch = temporaryDirectory('zookeeper-tls');
    closers.push(() => scratch.remove());
    const files = writeTlsFiles(scratch.path);
    const tls = { ...files, sslCaFile: files.sslCertFile };
    const ensemble = await startZooKeeperEnsemble(1, { tls });
    closers.push(() => ensemble.stop());
    const flags = [
      '--zk-tls=true',
      `--ssl-cert-file=${tls.sslCertFile}`,
      `--ssl-key-file=${tls.sslKeyFile}`,
      `--ssl-ca-file=${tls.sslCaFile}`,
    ];
    const zk = ensemble.address('/mesos');
    const master = await startMasterProcess(zk, '10secs', flags);
    closers.push(() => master.kill());
    expect(master.url).toMatch(/^https:/);

    const common = { masters: zk, zkTls: true, port: 0, ...tls };
    const agent = await startAgent(
      { ...common, workDir: `${scratch.path}/agent`, resources: 'cpus:1;mem:512' },
      { logger: silentLogger },
    );
    closers.push(() => agent.shutdown({ killTasks: true }));
    await agent.registered;
    expect(JSON.parse(await get(`${master.url}/slaves`))).toMatchObject({
      slaves: [{ id: agent.agentId() }],
    });

    const dns = await startMesosDns({ ...common, httpPort: 0 }, { logger: silentLogger });
    closers.push(() => dns.close());
    expect(JSON.parse(await get(`${dns.url}/v1/hosts/leader.mesos`))).toMatchObject([
      { host: 'leader.mesos.', ip: '127.0.0.1' },
    ]);

    const scheduler = new Component(MARATHON, [
      ...flags,
      `--masters=${zk}`,
      `--zk=${ensemble.address('/marathon')}`,
      '--http-port=0',
    ]);
    closers.push(() => scheduler.kill());
    await waitFor(
      'a framework',
      async () => {
        const { frameworks } = JSON.parse(await get(`${master.url}/frameworks`)) as {
          readonly frameworks: readonly { readonly name: string; readonly connected: boolean }[];
        };
        return frameworks.some(({ name, connected }) => name === 'marathon' && connected);
      },
      START_TIMEOUT_MS,
    );
  });
});

async function get(url: string): Promise<string> {
  const options: RequestOptions = { agent: false, ca: testCertificate };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, options, resolve).on('error', reject).end();
  });
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return text;
}
