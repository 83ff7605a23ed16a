/**
 * The HTTP server of every component: fastify with explicit limits, bodies as raw bytes, errors in one
 * place. Building is apart from listening, so tests inject requests with no socket.
 */

import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { assert, errorText, OperationError, type Logger } from '@dcos/base';
import { loopbackRefusal } from './browser-guard.ts';
import { drainingOf } from './draining.ts';
import type { ServerTls } from './tls.ts';

/** Bytes of a request body unless the component says otherwise. */
export const BODY_BYTES_MAX = 32 * 1024 * 1024;
/** How long a client may take to send its headers. */
const HEADERS_TIMEOUT_MS = 30_000;
/** How long a client may take to agree on TLS. */
const HANDSHAKE_TIMEOUT_MS = 30_000;
/** How long a client may take to send a whole request. */
const REQUEST_TIMEOUT_MS = 120_000;
/** How long an idle connection is kept; longer than the usual client's, so that clients close first. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
/** Connections of one server at most. */
const CONNECTIONS_MAX = 60_000;
/**
 * Connections that the kernel holds until they are taken in. When all agents come to a new leader, whoever finds
 * no place tries again after 1, 3, 7 and 15 s. The kernel has a bound of its own, `net.core.somaxconn`.
 */
const BACKLOG = 65_535;

/** Writes the answer to a failed request; the component's own error shape. */
export type ErrorResponder = (
  reply: FastifyReply,
  failure: { readonly statusCode: number; readonly message: string; readonly error: unknown },
) => void;

export interface HttpServerOptions {
  readonly logger: Logger;
  readonly bodyBytesMax?: number;
  /** Plain text with the status when absent. */
  readonly respondError?: ErrorResponder;
  /**
   * A server that listens on loopback has no log-in, but every page that a browser of this machine shows can
   * reach it. So it refuses foreign host names, and writes that foreign pages send. Off for a server that has
   * rules of its own.
   */
  readonly guardsLoopback?: boolean;
  /** True for a request whose body is a stream that may take as long as it likes; none is when absent. */
  readonly isLongRequest?: (request: IncomingMessage) => boolean;
  /** Serves HTTPS, and nothing else. */
  readonly tls?: ServerTls | undefined;
}

export interface HttpServer {
  /** Routes are added here before `listen`. A body arrives as a Buffer, empty when there is none. */
  readonly app: FastifyInstance;
  listen(address: { readonly host: string; readonly port: number }): Promise<ListeningAt>;
  /** Shows another certificate from the next connection on; for a server that has one. */
  renewTls(tls: ServerTls): void;
  /**
   * Stops accepting and lets each connection end with its next answer, so that whoever keeps one is not cut off in the
   * middle of a request. Resolves when all have ended or the time is up; `close` ends what is left.
   */
  drain(timeMsMax: number): Promise<void>;
  /** Resolves when nothing is being answered, or the time is up. Takes connections and requests as ever. */
  settle(timeMsMax: number): Promise<void>;
  /** Stops accepting, ends open streams, resolves when all connections are closed. Idempotent. */
  close(): Promise<void>;
}

export interface ListeningAt {
  readonly port: number;
  /** `http://host:port` or `https://host:port`, without a slash at its end. */
  readonly url: string;
}

const plainText: ErrorResponder = (reply, { statusCode, message }) =>
  void reply.code(statusCode).type('text/plain; charset=utf-8').send(message);

