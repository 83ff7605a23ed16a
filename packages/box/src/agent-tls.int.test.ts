import { once } from 'node:events';
import { request, type RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { startAgent } from '@dcos/agent';
import { silentLogger, type Logger } from '@dcos/base';
import { startMaster } from '@dcos/master';
import { startRouter } from '@dcos/router';
import { openMemoryStore } from '@dcos/store';
import { temporaryDirectory, testCertificate, testKey, writeTlsFiles } from '@dcos/testkit';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function statusOf(url: string, options: RequestOptions): Promise<number | undefined> {
  const outgoing = request(url, { agent: false, ca: testCertificate, ...options });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

test('master and agent meet by TLS, and know each other by their certificates', async () => {
  const scratch = temporaryDirectory('agent-tls');
  closers.push(() => scratch.remove());
  const files = writeTlsFiles(scratch.path);
  const tls = { ...files, sslCaFile: files.sslCertFile };
  const master = await startMaster(
    { port: 0, ...tls, sslRequireClientCert: true },
    { logger: silentLogger, store: openMemoryStore() },
  );
  closers.push(() => master.close());
  const agent = await startAgent(
    {
      masters: [master.url],
      port: 0,
      workDir: join(scratch.path, 'agent'),
      registrationBackoffMs: 10,
      registrationBackoffMaxMs: 50,
      ...tls,
    },
    { logger: silentLogger },
  );
  closers.push(() => agent.close());
  await agent.registered;
  expect(master.snapshot()?.agents).toMatchObject([{ id: agent.agentId(), connected: true }]);
  expect([master.url, agent.url].map((url) => new URL(url).protocol)).toEqual(['https:', 'https:']);
  expect(await statusOf(`${agent.url}/health`, {})).toBe(200);
  const known = { cert: testCertificate, key: testKey };
  expect(await statusOf(`${master.url}/health`, known)).toBe(200);
  await expect(statusOf(`${master.url}/health`, {})).rejects.toThrow();
});

test('a master that demands certificates of agents alone serves others without', async () => {
  const scratch = temporaryDirectory('agent-tls');
  closers.push(() => scratch.remove());
  const files = writeTlsFiles(scratch.path);
  const sslCaFile = files.sslCertFile;
  let refused = Promise.withResolvers<void>();
  const logger: Logger = {
    ...silentLogger,
    warn: ({ event }) => {
      if (event === 'agent.without-certificate') refused.resolve();
    },
    child: () => logger,
  };
  const master = await startMaster(
    { port: 0, ...files, sslCaFile, sslRequireAgentCert: true },
    { logger, store: openMemoryStore() },
  );
  closers.push(() => master.close());
  const agentWith = async (tls: object, name: string): ReturnType<typeof startAgent> => {
    const agent = await startAgent(
      {
        masters: [master.url],
        port: 0,
        workDir: join(scratch.path, name),
        registrationBackoffMs: 10,
        sslCaFile,
        ...tls,
      },
      { logger: silentLogger },
    );
    closers.push(() => agent.close());
    return agent;
  };
  for (const tls of [{}, writeTlsFiles(scratch.path, 'strangers')]) {
    refused = Promise.withResolvers<void>();
    const agent = await agentWith(tls, 'unknown');
    await refused.promise;
    await agent.close();
  }
  expect(master.snapshot()?.agents).toEqual([]);
  expect(await statusOf(`${master.url}/health`, {})).toBe(200);
  const known = await agentWith(files, 'known');
  await known.registered;
  expect(master.snapshot()?.agents).toMatchObject([{ id: known.agentId() }]);
});

test('neither starts with a file that cannot be used', async () => {
  const scratch = temporaryDirectory('agent-tls');
  closers.push(() => scratch.remove());
  const { sslCertFile } = writeTlsFiles(scratch.path);
  const wrong = { port: 0, sslCertFile, sslKeyFile: sslCertFile };
  const store = openMemoryStore();
  const refusal = { code: 'TLS_INVALID' };
  await expect(startMaster(wrong, { logger: silentLogger, store })).rejects.toMatchObject(refusal);
  const workDir = join(scratch.path, 'agent');
  const agent = (): ReturnType<typeof startAgent> =>
    startAgent({ ...wrong, workDir }, { logger: silentLogger });
  await expect(agent()).rejects.toMatchObject(refusal);
  // The work directory is free again.
  await expect(agent()).rejects.toMatchObject(refusal);
});

interface Started {
  close(): Promise<void>;
}

/** Where no master answers. */
const masters = ['http://127.0.0.1:1'];

test.each<[string, (tls: object, folder: string, logger: Logger) => Promise<Started>]>([
  [
    'a master',
    async (tls, _folder, logger) =>
      await startMaster({ port: 0, ...tls }, { logger, store: openMemoryStore() }),
  ],
  [
    'an agent',
    async (tls, folder, logger) =>
      await startAgent({ port: 0, masters, workDir: join(folder, 'agent'), ...tls }, { logger }),
  ],
  [
    'a router',
    async (tls, _folder, logger) => await startRouter({ port: 0, masters, ...tls }, { logger }),
  ],
])('%s names a certificate that has expired when it starts', async (_name, start) => {
  const scratch = temporaryDirectory('expired-tls');
  closers.push(() => scratch.remove());
  const files = writeTlsFiles(scratch.path, 'expired');
  const told: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    warn: ({ event }, text) => {
      if (event === 'tls.expired') told.push(text);
    },
    child: () => logger,
  };
  const started = await start(files, scratch.path, logger);
  closers.push(() => started.close());
  expect(told).toEqual([
    `sslCertFile ${files.sslCertFile}: the certificate of CN=forgotten expired on 2025-01-01T00:00:00.000Z`,
  ]);
});
