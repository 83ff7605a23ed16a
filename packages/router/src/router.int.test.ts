import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { NOBODY_LEADS, NOT_TAKEN_HEADER } from '@dcos/http';
import { FakeMaster } from '@dcos/sdk/testing';
import { startRouter, type Router } from './start.ts';
import { agent, framework, ports, task } from './testing/cluster.ts';

let master: FakeMaster;
let upstream: Server;
let router: Router;
let ui: string;
let answer: RequestListener;

/** What the upstream saw last. */
let seen: { method: string; url: string; headers: IncomingHttpHeaders; body: string };

const echo: RequestListener = (request, response) => {
  void (async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = request;
    seen = { method, url, headers, body: Buffer.concat(chunks).toString() };
    response.end(`${method} ${url}`);
  })();
};

beforeAll(async () => {
  upstream = createServer((request, response) => answer(request, response));
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  master = await FakeMaster.start();
  const labelled = {
    DCOS_SERVICE_NAME: 'app',
    DCOS_SERVICE_SCHEME: 'http',
    DCOS_SERVICE_PORT_INDEX: '0',
  };
  const get_state = {
    get_agents: { agents: [agent('m-S0', port)] },
    get_frameworks: {
      frameworks: [framework('f-0', 'marathon'), framework('f-1', 'dead', 'http://127.0.0.1:1')],
    },
    get_tasks: { tasks: [task('app.1', 'm-S0', { labelled, ...ports(port, port) })] },
  };
  master.onStream = (stream) =>
    stream.sendOperator({ type: 'SUBSCRIBED', subscribed: { get_state } });
  ui = await mkdtemp(join(tmpdir(), 'router-ui-'));
  await mkdir(join(ui, 'assets'));
  await writeFile(join(ui, 'index.html'), '<title>the page</title>');
  await writeFile(join(ui, 'assets', 'app-1.js'), `//${'x'.repeat(5_000)}`);
  await symlink('/etc/passwd', join(ui, 'assets', 'leak.txt'));
  router = await startRouter(
    {
      port: 0,
      masters: [master.url],
      marathonUrl: `http://127.0.0.1:${port}`,
      uiDirectory: ui,
      clusterId: 'c-1',
      requestBytesMax: 10_000_000,
    },
    { logger: silentLogger },
  );
  await router.ready;
});

afterAll(async () => {
  await router.close();
  await master.close();
  upstream.closeAllConnections();
  upstream.close();
  await rm(ui, { recursive: true });
});

const get = (path: string, init: RequestInit = {}) =>
  fetch(`${router.url}${path}`, { redirect: 'manual', ...init });

/** A request with headers that fetch does not let through. */
async function raw(options: {
  path: string;
  method?: string;
  headers?: Record<string, string>;
}): Promise<IncomingMessage> {
  const request = httpRequest({ host: '127.0.0.1', port: router.port, ...options });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  return response;
}

describe('passing on', () => {
  test('path, query, body and headers reach the upstream', async () => {
    answer = echo;
    const response = await get('/service/marathon/v2/apps?force=true', {
      method: 'POST',
      body: '{"id":"a"}',
      headers: { cookie: 'dcos-acs-auth-cookie=x; k=v', 'content-type': 'application/json' },
    });
    expect(await response.text()).toBe('POST /v2/apps?force=true');
    expect(seen.body).toBe('{"id":"a"}');
    expect(seen.headers).toMatchObject({
      host: `127.0.0.1:${router.port}`,
      cookie: 'k=v',
      'content-type': 'application/json',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-real-ip': '127.0.0.1',
    });
  });

  test('status, headers and repeated headers come back; Location gets its prefix', async () => {
    answer = (_request, response) => {
      response.writeHead(302, { 'set-cookie': ['a=1', 'b=2'], location: '/login' });
      response.end();
    };
    const response = await get('/service/app/x');
    expect(response.status).toBe(302);
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(response.headers.get('location')).toBe('/service/app/login');
  });

  test('a stream passes piece by piece, its head before its first byte', async () => {
    const gate = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      response.on('close', () => gone.resolve());
      void gate.promise.then(() => response.write('data: 1\n\n'));
    };
    const response = await get('/service/marathon/v2/events');
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    gate.resolve();
    const reader = response.body?.getReader();
    const piece = await reader?.read();
    expect(new TextDecoder().decode(piece?.value)).toBe('data: 1\n\n');
    // The client leaves: so does the router at the upstream.
    await reader?.cancel();
    await gone.promise;
  });

  test('an upstream that is not there is a 502 that says so', async () => {
    const response = await get('/service/dead/', { headers: { accept: 'application/json' } });
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({
      status: 502,
      message: expect.stringContaining('127.0.0.1:1'),
    });
  });

  test('an upstream that breaks its answer breaks ours', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half');
      response.flushHeaders();
      setImmediate(() => response.destroy());
    };
    const response = await get('/service/marathon/x');
    await expect(response.text()).rejects.toThrow();
  });

  test('a body over the limit is a 413 before the upstream gets it', async () => {
    answer = echo;
    const response = await raw({
      path: '/agent/m-S0/x',
      method: 'POST',
      headers: { 'content-length': '10000001' },
    });
    expect(response.statusCode).toBe(413);
  });

  test('an agent and the log of a task', async () => {
    answer = echo;
    expect(await (await get('/agent/m-S0/files/read?path=/x')).text()).toBe(
      'GET /files/read?path=/x',
    );
    expect(await (await get('/system/v1/logs/v2/task/app.1/file/stdout')).text()).toBe(
      'GET /system/v1/logs/v2/task/app.1/file/stdout',
    );
    expect((await get('/agent/unknown/x')).status).toBe(404);
  });
});

