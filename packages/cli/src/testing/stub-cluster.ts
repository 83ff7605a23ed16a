/**
 * A cluster for tests: an HTTP server on a free port of the loopback that answers from a table and
 * remembers what it was asked.
 */

import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JsonValue } from '@dcos/base';

export interface StubReply {
  readonly status?: number;
  readonly json?: JsonValue;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface StubRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Answers one route; a function may also write the response itself and give undefined. */
export type StubRoute =
  | StubReply
  | ((request: StubRequest, response: ServerResponse) => StubReply | undefined);

/** Keys are `METHOD /path`, without a query, or `METHOD /path?query` for an exact one. */
export type StubRoutes = Readonly<Record<string, StubRoute>>;

export interface StubCluster {
  readonly url: string;
  readonly requests: readonly StubRequest[];
  /** `METHOD /path?query` of each request so far. */
  lines(): readonly string[];
  close(): Promise<void>;
}

/** Starts the server; what no route answers gets 404 with a text. */
export async function startStubCluster(
  routes: StubRoutes,
  tls?: { readonly key: string; readonly cert: string },
): Promise<StubCluster> {
  const requests: StubRequest[] = [];
  const onRequest = (incoming: IncomingMessage, response: ServerResponse): void => {
    const pieces: Buffer[] = [];
    incoming.on('data', (piece: Buffer) => pieces.push(piece));
    incoming.on('end', () => {
      const request = {
        method: incoming.method ?? '',
        url: incoming.url ?? '',
        headers: incoming.headers,
        body: Buffer.concat(pieces).toString('utf8'),
      };
      requests.push(request);
      answer(routes, request, response);
    });
  };
  const server = tls === undefined ? createServer(onRequest) : createTlsServer(tls, onRequest);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${address.port}`,
    requests,
    lines: () => requests.map((request) => `${request.method} ${request.url}`),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(routes: StubRoutes, request: StubRequest, response: ServerResponse): void {
  const [path = ''] = request.url.split('?');
  const route =
    routes[`${request.method} ${request.url}`] ?? routes[`${request.method} ${path}`] ?? notFound;
  const reply = typeof route === 'function' ? route(request, response) : route;
  if (reply === undefined) return;
  const body = reply.json === undefined ? (reply.text ?? '') : JSON.stringify(reply.json);
  const type = reply.json === undefined ? 'text/plain' : 'application/json';
  response.writeHead(reply.status ?? 200, { 'content-type': type, ...reply.headers });
  response.end(request.method === 'HEAD' ? undefined : body);
}

const notFound: StubReply = { status: 404, text: 'no such route in the stub' };
