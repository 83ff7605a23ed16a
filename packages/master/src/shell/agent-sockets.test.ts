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

interface Refusal {
  readonly url?: string;
  readonly connectionsMax?: number;
  readonly to?: typeof LEADER;
  readonly requiresCertificate?: boolean;
}

test.each<[string, Refusal]>([
  ['another path', { url: '/other' }],
  ['too many connections', { connectionsMax: 0 }],
  ['no WebSocket', {}],
  ['another leader', { to: LEADER }],
  ['want of a certificate', { requiresCertificate: true }],
])('an upgrade refused for %s survives a client that resets', (_why, refusal) => {
  const { url = '/api/agent', connectionsMax = 100, to, requiresCertificate = false } = refusal;
  const server = new Server();
  const sockets = new AgentSockets({
    frameBytesMax: 1024,
    bufferedBytesMax: 1024,
    connectionsMax,
    registerTimeoutMs: 1000,
    requiresCertificate,
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
