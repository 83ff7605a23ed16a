/**
 * The agents' connections: one WebSocket each at `/api/agent`, opened by the agent, one encoded message
 * per binary frame. A peer that sends anything else, stays silent before REGISTER, or leaves too much
 * unread is cut off; what happens then is the core's business.
 */

import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import type { Clock, Logger } from '@dcos/base';
import { hasShownCertificate, loopbackRefusal } from '@dcos/http';
import { agentProtocol, decode, encode, WireError } from '@dcos/wire';
import type { ConnectionId } from '../core/effects.ts';
import type { Elsewhere } from './leader-redirect.ts';

const AGENT_PATH = '/api/agent';

/** How agents log in before their connection is upgraded. */
export interface AgentLogIn {
  readonly challenge: string;
  principalOf(authorization: string | undefined): Promise<string | undefined>;
}

export interface AgentSocketsOptions {
  readonly frameBytesMax: number;
  readonly bufferedBytesMax: number;
  readonly connectionsMax: number;
  readonly registerTimeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether agents must show a certificate of the authorities that are trusted here. */
  readonly requiresCertificate: boolean;
  /** When agents must log in. */
  readonly logIn?: AgentLogIn | undefined;
  /** Where agents are to go; undefined when they are right here. */
  readonly elsewhere: () => Elsewhere | undefined;
  /** The principal is that of the log-in. */
  readonly onFrame: (
    connection: ConnectionId,
    frame: agentProtocol.ToMaster,
    principal: string | undefined,
  ) => void;
  readonly onClosed: (connection: ConnectionId) => void;
}

const CLOSE_GOING_AWAY = 1001;
const CLOSE_UNSUPPORTED = 1003;
const CLOSE_POLICY = 1008;

export class AgentSockets {
  readonly #options: AgentSocketsOptions;
  readonly #server: WebSocketServer;
  readonly #sockets = new Map<ConnectionId, WebSocket>();
  #nextConnection = 0;

  constructor(options: AgentSocketsOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({
      noServer: true,
      maxPayload: options.frameBytesMax,
      perMessageDeflate: false,
    });
  }

  /** Takes upgrades of this server; those to another path are refused. */
  attach(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      // The server no longer listens for errors of this socket: without this, a client that resets a
      // refused upgrade would end the process.
      socket.on('error', (error: Error) => {
        this.#options.logger.debug(
          { event: 'agent.upgrade-failed', error: error.message },
          'an upgrade failed',
        );
        socket.destroy();
      });
      const [path] = (request.url ?? '').split('?');
      if (loopbackRefusal(request, true) !== undefined) {
        socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      } else if (path !== AGENT_PATH) {
        socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      } else if (this.#options.requiresCertificate && !hasShownCertificate(socket)) {
        this.#options.logger.warn(
          { event: 'agent.without-certificate', address: request.socket.remoteAddress ?? '' },
          'an agent without a certificate of the cluster was refused',
        );
        socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      } else if (this.#options.logIn === undefined) {
        this.#upgrade(request, socket, head, undefined);
      } else {
        this.#logIn(this.#options.logIn, request, socket, head).catch((error: unknown) =>
          socket.destroy(error instanceof Error ? error : undefined),
        );
      }
    });
  }

  async #logIn(
    logIn: AgentLogIn,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Promise<void> {
    const principal = await logIn.principalOf(request.headers.authorization);
    if (principal !== undefined) this.#upgrade(request, socket, head, principal);
    else {
      socket.end(
        `HTTP/1.1 401 Unauthorized\r\nwww-authenticate: ${logIn.challenge}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
      );
    }
  }

  #upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    principal: string | undefined,
  ): void {
    const elsewhere = this.#options.elsewhere();
    if (elsewhere?.status === 307) {
      socket.end(
        `HTTP/1.1 307 Temporary Redirect\r\nlocation: ${elsewhere.location}${AGENT_PATH}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
      );
      return;
    }
    if (elsewhere !== undefined || this.#sockets.size >= this.#options.connectionsMax) {
      socket.end(
        'HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n',
      );
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) =>
      this.#accept(webSocket, principal),
    );
  }

  #accept(socket: WebSocket, principal: string | undefined): void {
    const { clock, logger, onFrame, onClosed, registerTimeoutMs } = this.#options;
    const connection = this.#nextConnection++;
    this.#sockets.set(connection, socket);
    const cancelTimeout = clock.setTimer(registerTimeoutMs, () =>
      socket.close(CLOSE_POLICY, 'no REGISTER'),
    );
    socket.on('message', (data: RawData, isBinary: boolean) => {
      const frame = isBinary ? readFrame(data) : 'text';
      if (typeof frame === 'string') {
        logger.warn(
          { event: 'agent.frame-invalid', connection, problem: frame },
          'invalid frame from an agent',
        );
        socket.close(CLOSE_UNSUPPORTED, 'invalid frame');
        return;
      }
      if (frame.type === 'REGISTER') cancelTimeout();
      onFrame(connection, frame, principal);
    });
    socket.on('error', (error: Error) => {
      logger.warn(
        { event: 'agent.socket-failed', connection, error: error.message },
        'connection of an agent failed',
      );
    });
    socket.on('close', () => {
      cancelTimeout();
      this.#sockets.delete(connection);
      onClosed(connection);
    });
  }

  send(connection: ConnectionId, frame: agentProtocol.ToAgent): void {
    const socket = this.#sockets.get(connection);
    if (socket === undefined) return;
    socket.send(encode(agentProtocol.ToAgentType, frame));
    if (socket.bufferedAmount > this.#options.bufferedBytesMax) socket.terminate();
  }

  close(connection: ConnectionId): void {
    this.#sockets.get(connection)?.close(CLOSE_GOING_AWAY);
  }

  /** Ends all connections at once; agents come back by themselves. */
  closeAll(): void {
    // The HTTP server waits for every socket, so none may linger in a closing handshake.
    for (const socket of this.#sockets.values()) socket.terminate();
    this.#server.close();
  }
}

/** The message of a frame, or what is wrong with it. */
function readFrame(data: RawData): agentProtocol.ToMaster | string {
  const bytes = Array.isArray(data) ? Buffer.concat(data) : new Uint8Array(data);
  try {
    return decode(agentProtocol.ToMasterType, bytes);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return error.message;
  }
}
