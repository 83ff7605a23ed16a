import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createForwarder, parseResolver } from './forwarder.ts';

const HOST = '127.0.0.1';
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function udpServer(answer: (message: Buffer) => Buffer | undefined): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', (message, peer) => {
    const reply = answer(message);
    if (reply !== undefined) socket.send(reply, peer.port, peer.address);
  });
  socket.bind(0, HOST);
  await once(socket, 'listening');
  closers.push(() => socket.close());
  return socket;
}

const query = Buffer.from([0xab, 0xcd, 1, 0, 0, 1]);

describe('forwarding', () => {
  test('goes on to the next resolver, under an id of its own', async () => {
    const ids: number[] = [];
    const silent = await udpServer(() => undefined);
    const server = await udpServer((message) => {
      ids.push(message.readUInt16BE(0));
      return Buffer.concat([message, Buffer.from('answer')]);
    });
    const resolvers = [silent, server].map((socket) => ({
      host: HOST,
      port: socket.address().port,
    }));
    const forwarder = createForwarder(resolvers, 50);
    const first = await forwarder.forward(query, 'udp');
    expect(Buffer.from(first ?? []).subarray(0, 2)).toEqual(query.subarray(0, 2));
    expect(Buffer.from(first ?? []).toString()).toContain('answer');
    await forwarder.forward(query, 'udp');
    expect(ids[0] === ids[1] && ids[0] === 0xabcd).toBe(false);
  });

  test('an answer to another id is not taken', async () => {
    const server = await udpServer((message) => {
      const forged = Buffer.from(message);
      forged.writeUInt16BE(forged.readUInt16BE(0) ^ 1, 0);
      return forged;
    });
    const forwarder = createForwarder([{ host: HOST, port: server.address().port }], 50);
    expect(await forwarder.forward(query, 'udp')).toBeUndefined();
  });

  test('over TCP, in pieces', async () => {
    const server = createServer((socket) => {
      socket.once('data', () => {
        socket.write(Buffer.from([0, 4, 0xab]));
        setImmediate(() => socket.end(Buffer.from([0xcd, 1, 2])));
      });
    });
    server.listen(0, HOST);
    await once(server, 'listening');
    closers.push(() => server.close());
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const answer = await createForwarder([{ host: HOST, port }], 5_000).forward(query, 'tcp');
    expect(Buffer.from(answer ?? [])).toEqual(Buffer.from([0xab, 0xcd, 1, 2]));
  });
});

test.each([
  ['10.0.0.1', { host: '10.0.0.1', port: 53 }],
  ['10.0.0.1:5353', { host: '10.0.0.1', port: 5353 }],
  ['[fd00::1]:53', { host: 'fd00::1', port: 53 }],
  ['fd00::1', { host: 'fd00::1', port: 53 }],
  ['dns.example', undefined],
  ['10.0.0.1:0', undefined],
])('resolver %s', (text, expected) => {
  expect(parseResolver(text)).toEqual(expected);
});
