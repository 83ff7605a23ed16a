/** Settings that show at the borders of a running master. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { temporaryDirectory } from '@dcos/testkit';
import { openMemoryStore, type Store } from '@dcos/store';
import { scheduler } from '@dcos/wire';
import { connectAgent, openStream, postJson, registerAgent, send } from '../testing/http-client.ts';
import { closeAfterTest, startTestMaster } from '../testing/running-master.ts';
import { frameworkInfo, resources } from '../testing/world.ts';
import type { MasterConfig } from './config.ts';
import { startMaster } from './start-master.ts';

const DOMAIN = { fault_domain: { region: { name: 'r' }, zone: { name: 'z' } } };

async function json(url: string): Promise<Readonly<Record<string, unknown>>> {
  return JSON.parse((await send(url)).text) as Readonly<Record<string, unknown>>;
}

/** A master that is expected to end by itself, and the error with which it does. */
async function failingMaster(config: MasterConfig, store: Store) {
  let failed = (_error: unknown): void => undefined;
  const failure = new Promise<unknown>((resolve) => {
    failed = resolve;
  });
  const master = await startMaster(
    { port: 0, ...config },
    { logger: silentLogger, store, onFatal: (error) => failed(error) },
  );
  closeAfterTest(master);
  return { master, failure };
}

test('clients are told where the master is, and under which address it is reached', async () => {
  const master = await startTestMaster({
    domain: DOMAIN,
    advertiseIp: '192.0.2.7',
    advertisePort: 5051,
  });
  expect(await json(`${master.url}/state`)).toMatchObject({
    pid: 'master@192.0.2.7:5051',
    hostname: '192.0.2.7',
    domain: DOMAIN,
    leader_info: { hostname: '192.0.2.7', port: 5051, domain: DOMAIN },
    flags: { advertise_ip: '192.0.2.7', hostname: '192.0.2.7', domain: JSON.stringify(DOMAIN) },
  });
  expect((await send(`${master.url}/redirect`)).headers.location).toBe('//192.0.2.7:5051');
  const call = { type: 'SUBSCRIBE', subscribe: { framework_info: frameworkInfo() } };
  const stream = closeAfterTest(
    await openStream(`${master.url}/api/v1/scheduler`, JSON.stringify(call), {
      type: scheduler.EventType,
      encoding: 'json',
    }),
  );
  const event = await stream.events.find('SUBSCRIBED', ({ type }) => type === 'SUBSCRIBED');
  expect(event.subscribed?.master_info).toMatchObject({
    address: { ip: '192.0.2.7', port: 5051 },
    domain: DOMAIN,
  });
});

test('without settings no domain is told', async () => {
  const master = await startTestMaster();
  expect(await json(`${master.url}/state`)).not.toHaveProperty('domain');
});

test('/flags and GET_FLAGS show the same', async () => {
  const master = await startTestMaster({ roles: 'dev' });
  const { flags } = (await json(`${master.url}/flags`)) as {
    readonly flags: Readonly<Record<string, string>>;
  };
  expect(flags).toMatchObject({ port: String(master.port), roles: 'dev' });
  const answer = await postJson(`${master.url}/api/v1`, { type: 'GET_FLAGS' });
  const shown = Object.entries(flags).map(([name, value]) => ({ name, value }));
  expect(JSON.parse(answer.text)).toEqual({ type: 'GET_FLAGS', get_flags: { flags: shown } });
});

test.each<[string, MasterConfig]>([
  ['DOMAIN_INVALID', { domain: '{}' }],
  ['DOMAIN_INVALID', { domain: '{"fault_domain":{}}' }],
  ['DOMAIN_INVALID', { domain: '{"fault_domain"' }],
  ['DOMAIN_UNREADABLE', { domain: '/nowhere.json' }],
  ['WHITELIST_UNREADABLE', { whitelist: '/nowhere' }],
])('%s keeps a master from starting', async (code, config) => {
  const options = { logger: silentLogger, store: openMemoryStore() };
  await expect(startMaster({ port: 0, ...config }, options)).rejects.toMatchObject({ code });
});

test('agents that are not in the file are not offered', async () => {
  const directory = temporaryDirectory('master');
  closeAfterTest({ close: () => directory.remove() });
  writeFileSync(join(directory.path, 'hosts'), 'elsewhere\n');
  const master = await startTestMaster({ whitelist: join(directory.path, 'hosts') });
  closeAfterTest(
    await registerAgent(master.url, {
      agent_info: { hostname: 'host', port: 5051, resources: resources({ cpus: 4, mem: 4096 }) },
    }),
  );
  const call = { type: 'SUBSCRIBE', subscribe: { framework_info: frameworkInfo() } };
  const stream = closeAfterTest(
    await openStream(`${master.url}/api/v1/scheduler`, JSON.stringify(call), {
      type: scheduler.EventType,
      encoding: 'json',
    }),
  );
  await stream.events.find('SUBSCRIBED', ({ type }) => type === 'SUBSCRIBED');
  const { text } = await send(`${master.url}/api/v1/explain?role=*`);
  expect(text).toContain('the agent is not on the whitelist');
});

test('a registry that cannot be read in time keeps a master from starting', async () => {
  const store = { ...openMemoryStore(), list: () => new Promise<never>(() => undefined) };
  await expect(
    startMaster({ port: 0, registryFetchTimeoutMs: 1 }, { logger: silentLogger, store }),
  ).rejects.toMatchObject({ code: 'REGISTRY_FETCH_TIMEOUT' });
});

test('a store that makes no progress ends the master', async () => {
  const store = { ...openMemoryStore(), commit: () => new Promise<never>(() => undefined) };
  const { master, failure } = await failingMaster({ registryStoreTimeoutMs: 1 }, store);
  const agent = await connectAgent(master.url);
  agent.send({
    type: 'REGISTER',
    register: { protocol: 1, version: '1', ip: '127.0.0.1', agent_info: { hostname: 'host' } },
  });
  expect(await failure).toMatchObject({ code: 'REGISTRY_STORE_TIMEOUT' });
  expect(agent.frames.all).toEqual([]);
});

test('too many agents that do not come back end the master, and the registry keeps them', async () => {
  const store = openMemoryStore();
  const first = await startTestMaster({}, store);
  await registerAgent(first.url, { agent_info: { hostname: 'host', port: 5051 } });
  await first.close();
  const { failure } = await failingMaster(
    { recoveryAgentRemovalLimit: '0%', agentReregisterTimeoutMs: 1 },
    store,
  );
  expect(await failure).toMatchObject({ code: 'MASTER_MAY_NOT_GO_ON' });
  expect(await store.list('master/agents/')).toHaveLength(1);
  expect(await store.list('master/unreachable/')).toHaveLength(0);
});
