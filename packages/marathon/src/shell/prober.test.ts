import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { Probe } from '../core/index.ts';
import { Prober } from './prober.ts';

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function prober(concurrencyMax = 4): Prober {
  const made = new Prober({ concurrencyMax });
  closers.push(async () => await made.close());
  return made;
}

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

function probeOf(port: number, fields: Partial<Probe> = {}): Probe {
  const target = { protocol: 'HTTP', host: '127.0.0.1', port, path: '/', timeoutMs: 5000 } as const;
  return { purpose: 'health', instanceId: 'i', taskId: 't', checkIndex: 0, ...target, ...fields };
}

test('an answer gives its status, redirects included', async () => {
  const port = await listen(
    createServer((request, response) => {
      response.statusCode = request.url === '/moved' ? 302 : 200;
      response.end('fine');
    }),
  );
  expect(await prober().probe(probeOf(port))).toEqual({ kind: 'status', status: 200 });
  expect(await prober().probe(probeOf(port, { path: 'moved' }))).toEqual({
    kind: 'status',
    status: 302,
  });
});

test('a readiness probe brings the body, cut to its bound', async () => {
  const port = await listen(
    createServer((_request, response) => {
      response.setHeader('content-type', 'text/plain');
      response.statusCode = 503;
      response.end('x'.repeat(50_000));
    }),
  );
  const answer = await prober().probe(probeOf(port, { purpose: 'readiness' }));
  expect(answer).toMatchObject({ kind: 'status', status: 503, contentType: 'text/plain' });
  expect(answer.kind === 'status' ? answer.body?.length : 0).toBe(10_000);
});

test('silence and refusal are failures', async () => {
  const silent = await listen(createServer(() => undefined));
  expect(await prober().probe(probeOf(silent, { timeoutMs: 20 }))).toMatchObject({
    kind: 'failed',
  });
  const closed = createTcpServer();
  const port = await listen(closed);
  await new Promise((resolve) => closed.close(resolve));
  expect(await prober().probe(probeOf(port))).toMatchObject({ kind: 'failed' });
  expect(await prober().probe(probeOf(port, { protocol: 'TCP' }))).toMatchObject({
    kind: 'failed',
  });
});

test('TCP is healthy when a connection is made', async () => {
  const port = await listen(createTcpServer((socket) => socket.on('error', () => undefined)));
  expect(await prober().probe(probeOf(port, { protocol: 'TCP' }))).toEqual({ kind: 'connected' });
});

test('no more probes than allowed run at once', async () => {
  let open = 0;
  let most = 0;
  const port = await listen(
    createServer((_request, response) => {
      open += 1;
      most = Math.max(most, open);
      setImmediate(() => {
        open -= 1;
        response.end();
      });
    }),
  );
  const limited = prober(2);
  await Promise.all(Array.from({ length: 12 }, async () => await limited.probe(probeOf(port))));
  expect(most).toBeLessThanOrEqual(2);
});
