/**
 * The sockets of the DNS server: UDP and TCP on one port.
 *
 * Invariants: a datagram causes at most one datagram back; a TCP client that sends without reading is
 * not read further; connections, their idle time and what waits for a foreign answer are bounded.
 */

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { errorText, OperationError, type Logger } from '@dcos/base';

/** Bytes of an answer over UDP; the limit of the original, whatever a client offers. */
export const UDP_BYTES_MAX = 512;
export const TCP_BYTES_MAX = 65_535;
export const TCP_CONNECTIONS_MAX = 1_000;
/** Idle time after which a TCP connection is closed. */
export const TCP_IDLE_MS = 10_000;
/** Bytes that may wait for a TCP client before its next queries are read. */
const TCP_BUFFERED_BYTES_MAX = 256 * 1024;
/** Tries to find a port that is free for both transports. */
const PORT_TRIES_MAX = 20;

export type Transport = 'udp' | 'tcp';

/** Makes the answer to one message; undefined when there is none to give. */
export type Respond = (
  message: Uint8Array,
  transport: Transport,
) => Uint8Array | undefined | Promise<Uint8Array | undefined>;

export interface DnsServer {
  readonly port: number;
  close(): Promise<void>;
}

interface Sockets {
  readonly udp: UdpSocket;
  readonly tcp: Server;
  readonly port: number;
}

/**
 * Opens both sockets.
 * @param options.port 0 takes one that is free for both.
 * @throws OperationError `PORT_IN_USE` or `PORT_FORBIDDEN`.
 */
export async function startDnsServer(options: {
  readonly host: string;
  readonly port: number;
  readonly respond: Respond;
  readonly logger: Logger;
}): Promise<DnsServer> {
  const { host, respond, logger } = options;
  const { udp, tcp, port } = await bind(host, options.port);
  const connections = new Set<Socket>();
  udp.on('error', (error) =>
    logger.warn({ event: 'dns.udp-failed', error: errorText(error) }, 'UDP error'),
  );
  tcp.on('error', (error) =>
    logger.warn({ event: 'dns.tcp-failed', error: errorText(error) }, 'TCP error'),
  );
  udp.on('message', (message, peer) => {
    const answer = respond(message, 'udp');
    if (answer instanceof Promise) {
      answer.then(
        (bytes) => bytes !== undefined && udp.send(bytes, peer.port, peer.address),
        (error: unknown) =>
          logger.warn({ event: 'dns.answer-failed', error: errorText(error) }, 'no answer'),
      );
    } else if (answer !== undefined) udp.send(answer, peer.port, peer.address);
  });
  tcp.on('connection', (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    void serveConnection(socket, respond);
  });
  let closing: Promise<void> | undefined;
  return {
    port,
    close() {
      closing ??= closeSockets(udp, tcp, connections);
      return closing;
    },
  };
}

async function closeSockets(
  udp: UdpSocket,
  tcp: Server,
  connections: ReadonlySet<Socket>,
): Promise<void> {
  for (const socket of connections) socket.destroy();
  await Promise.all([
    new Promise<void>((resolve) => {
      udp.close(() => resolve());
    }),
    new Promise<void>((resolve) => {
      tcp.close(() => resolve());
    }),
  ]);
}

async function bind(host: string, wanted: number): Promise<Sockets> {
  for (let attempt = 1; ; attempt++) {
    const udp = await bindUdp(host, wanted);
    const { port } = udp.address();
    try {
      const tcp = await bindTcp(host, port);
      return { udp, tcp, port };
    } catch (error) {
      udp.close();
      // With a port of our own choice, one that TCP already has is no reason to give up.
      if (wanted !== 0 || attempt === PORT_TRIES_MAX) throw bindError(error, host, port);
    }
  }
}

function bindUdp(host: string, port: number): Promise<UdpSocket> {
  const udp = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  return new Promise((resolve, reject) => {
    udp.once('error', (error) => reject(bindError(error, host, port)));
    udp.bind(port, host, () => {
      udp.removeAllListeners('error');
      resolve(udp);
    });
  });
}

function bindTcp(host: string, port: number): Promise<Server> {
  const tcp = createServer();
  tcp.maxConnections = TCP_CONNECTIONS_MAX;
  return new Promise((resolve, reject) => {
    tcp.once('error', reject);
    tcp.listen(port, host, () => {
      tcp.removeAllListeners('error');
      resolve(tcp);
    });
  });
}

function bindError(error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const details = { host, port };
  if (code === 'EADDRINUSE') {
    return new OperationError('PORT_IN_USE', `port ${port} on ${host} is in use`, {
      details,
      cause: error,
    });
  }
  if (code === 'EACCES') {
    const text = `port ${port} on ${host} may not be opened by this user`;
    return new OperationError('PORT_FORBIDDEN', text, { details, cause: error });
  }
  return error;
}

/** Answers the messages of one connection in order. */
async function serveConnection(socket: Socket, respond: Respond): Promise<void> {
  socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
  let waiting: Uint8Array = new Uint8Array();
  try {
    for await (const chunk of socket) {
      waiting =
        waiting.length === 0 ? (chunk as Buffer) : Buffer.concat([waiting, chunk as Buffer]);
      for (;;) {
        const message = firstMessage(waiting);
        if (message === undefined) break;
        waiting = waiting.subarray(2 + message.length);
        const answer = await respond(message, 'tcp');
        if (answer !== undefined) await send(socket, answer);
      }
    }
  } catch {
    // The client went away or broke the connection: nobody is left to tell.
    socket.destroy();
  }
}

function firstMessage(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < 2) return undefined;
  const length = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  return bytes.length < 2 + length ? undefined : bytes.subarray(2, 2 + length);
}

async function send(socket: Socket, answer: Uint8Array): Promise<void> {
  const frame = new Uint8Array(2 + answer.length);
  frame[0] = answer.length >> 8;
  frame[1] = answer.length & 0xff;
  frame.set(answer, 2);
  socket.write(frame);
  if (socket.writableLength <= TCP_BUFFERED_BYTES_MAX) return;
  await new Promise<void>((resolve, reject) => {
    socket.once('drain', resolve);
    socket.once('close', () => reject(new Error('the client left')));
  });
}
