/**
 * Asks other servers about names that are not ours: the query goes out as it came, over the transport of
 * the client, to one resolver after the other until one answers. Nothing is cached.
 */

import { createSocket } from 'node:dgram';
import { connect, isIP } from 'node:net';
import { randomInt } from 'node:crypto';
import type { Transport } from './dns-server.ts';

/** Queries that may wait for other servers; more are answered SERVFAIL at once. */
export const FORWARDED_MAX = 1_000;

interface Resolver {
  readonly host: string;
  readonly port: number;
}

export interface Forwarder {
  /** The first answer that a resolver gives; undefined when none does. */
  forward(query: Uint8Array, transport: Transport): Promise<Uint8Array | undefined>;
}

/** Reads `ip`, `ip:port` and `[ipv6]:port`; undefined when the text is none of them. */
export function parseResolver(text: string): Resolver | undefined {
  if (isIP(text) !== 0) return { host: text, port: 53 };
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3] ?? 0);
  return isIP(host) !== 0 && port > 0 && port < 65_536 ? { host, port } : undefined;
}

export function createForwarder(resolvers: readonly Resolver[], timeoutMs: number): Forwarder {
  let waiting = 0;
  return {
    async forward(query, transport) {
      if (waiting >= FORWARDED_MAX) return undefined;
      waiting += 1;
      try {
        for (const resolver of resolvers) {
          const ask = transport === 'udp' ? askOverUdp : askOverTcp;
          const answer = await ask(query, resolver, timeoutMs);
          if (answer !== undefined) return answer;
        }
        return undefined;
      } finally {
        waiting -= 1;
      }
    },
  };
}

/** A socket and an id of its own for each query, so that answers are hard to forge. */
function askOverUdp(
  query: Uint8Array,
  to: Resolver,
  timeoutMs: number,
): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(to.host.includes(':') ? 'udp6' : 'udp4');
    const id = randomInt(0x1_0000);
    const timer = setTimeout(() => finish(undefined), timeoutMs);
    const finish = (answer: Uint8Array | undefined): void => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    socket.once('error', () => finish(undefined));
    socket.on('message', (message) => {
      if (idOf(message) === id) finish(withId(message, idOf(query)));
    });
    // Connected: the kernel drops what comes from any other address.
    socket.connect(to.port, to.host, () => socket.send(withId(query, id)));
  });
}

function askOverTcp(
  query: Uint8Array,
  to: Resolver,
  timeoutMs: number,
): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const socket = connect(to.port, to.host);
    const parts: Buffer[] = [];
    const finish = (answer: Uint8Array | undefined): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => finish(undefined));
    socket.once('error', () => finish(undefined));
    socket.once('close', () => resolve(undefined));
    socket.once('connect', () => {
      const head = Buffer.from([query.length >> 8, query.length & 0xff]);
      socket.write(Buffer.concat([head, query]));
    });
    socket.on('data', (chunk: Buffer) => {
      parts.push(chunk);
      const bytes = Buffer.concat(parts);
      if (bytes.length < 2 || bytes.length < 2 + bytes.readUInt16BE(0)) return;
      finish(bytes.subarray(2, 2 + bytes.readUInt16BE(0)));
    });
  });
}

function idOf(message: Uint8Array): number {
  return ((message[0] ?? 0) << 8) | (message[1] ?? 0);
}

function withId(message: Uint8Array, id: number): Uint8Array {
  const copy = Uint8Array.from(message);
  copy[0] = id >> 8;
  copy[1] = id & 0xff;
  return copy;
}
