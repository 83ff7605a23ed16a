/** Checks over the network against real sockets of this process; commands and networks of containers have their own. */

import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, expect, test } from 'vitest';
import { testCertificate, testKey } from '@dcos/testkit';
import type { CheckInfo, HealthCheck, HealthCheck_HTTPCheckInfo } from '@dcos/wire';
import { frameworkId, taskId, containerId } from '@dcos/base';
import type { ContainerRuntime, ExecResult } from '@dcos/containers';
import type { TaskRecord } from '../core/index.ts';
import { probe, probeCheck, type ProbeSurroundings } from './health-prober.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const task: TaskRecord = {
  frameworkId: frameworkId('f'),
  taskId: taskId('t'),
  info: { name: 't', task_id: { value: 't' }, agent_id: { value: 'a' } },
  containerId: containerId('c'),
  runtime: 'process',
  state: 'TASK_RUNNING',
  statuses: [],
  updates: [],
  launchedAt: 0,
  ipAddresses: [],
};

/** What comes of commands; undefined where none is run. */
function surroundings(result?: Partial<ExecResult>): ProbeSurroundings {
  const exec = async (): Promise<ExecResult> =>
    await Promise.resolve({ exitCode: 0, timedOut: false, output: '', ...result });
  return {
    runtime: { exec } as Partial<ContainerRuntime> as ContainerRuntime,
    secretsOf: async () => await Promise.resolve({}),
  };
}

async function listen(server: Server, host = '127.0.0.1'): Promise<number> {
  servers.push(server);
  server.listen(0, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const answers: RequestListener = ({ url = '' }, response) => {
  const [, status = '200', ...rest] = url.split('/');
  const headers = status === '302' ? { location: `/${rest.join('/')}` } : {};
  response.writeHead(Number(status || '200'), headers).end();
};

const http = async (
  port: number,
  more: Partial<HealthCheck_HTTPCheckInfo>,
): Promise<{ healthy: boolean; message: string }> =>
  await probe(task, { type: 'HTTP', http: { port, ...more } }, 5_000, surroundings());

test.each([
  ['/200', true],
  ['/399', true],
  ['/400', false],
  ['/500', false],
  ['/302/204', true],
  ['/302/302/503', false],
  // A path need not begin with its slash for old clients.
  ['200', true],
])('HTTP %s: healthy %s', async (path, healthy) => {
  const port = await listen(createServer(answers));
  const result = await http(port, { path });
  expect(result.healthy).toBe(healthy);
  if (!healthy) expect(result.message).toMatch(/^HTTP health check of http:.* answered [45]\d\d$/);
});

test('a redirect without end is the answer that it is', async () => {
  const port = await listen(
    createServer((_request, response) => response.writeHead(302, { location: '/' }).end()),
  );
  expect((await http(port, {})).healthy).toBe(true);
});

test('HTTPS is asked whatever the certificate', async () => {
  const options = { cert: testCertificate, key: testKey };
  const port = await listen(createTlsServer(options, answers));
  expect((await http(port, { scheme: 'https', path: '/200' })).healthy).toBe(true);
});

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);
test.runIf(hasIpv6)('IPv6 is asked where it is wanted, and there alone', async () => {
  const port = await listen(createServer(answers), '::1');
  expect((await http(port, { protocol: 'IPv6' })).healthy).toBe(true);
  expect((await http(port, {})).healthy).toBe(false);
  const tcp: HealthCheck = { type: 'TCP', tcp: { port, protocol: 'IPv6' } };
  expect((await probe(task, tcp, 5_000, surroundings())).healthy).toBe(true);
});

/** A port at which nobody listens. */
async function freePort(): Promise<number> {
  const server = createTcpServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  return port;
}

test('nobody at the port', async () => {
  const port = await freePort();
  expect(await http(port, {})).toMatchObject({
    healthy: false,
    message: expect.stringMatching(/^HTTP health check failed: .*ECONNREFUSED/) as string,
  });
  const tcp: HealthCheck = { type: 'TCP', tcp: { port } };
  expect(await probe(task, tcp, 5_000, surroundings())).toMatchObject({
    healthy: false,
    message: expect.stringMatching(/^TCP health check failed: .*ECONNREFUSED/) as string,
  });
});

test('a server that does not answer has failed when the time is over', async () => {
  const port = await listen(createServer(() => undefined));
  const check: HealthCheck = { type: 'HTTP', http: { port } };
  expect(await probe(task, check, 50, surroundings())).toMatchObject({
    healthy: false,
    timedOut: true,
    message: 'HTTP health check timed out after 0.05 s',
  });
});

test('a check without its part, or without a kind, fails', async () => {
  const messages = await Promise.all(
    (['HTTP', 'TCP', 'COMMAND', undefined] as const).map(
      async (type) =>
        (await probe(task, type === undefined ? {} : { type }, 5_000, surroundings())).message,
    ),
  );
  expect(messages).toEqual([
    'The check has no HTTP part',
    'The check has no TCP part',
    'The check has no command',
    'The health check has no known type',
  ]);
});

const command = { command: { command: { value: 'x' } } };

test.each<[string, CheckInfo, Partial<ExecResult>, object]>([
  ['a command', { type: 'COMMAND', ...command }, { exitCode: 7 }, { command: { exit_code: 7 } }],
  [
    'a command without an end',
    { type: 'COMMAND', ...command },
    { exitCode: undefined, timedOut: true },
    { command: {} },
  ],
  ['nothing', { type: 'UNKNOWN' }, {}, {}],
])('what a check of %s found out', async (_what, check, result, status) => {
  const { type: _type, ...found } = await probeCheck(task, check, 5_000, surroundings(result));
  expect(found).toEqual(status);
});

test('what checks over the network found out', async () => {
  const port = await listen(createServer(answers));
  const closed = await freePort();
  const found = async (check: CheckInfo): Promise<object> =>
    await probeCheck(task, check, 5_000, surroundings());
  expect(await found({ type: 'HTTP', http: { port, path: '/503' } })).toEqual({
    type: 'HTTP',
    http: { status_code: 503 },
  });
  expect(await found({ type: 'HTTP', http: { port: closed } })).toEqual({ type: 'HTTP', http: {} });
  expect(await found({ type: 'TCP', tcp: { port } })).toEqual({
    type: 'TCP',
    tcp: { succeeded: true },
  });
  expect(await found({ type: 'TCP', tcp: { port: closed } })).toEqual({
    type: 'TCP',
    tcp: { succeeded: false },
  });
});
