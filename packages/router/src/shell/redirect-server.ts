/**
 * A port of plain HTTP whose only answer is the same address by TLS: 307, so that a request stays what it is.
 *
 * Invariant: it names no host that the router itself would not serve, so nobody is sent to a stranger.
 */

import type { Logger } from '@dcos/base';
import { createHttpServer, guardedRequest, refusalOf, type HttpServer } from '@dcos/http';
import type { RouterConfig } from '../config.ts';

const TLS_PORT = 443;

interface RedirectOptions {
  /** Where TLS is spoken. */
  readonly tlsPort: number;
  readonly allowedHosts: readonly string[];
  readonly logger: Logger;
}

/**
 * Serves already; undefined where nobody is sent to TLS.
 * @throws OperationError `PORT_IN_USE` or `PORT_FORBIDDEN`.
 */
export async function serveRedirects(
  { host, redirectPort, sslCertFile, allowedHosts }: RouterConfig,
  tlsPort: number,
  logger: Logger,
): Promise<HttpServer | undefined> {
  if (redirectPort === undefined || sslCertFile === undefined) return undefined;
  const server = createRedirectServer({ tlsPort, allowedHosts, logger });
  await server.listen({ host, port: redirectPort });
  return server;
}

/** Not yet listening. */
export function createRedirectServer(options: RedirectOptions): HttpServer {
  const { tlsPort, allowedHosts, logger } = options;
  const server = createHttpServer({ logger, guardsLoopback: false });
  server.app.addHook('onRequest', async (request, reply) => {
    // A redirect changes nothing, whatever is asked for.
    const asked = { ...guardedRequest(request.raw, false), method: 'GET' };
    const refusal = refusalOf(asked, { allowedHosts, allowedOrigins: [] });
    if (refusal !== undefined) return await reply.code(403).type('text/plain').send(`${refusal}\n`);
    const host = (request.headers.host ?? '').replace(/:\d+$/, '');
    const port = tlsPort === TLS_PORT ? '' : `:${tlsPort}`;
    const path = (request.raw.url ?? '').startsWith('/') ? request.raw.url : '/';
    return await reply.redirect(`https://${host}${port}${path}`, 307);
  });
  return server;
}
