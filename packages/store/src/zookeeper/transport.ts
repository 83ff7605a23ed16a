/**
 * How a client reaches its servers: by sockets, or by whatever else carries bytes in order.
 *
 * Servers are named by host; the name is resolved at every attempt, so that one that moved is found again.
 */

import { connect as connectTcp } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { ServerAddress } from '../core/zookeeper/index.ts';

/** What a connection tells. Never from within the call that opens it. */
export interface TransportListener {
  readonly opened: () => void;
  readonly received: (bytes: Uint8Array) => void;
  /** It could not be opened, or is over. */
  readonly broken: (reason: string) => void;
}

/** One connection. */
export interface TransportLink {
  send(bytes: Uint8Array): void;
  /** Ends it at once. What it tells afterwards is of no interest. */
  shut(): void;
}

export type Transport = (server: ServerAddress, listener: TransportListener) => TransportLink;

export type TransportTls = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'minVersion'>;

/** By TCP, or by TLS with what to trust and show. */
export function socketTransport(tls: TransportTls | undefined): Transport {
  return ({ host, port }, { opened, received, broken }) => {
    const socket =
      tls === undefined
        ? connectTcp({ host, port, noDelay: true })
        : connectTls({ ...tls, host, port, servername: isName(host) ? host : '' });
    let reason = 'the connection was closed';
    socket.setNoDelay(true);
    socket.on(tls === undefined ? 'connect' : 'secureConnect', opened);
    socket.on('data', received);
    socket.on('error', (error) => (reason = error.message));
    socket.on('close', () => broken(reason));
    return {
      send(bytes) {
        // What one turn of the event loop sends goes out in one piece.
        if (socket.writableCorked === 0) {
          socket.cork();
          process.nextTick(() => socket.uncork());
        }
        socket.write(bytes);
      },
      shut: () => void socket.destroy(),
    };
  };
}

function isName(host: string): boolean {
  return !/^[\d.]+$|:/.test(host);
}