test('a call to a master that no longer leads goes to the leader, body and all', async () => {
  const leader = await FakeMaster.start();
  leader.onCall = () => ({ status: 202 });
  master.onCall = () => ({
    status: 307,
    headers: { location: `${leader.url.replace('http:', '')}/api/v1/scheduler` },
  });
  const response = await get('/mesos/api/v1/scheduler', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"type":"REVIVE","framework_id":{"value":"f"}}',
  });
  expect(response.status).toBe(202);
  expect(leader.calls[0]?.call.type).toBe('REVIVE');
  await leader.close();
});

test('readers of events whom a Marathon sends to the one that leads get there', async () => {
  const leading = createServer((request, response) => response.end(`events: ${request.url}`));
  leading.listen(0, '127.0.0.1');
  await once(leading, 'listening');
  const { port } = leading.address() as AddressInfo;
  answer = (request, response) => {
    response.writeHead(302, { location: `http://127.0.0.1:${port}${request.url}` });
    response.end();
  };
  const response = await get('/service/marathon/v2/events?plan-format=light');
  expect(await response.text()).toBe('events: /v2/events?plan-format=light');
  leading.closeAllConnections();
  leading.close();
});

describe('WebSockets', () => {
  function upgrade(path: string, headers: Record<string, string> = {}) {
    const socket = connect(router.port, '127.0.0.1');
    const lines = Object.entries({
      Host: `127.0.0.1:${router.port}`,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
    return socket;
  }

  async function readUntil(socket: ReturnType<typeof connect>, mark: string): Promise<string> {
    let text = '';
    for await (const chunk of socket) {
      text += String(chunk);
      if (text.includes(mark)) break;
    }
    return text;
  }

  test('pass to services in both directions', async () => {
    upstream.once('upgrade', (request, socket) => {
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Path: ${request.url ?? ''}\r\n\r\n`,
      );
      socket.on('data', (chunk) => socket.write(`echo ${String(chunk)}`));
    });
    const socket = upgrade('/service/app/ws?x=1');
    socket.write('hello');
    const text = await readUntil(socket, 'echo hello');
    expect(text).toContain('101 Switching Protocols');
    expect(text).toContain('X-Path: /ws?x=1');
  });

  test.each([
    ['/mesos/ws', {}, '400'],
    ['/service/unknown/ws', {}, '404'],
    ['/service/app/ws', { Origin: 'http://evil.example' }, '403'],
    ['/service/dead/ws', {}, '502'],
  ])('%s %j is %s', async (path, headers, status) => {
    expect(await readUntil(upgrade(path, headers), '\r\n\r\n')).toContain(`HTTP/1.1 ${status}`);
  });
});

describe('web UI', () => {
  test.each([
    ['/', 'text/html', 200, 'no-cache'],
    ['/services/detail/%2Fa', 'text/html', 200, 'no-cache'],
    ['/assets/app-1.js', '*/*', 200, 'public, max-age=31536000, immutable'],
    ['/assets/none.js', 'text/html', 404, null],
    ['/nothing.json', 'application/json', 404, null],
    ['/assets/leak.txt', '*/*', 404, null],
    ['/assets/..%2f..%2fetc/passwd', '*/*', 404, null],
    ['/%ff', '*/*', 400, null],
  ])('%s for %s is %i', async (path, accept, status, cache) => {
    const response = await get(path, { headers: { accept } });
    expect(response.status).toBe(status);
    expect(response.headers.get('cache-control')).toBe(cache);
    await response.text();
  });

  test('is compressed, and known to be unchanged', async () => {
    const first = await raw({ path: '/assets/app-1.js', headers: { 'accept-encoding': 'gzip' } });
    expect(first.headers['content-encoding']).toBe('gzip');
    expect(Number(first.headers['content-length'])).toBeLessThan(500);
    const again = await raw({
      path: '/assets/app-1.js',
      headers: { 'if-none-match': first.headers.etag ?? '' },
    });
    expect(again.statusCode).toBe(304);
  });

  test('HEAD / is 200, and a page says when the UI is not built', async () => {
    expect((await get('/', { method: 'HEAD' })).status).toBe(200);
    const bare = await startRouter({ port: 0, masters: [master.url] }, { logger: silentLogger });
    const page = await fetch(`${bare.url}/`);
    expect(page.status).toBe(503);
    expect(await page.text()).toContain('not built');
    expect((await fetch(`${bare.url}/`, { method: 'HEAD' })).status).toBe(200);
    await bare.close();
  });
});

describe('documents', () => {
  test.each([
    ['/dcos-metadata/dcos-version.json', { version: '2.2.0', 'dcos-variant': 'open' }],
    ['/metadata', { PUBLIC_IPV4: '127.0.0.1', CLUSTER_ID: 'c-1' }],
    ['/pkgpanda/active.buildinfo.full.json', {}],
    ['/acs/api/v1/auth/providers', {}],
    ['/cluster/v1/links', { links: [] }],
    ['/system/health/v1/nodes', { nodes: [{ host_ip: '127.0.0.1', health: 0, role: 'master' }] }],
  ])('%s', async (path, expected) => {
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject(expected);
  });

  test('what is not there yet is a 501 that names it', async () => {
    const response = await get('/package/describe', { method: 'POST', body: '{}' });
    expect(response.status).toBe(501);
    expect(await response.text()).toContain('package service');
  });
});

describe('who is served', () => {
  test.each([
    ['GET', { host: 'evil.example' }, 403],
    ['GET', { host: 'localhost' }, 200],
    ['POST', { origin: 'http://evil.example' }, 403],
    ['POST', { 'sec-fetch-site': 'cross-site' }, 403],
  ])('%s with %j is %i', async (method, headers, status) => {
    expect((await raw({ path: '/metadata', method, headers })).statusCode).toBe(status);
  });
});

test('closing ends open streams', async () => {
  answer = (_request, response) => {
    response.flushHeaders();
  };
  const other = await startRouter(
    {
      port: 0,
      masters: [master.url],
      marathonUrl: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
    },
    { logger: silentLogger },
  );
  const response = await fetch(`${other.url}/service/marathon/v2/events`);
  await other.close();
  await expect(response.text()).rejects.toThrow();
});

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

describe('while leaders change', () => {
  /** A server whose address is known before anybody listens there. */
  async function later(): Promise<{ readonly url: string; readonly start: () => Promise<Server> }> {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    holder.close();
    await once(holder, 'close');
    return {
      url: `http://127.0.0.1:${port}`,
      async start() {
        const server = createServer(echo).listen(port, '127.0.0.1');
        await once(server, 'listening');
        return server;
      },
    };
  }

  test.each([
    ['GET', undefined],
    ['POST', '{"id":"a"}'],
  ])('a %s that nobody has taken waits for the next leader', async (method, body) => {
    const next = await later();
    const patient = await startRouter(
      { port: 0, masters: [master.url], marathonUrl: next.url, leaderMsMax: 60_000 },
      { logger: silentLogger },
    );
    await patient.ready;
    const asked = fetch(`${patient.url}/service/marathon/v2/apps`, {
      method,
      ...(body !== undefined && { body }),
    });
    const server = await next.start();
    expect(await (await asked).text()).toBe(`${method} /v2/apps`);
    server.closeAllConnections();
    server.close();
    await patient.close();
  });

  test('what may have been taken is not sent twice, unless it only reads', async () => {
    const takes: string[] = [];
    const server = createServer((request, response) => {
      takes.push(request.method ?? '');
      if (takes.length === 1 || request.method !== 'GET') request.socket.destroy();
      else response.end('read');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const marathonUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const patient = await startRouter(
      { port: 0, masters: [master.url], marathonUrl, leaderMsMax: 60_000 },
      { logger: silentLogger },
    );
    await patient.ready;
    const url = `${patient.url}/service/marathon/v2/apps`;
    expect(await (await fetch(url)).text()).toBe('read');
    expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(502);
    expect(takes).toEqual(['GET', 'GET', 'POST']);
    server.closeAllConnections();
    server.close();
    await patient.close();
  });

  /** One that leads only after it was asked a few times. */
  async function reluctant(refusals: number, mark: boolean): Promise<Server> {
    let asked = 0;
    const server = createServer((request, response) => {
      if (asked++ >= refusals) return echo(request, response);
      request.resume();
      response.writeHead(503, mark ? { [NOT_TAKEN_HEADER]: NOBODY_LEADS } : {}).end('nobody');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
  }

  test.each<[what: string, init: RequestInit & { duplex?: 'half' }]>([
    ['GET', {}],
    ['POST', { method: 'POST', body: '{"id":"a"}' }],
    [
      'POST of unknown length',
      { method: 'POST', body: new Blob(['{"id":', '"a"}']).stream(), duplex: 'half' },
    ],
  ])('a %s that is answered as not taken waits for who takes it', async (_what, init) => {
    const server = await reluctant(3, true);
    const marathonUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const patient = await startRouter(
      { port: 0, masters: [master.url], marathonUrl, leaderMsMax: 60_000 },
      { logger: silentLogger },
    );
    const answered = await fetch(`${patient.url}/service/marathon/v2/apps`, init);
    const { method = 'GET' } = init;
    expect([answered.status, await answered.text()]).toEqual([200, `${method} /v2/apps`]);
    expect(seen.body).toBe(method === 'GET' ? '' : '{"id":"a"}');
    server.closeAllConnections();
    server.close();
    await patient.close();
  });

  test.each([
    ['sends it back to the former', (former: string) => ({ location: `//${former}/v2/apps` })],
    ['has not taken over yet', () => ({ [NOT_TAKEN_HEADER]: NOBODY_LEADS })],
  ])(
    'a request waits where the former leader names the next one, which %s',
    async (_what, head) => {
      const former = createServer((request, response) => {
        request.resume();
        response.writeHead(307, { location: `//127.0.0.1:${portOf(next)}/v2/apps` }).end();
      }).listen(0, '127.0.0.1');
      await once(former, 'listening');
      let asked = 0;
      const next = createServer((request, response) => {
        if (++asked > 10) return echo(request, response);
        request.resume();
        const headers = head(`127.0.0.1:${portOf(former)}`);
        response.writeHead('location' in headers ? 307 : 503, headers).end();
      }).listen(0, '127.0.0.1');
      await once(next, 'listening');
      const marathonUrl = `http://127.0.0.1:${portOf(former)}`;
      const patient = await startRouter(
        { port: 0, masters: [master.url], marathonUrl, leaderMsMax: 60_000 },
        { logger: silentLogger },
      );
      const init = { method: 'POST', body: '{}', redirect: 'manual' } as const;
      const answered = await fetch(`${patient.url}/service/marathon/v2/apps`, init);
      expect([answered.status, await answered.text()]).toEqual([200, 'POST /v2/apps']);
      await patient.close();
      for (const server of [former, next]) {
        server.closeAllConnections();
        server.close();
      }
    },
  );

  test.each([
    ['an answer without the mark', false, 60_000],
    ['the last one when time is up', true, 0],
  ])('%s is passed on', async (_what, mark, leaderMsMax) => {
    const server = await reluctant(Infinity, mark);
    const marathonUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const started = await startRouter(
      { port: 0, masters: [master.url], marathonUrl, leaderMsMax },
      { logger: silentLogger },
    );
    const answered = await fetch(`${started.url}/service/marathon/v2/apps`);
    expect([answered.status, await answered.text()]).toEqual([503, 'nobody']);
    server.closeAllConnections();
    server.close();
    await started.close();
  });

  test('waits for a leader no longer than it may', async () => {
    const { url } = await later();
    const impatient = await startRouter(
      { port: 0, masters: [url], marathonUrl: url, leaderMsMax: 0 },
      { logger: silentLogger },
    );
    expect((await fetch(`${impatient.url}/mesos/slaves`)).status).toBe(503);
    expect((await fetch(`${impatient.url}/service/marathon/v2/apps`)).status).toBe(502);
    await impatient.close();
  });
});
