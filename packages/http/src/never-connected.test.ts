import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { neverConnected } from './never-connected.ts';

const failing = (fields: object): Error => Object.assign(new Error('failed'), fields);

test.each([
  [failing({ code: 'ECONNREFUSED', syscall: 'connect' }), true],
  [failing({ code: 'EHOSTUNREACH', syscall: 'connect' }), true],
  [failing({ code: 'EHOSTUNREACH', syscall: 'read' }), false],
  [failing({ code: 'ECONNRESET', syscall: 'read' }), false],
  [failing({ code: 'ENOTFOUND', syscall: 'getaddrinfo' }), true],
  [failing({ code: 'UND_ERR_CONNECT_TIMEOUT' }), true],
  [failing({ code: 'UND_ERR_SOCKET' }), false],
  [new AggregateError([failing({ syscall: 'connect' }), failing({ syscall: 'connect' })]), true],
  [new AggregateError([failing({ syscall: 'connect' }), failing({ syscall: 'read' })]), false],
  ['text', false],
])('%o: %s', (error, expected) => {
  expect(neverConnected(error)).toBe(expected);
});

test('of a refused fetch, the cause says so', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const error = await fetch(`http://127.0.0.1:${port}`).catch(({ cause }: Error) => cause);
  expect(neverConnected(error)).toBe(true);
});