/** Makes a server. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const respond = options.respondError ?? plainText;
  const { tls } = options;
  const app: FastifyInstance = fastify({
    logger: false,
    ...(tls !== undefined && { https: { ...tls, handshakeTimeout: HANDSHAKE_TIMEOUT_MS } }),
    bodyLimit: options.bodyBytesMax ?? BODY_BYTES_MAX,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    requestTimeout: options.isLongRequest === undefined ? REQUEST_TIMEOUT_MS : 0,
    // Streams live for days: closing the server must not wait for them.
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 4096 },
    exposeHeadRoutes: true,
  });
  tune(app.server);
  const dropSilent = app.server instanceof TlsServer ? silentClients(app.server) : undefined;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  if (options.isLongRequest !== undefined) limitShortRequests(app, options.isLongRequest);
  if (options.guardsLoopback !== false) guardLoopback(app);
  app.setErrorHandler((error: unknown, _request, reply) => {
    const statusCode = statusOf(error);
    if (statusCode >= 500) {
      options.logger.error({ event: 'request.failed', error: errorText(error) }, 'request failed');
    }
    respond(reply, { statusCode, message: errorText(error), error });
  });

  const draining = drainingOf(app.server);
  let closing: Promise<void> | undefined;
  return {
    app,
    async listen({ host, port }) {
      try {
        await app.listen({ host, port, backlog: BACKLOG });
      } catch (error) {
        throw listenError(error, host, port);
      }
      const address = app.server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      const scheme = tls === undefined ? 'http' : 'https';
      return {
        port: bound,
        url: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${bound}`,
      };
    },
    renewTls({ minVersion, cert, key, ca }) {
      assert(app.server instanceof TlsServer, 'the server speaks TLS');
      app.server.setSecureContext({ minVersion, cert, key, ...(ca !== undefined && { ca }) });
    },
    ...draining,
    async close() {
      closing ??= app.close();
      dropSilent?.();
      await closing;
    },
  };
}

const HTTP_FORBIDDEN = 403;

function guardLoopback(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    const problem = loopbackRefusal(request.raw, false);
    if (problem !== undefined) {
      await reply.code(HTTP_FORBIDDEN).type('text/plain').send(`${problem}\n`);
    }
  });
}

/** Node's own limit holds for all requests of a server or for none. */
function limitShortRequests(
  app: FastifyInstance,
  isLongRequest: (request: IncomingMessage) => boolean,
): void {
  const timers = new WeakMap<IncomingMessage, NodeJS.Timeout>();
  app.addHook('onRequest', async ({ raw }) => {
    if (!isLongRequest(raw))
      timers.set(raw, setTimeout(() => raw.destroy(), REQUEST_TIMEOUT_MS).unref());
    await Promise.resolve();
  });
  // The body is there by now.
  app.addHook('preValidation', async ({ raw }) => {
    clearTimeout(timers.get(raw));
    await Promise.resolve();
  });
}

/**
 * Whoever connects and does not agree on TLS (such as one that watches whether the process is there) is no connection to
 * the HTTP part of a server, which therefore does not end it when it closes, and waits for it.
 * @returns what ends all of them, and those that come yet.
 */
function silentClients(server: TlsServer): () => void {
  const silent = new Map<string, Socket>();
  let isClosing = false;
  const nameOf = ({ remoteAddress = '', remotePort = 0 }: Socket): string =>
    `${remoteAddress} ${remotePort}`;
  server.on('connection', (socket: Socket) => {
    if (isClosing) {
      socket.destroy();
      return;
    }
    const name = nameOf(socket);
    silent.set(name, socket);
    socket.once('close', () => {
      if (silent.get(name) === socket) silent.delete(name);
    });
  });
  server.on('secureConnection', (socket) => silent.delete(nameOf(socket)));
  return () => {
    isClosing = true;
    for (const socket of silent.values()) socket.destroy();
  };
}

function tune(server: Server): void {
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.maxConnections = CONNECTIONS_MAX;
}

function statusOf(error: unknown): number {
  if (typeof error === 'object' && error !== null && 'statusCode' in error) {
    const { statusCode } = error;
    if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 600) return statusCode;
  }
  return 500;
}

function listenError(error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    return new OperationError('PORT_IN_USE', `port ${port} on ${host} is in use`, {
      details: { host, port },
      cause: error,
    });
  }
  if (code === 'EACCES') {
    return new OperationError(
      'PORT_FORBIDDEN',
      `port ${port} on ${host} may not be opened by this user`,
      {
        details: { host, port },
        cause: error,
      },
    );
  }
  return error;
}

/** The body of a request as bytes; empty when the client sent none. */
export function bodyBytes(body: unknown): Uint8Array {
  return body instanceof Uint8Array ? body : new Uint8Array();
}

/** The body of a request as text. Throws a 400 when it is not UTF-8. */
export function bodyText(body: unknown): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bodyBytes(body));
  } catch (error) {
    throw Object.assign(new Error('the body is not UTF-8 text', { cause: error }), {
      statusCode: 400,
    });
  }
}

/** Answers with JSON. */
export function sendJson(reply: FastifyReply, statusCode: number, value: unknown): FastifyReply {
  return reply.code(statusCode).type('application/json').send(JSON.stringify(value));
}
