import { once } from 'node:events';
import { Agent, get, request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { bodyText, createHttpServer, sendJson, type HttpServer } from './http-server.ts';
import { startSse, startStream, type CloseReason } from './out-stream.ts';

const servers: HttpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

function serve(options: { readonly bodyBytesMax?: number } = {}): HttpServer {
  const server = createHttpServer({ logger: silentLogger, ...options });
  servers.push(server);
  return server;
}

test('a body arrives as bytes whatever its type', async () => {
  const { app } = serve();
  app.post('/echo', (req, reply) => sendJson(reply, 200, { text: bodyText(req.body) }));
  const answer = await app.inject({
    method: 'POST',
    url: '/echo',
    payload: 'ü',
    headers: { 'content-type': 'x/y' },
  });
  expect(answer.json()).toEqual({ text: 'ü' });
  const empty = await app.inject({ method: 'POST', url: '/echo' });
  expect(empty.json()).toEqual({ text: '' });
});

test('a body over the limit is a 413, bytes that are no text a 400', async () => {
  const { app } = serve({ bodyBytesMax: 10 });
  app.post('/', (req, reply) => sendJson(reply, 200, bodyText(req.body)));
  expect((await app.inject({ method: 'POST', url: '/', payload: '12345678901' })).statusCode).toBe(
    413,
  );
  expect((await app.inject({ method: 'POST', url: '/', payload: '1234567890' })).statusCode).toBe(
    200,
  );
  const bad = await app.inject({ method: 'POST', url: '/', payload: Buffer.from([0xff]) });
  expect(bad.statusCode).toBe(400);
});

test('a port in use is named', async () => {
  const first = serve();
  const { port } = await first.listen({ host: '127.0.0.1', port: 0 });
  await expect(serve().listen({ host: '127.0.0.1', port })).rejects.toMatchObject({
    code: 'PORT_IN_USE',
    message: `port ${port} on 127.0.0.1 is in use`,
  });
});

test('server-sent events are framed and end with the server', async () => {
  const server = serve();
  server.app.get('/events', (_request, reply) => {
    const stream = startSse(reply);
    stream.send({ event: 'a', data: 'one\ntwo', id: '7' });
    stream.comment();
    stream.close();
  });
  const { url } = await server.listen({ host: '127.0.0.1', port: 0 });
  const [response] = (await once(get(`${url}/events`), 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  expect(response.headers['content-type']).toBe('text/event-stream');
  expect(text).toBe('event: a\nid: 7\ndata: one\ndata: two\n\n:\n\n');
});

test('a reader that stops reading is cut off at the bound', async () => {
  const server = serve();
  const ended = new Promise<CloseReason>((resolve) => {
    server.app.get('/flood', (_request, reply) => {
      const stream = startStream(reply, {
        contentType: 'x/y',
        bufferedBytesMax: 1_000_000,
        onClose: resolve,
      });
      const chunk = new Uint8Array(64 * 1024);
      // The kernel takes some megabytes before the bound is reached; a bounded number of rounds suffices.
      let rounds = 0;
      const flood = (): void => {
        if (rounds++ < 1000 && stream.write(chunk)) setImmediate(flood);
      };
      flood();
    });
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /flood HTTP/1.1\r\nhost: localhost\r\n\r\n');
  socket.pause();
  expect(await ended).toBe('slow-reader');
  socket.destroy();
});

test('a burst that exceeds the bound does not cut off a reader who reads', async () => {
  const server = serve();
  const [chunk, chunks] = [Buffer.alloc(64 * 1024), 100];
  server.app.get('/burst', (_request, reply) => {
    const stream = startStream(reply, { contentType: 'x/y', bufferedBytesMax: 1_000_000 });
    for (let index = 0; index < chunks; index++) stream.write(chunk);
    void stream.drained().then(() => stream.close());
  });
  const { url } = await server.listen({ host: '127.0.0.1', port: 0 });
  const call = request(`${url}/burst`);
  call.end();
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  let bytes = 0;
  for await (const data of response) bytes += (data as Buffer).length;
  expect(bytes).toBe(chunk.length * chunks);
});

test('a client that goes away ends its stream', async () => {
  const server = serve();
  const ended = new Promise<CloseReason>((resolve) => {
    server.app.get('/stream', (_request, reply) => {
      startStream(reply, { contentType: 'x/y', onClose: resolve });
    });
  });
  const { url } = await server.listen({ host: '127.0.0.1', port: 0 });
  const call = request(`${url}/stream`);
  call.end();
  await once(call, 'response');
  call.destroy();
  call.on('error', () => undefined);
  expect(await ended).toBe('client');
});

test.each([
  [{}, 200],
  [{ host: 'localhost:1' }, 200],
  [{ host: 'rebound.example' }, 403],
  [{ origin: 'http://evil.example' }, 403],
  [{ 'sec-fetch-site': 'cross-site' }, 403],
  [{ origin: 'http://evil.example', 'x-forwarded-host': 'localhost:8180' }, 200],
])('a write on loopback with %j is answered with %i', async (headers, status) => {
  const server = serve();
  server.app.post('/', async () => 'done');
  const { url } = await server.listen({ host: '127.0.0.1', port: 0 });
  const call = request(url, { method: 'POST', headers });
  call.end();
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  response.resume();
  expect(response.statusCode).toBe(status);
});

test('a server that drains answers on connections that are there, ends them, and takes no others', async () => {
  const server = createHttpServer({ logger: silentLogger });
  server.app.get('/', async (_request, reply) => await reply.send('here'));
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = async (): Promise<string | undefined> => {
    const asked = request({ host: '127.0.0.1', port, agent }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    await once(answer.resume(), 'end');
    return answer.headers.connection;
  };
  expect(await ask()).toBe('keep-alive');
  const drained = server.drain(60_000);
  expect(await ask()).toBe('close');
  await drained;
  await expect(ask()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await server.close();
  agent.destroy();
});
