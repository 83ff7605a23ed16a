import { Server, type IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { AgentSockets } from './agent-sockets.ts';
import { systemClock } from './system-ports.ts';

/** A request for an upgrade, as the server hands it on. */
function upgradeRequest(url: string, headers: Readonly<Record<string, string>>): IncomingMessage {
  return { url, headers, method: 'GET', socket: { localAddress: '10.0.0.1' } } as never;
}

const LEADER = { status: 307, location: '//other:5050' } as const;

test.each([
  ['another path', '/other', 100, undefined],
  ['too many connections', '/api/agent', 0, undefined],
  ['no WebSocket', '/api/agent', 100, undefined],
  ['another leader', '/api/agent', 100, LEADER],
])('an upgrade refused for %s survives a client that resets', (_why, url, connectionsMax, to) => {
  const server = new Server();
  const sockets = new AgentSockets({
    frameBytesMax: 1024,
    bufferedBytesMax: 1024,
    connectionsMax,
    registerTimeoutMs: 1000,
    clock: systemClock,
    logger: silentLogger,
    elsewhere: () => to,
    onFrame: () => undefined,
    onClosed: () => undefined,
  });
  sockets.attach(server);
  const socket = new PassThrough();
  server.emit('upgrade', upgradeRequest(url, { host: 'x' }), socket, Buffer.alloc(0));
  expect(() => socket.emit('error', new Error('read ECONNRESET'))).not.toThrow();
  sockets.closeAll();
});
