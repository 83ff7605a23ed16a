/**
 * The WebSocket to the master. It opens, carries frames, and says when it is gone; when to open it again is
 * decided by the core. Non-leading masters answer with a redirect, which is followed, though never out of TLS: what
 * the agent logs in with goes along.
 */

import { WebSocket } from 'ws';
import { errorText, type Logger } from '@dcos/base';
import type { ClientTls } from '@dcos/http';
import { agentProtocol, decode, encode } from '@dcos/wire';
import { PROTOCOL_VERSION } from '../core/index.ts';
import type { MasterDetector } from './master-detector.ts';

/** How long opening may take. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Bytes of one message from the master. */
const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;
/** Bytes that may wait for a master that does not read. */
const BUFFERED_BYTES_MAX = 256 * 1024 * 1024;
/** Redirects between masters that are followed in one attempt. */
const REDIRECTS_MAX = 4;

export interface MasterConnectionOptions {
  readonly masters: MasterDetector;
  readonly logger: Logger;
  /** What proves who the agent is, for each attempt anew. */
  readonly authorization: () => string | undefined;
  /** For masters with `https:`; their certificates are always verified. */
  readonly tls: ClientTls;
  readonly onConnected: (master: string) => void;
  readonly onMessage: (message: agentProtocol.ToAgent) => void;
  /** Exactly once for every `connect`. */
  readonly onDisconnected: (reason: string) => void;
  /** Another master leads than the last one. */
  readonly onMasterChanged: () => void;
}

export interface MasterConnection {
  connect(): void;
  /** Dropped when there is no open connection: whatever matters is sent again after a registration. */
  send(message: agentProtocol.ToMaster): void;
  disconnect(): void;
  /** Ends the connection, and the search for masters. */
  close(): Promise<void>;
}

/** Makes the connection, closed. */
export function createMasterConnection(options: MasterConnectionOptions): MasterConnection {
  const { masters } = options;
  let socket: WebSocket | undefined;
  /** Whom the socket was opened to, before any redirect. */
  let target = '';
  let cancelWait: (() => void) | undefined;

  function attempt(master: string, redirects: number): void {
    const url = new URL('/api/agent', master);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const authorization = options.authorization();
    const opening = new WebSocket(url, {
      ...(url.protocol === 'wss:' && options.tls),
      headers: {
        'x-dcos-agent-protocol': String(PROTOCOL_VERSION),
        ...(authorization !== undefined && { authorization }),
      },
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      maxPayload: MESSAGE_BYTES_MAX,
      perMessageDeflate: false,
    });
    socket = opening;
    let reason: string | undefined;
    let redirected = false;
    opening.on('open', () => options.onConnected(master));
    opening.on('message', (data) => {
      // Frames of a connection that was given up are of no interest.
      if (socket === opening) receive(opening, data as Buffer);
    });
    opening.on('unexpected-response', (_request, response) => {
      const { location } = response.headers;
      const other = location === undefined ? null : URL.parse(location, master);
      if (response.statusCode !== 307 || redirects >= REDIRECTS_MAX || !isMaster(other)) {
        reason = `${master} answered ${response.statusCode ?? 'nothing'}`;
      } else if (url.protocol === 'wss:' && other.protocol === 'http:') {
        reason = `${master} redirects to ${other.origin}, which has no TLS`;
      } else {
        redirected = true;
        attempt(other.origin, redirects + 1);
      }
      response.resume();
      opening.terminate();
    });
    opening.on('error', (error) => {
      // Giving up after an answer is told as an error too; the answer says more.
      reason ??= `${master}: ${errorText(error)}`;
    });
    opening.on('close', () => {
      if (redirected || socket !== opening) return;
      socket = undefined;
      options.onDisconnected(reason ?? 'the master closed the connection');
    });
  }

  function receive(from: WebSocket, data: Buffer): void {
    try {
      options.onMessage(decode(agentProtocol.ToAgentType, data));
    } catch (error) {
      options.logger.error(
        { event: 'message.malformed', error: errorText(error) },
        'the master sent what cannot be read',
      );
      from.terminate();
    }
  }

  masters.onChange((master) => {
    options.onMasterChanged();
    if (cancelWait !== undefined) {
      // Everybody who waits hears of it now: each comes after a wait of its own.
      cancelWait();
      cancelWait = undefined;
      options.onDisconnected('another master leads');
    }
    // What the old one still sends is of no interest; a new registration says all that matters.
    else if (socket !== undefined && master !== target) socket.terminate();
  });

  return {
    connect() {
      let isGiven = false;
      const cancel = masters.next((master) => {
        isGiven = true;
        cancelWait = undefined;
        target = master;
        attempt(master, 0);
      });
      if (!isGiven) cancelWait = cancel;
    },
    send(message) {
      if (socket?.readyState !== WebSocket.OPEN) return;
      if (socket.bufferedAmount > BUFFERED_BYTES_MAX) {
        options.logger.warn({ event: 'master.slow' }, 'the master does not read; starting anew');
        socket.terminate();
        return;
      }
      socket.send(encode(agentProtocol.ToMasterType, message));
    },
    disconnect() {
      socket?.terminate();
    },
    async close() {
      cancelWait?.();
      socket?.terminate();
      await masters.stop();
    },
  };
}

/** True for what a master's address can be. */
function isMaster(url: URL | null): url is URL {
  return url?.protocol === 'http:' || url?.protocol === 'https:';
}
