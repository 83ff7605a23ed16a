/**
 * Starts the router: follows the leading master's events, decides each request's route, performs it.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorText, type Logger } from '@dcos/base';
import {
  createHttpServer,
  guardedRequest,
  readTls,
  refusalOf,
  watchTls,
  type ClientTls,
} from '@dcos/http';
import { subscribeOperator, systemClock, systemRandom } from '@dcos/sdk';
import { mastersOf } from '@dcos/store';
import { createMetrics, type Metrics } from '@dcos/telemetry';
import { routerConfigSchema, type RouterConfig, type RouterSettings } from './config.ts';
import { ClusterView, ROOT_MARATHON } from './core/cluster-view.ts';
import {
  healthDocument,
  netNodesDocument,
  uiConfigDocument,
  versionDocument,
} from './core/documents.ts';
import { decideRoute, lookedUpService, type DocumentName, type Route } from './core/route.ts';
import { sendBody, sendJsonBody, sendProblem } from './shell/answer.ts';
import { findService, isReachable } from './shell/look-up.ts';
import { Proxy } from './shell/proxy.ts';
import { UiFiles } from './shell/ui-files.ts';
import { serveRedirects } from './shell/redirect-server.ts';
import { forwardUpgrade, refuseUpgrade } from './shell/upgrade.ts';

export interface Router {
  readonly port: number;
  /** Address of everything, without a slash at its end. */
  readonly url: string;
  /** Resolves with the first snapshot of the cluster; routes to agents and services work from then on. */
  readonly ready: Promise<void>;
  /** Takes no further connections and lets those that are there end with their next answer, for as long at most. */
  drain(timeMsMax: number): Promise<void>;
  /** Stops serving and ends what is under way. Idempotent. */
  close(): Promise<void>;
}

/** WebSockets that may be open at a time. */
const UPGRADED_MAX = 10_000;
/** How often a request that waits for the first snapshot looks for it. */
const VIEW_POLL_MS = 50;
/** Bytes of a path and query that are looked at. */
const TARGET_BYTES_MAX = 16 * 1024;
const AUTHORITIES_HEADERS = {
  'content-type': 'application/x-x509-ca-cert',
  'cache-control': 'no-cache',
};

/**
 * Resolves when it serves, whether or not a master answers yet.
 * @throws OperationError `PORT_IN_USE` or `PORT_FORBIDDEN`.
 */
export async function startRouter(
  settings: RouterSettings,
  { logger }: { readonly logger: Logger },
): Promise<Router> {
  const config = routerConfigSchema.parse(settings);
  const tls = readTls(config);
  const view = new ClusterView(config);
  const handler = new Handler({ config, view, logger, tls: tls.client });
  const server = createHttpServer({ logger, guardsLoopback: false, tls: tls.server });
  watchTls({ settings: config, tls, server, logger });
  server.app.addHook('onRequest', (request, reply) => {
    // Bodies are passed on as they come: the framework must not read them.
    reply.hijack();
    void handler.request(request.raw, reply.raw);
  });
  server.app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    handler.upgrade(request, socket, head),
  );
  // Uploads under `/service` may take long; a stalled one ends with its client or its upstream.
  server.app.server.requestTimeout = 0;
  const { port, url } = await server.listen({ host: config.host, port: config.port });
  const redirects = await serveRedirects(config, port, logger).catch(async (error: unknown) => {
    await server.close();
    throw error;
  });
  const ready = Promise.withResolvers<void>();
  if (typeof config.masters === 'string') view.apply({ kind: 'zooKeeper', isReached: false });
  const connection = subscribeOperator({
    masters: mastersOf(config.masters, {
      clock: systemClock,
      random: systemRandom,
      logger,
      hasTls: config.sslCertFile !== undefined || config.sslCaFile !== undefined,
      tls: config.zkTls ? tls.client : undefined,
      onReach: (isReached) => view.apply({ kind: 'zooKeeper', isReached }),
    }),
    tls: tls.client,
    logger,
    listener(event) {
      if (event.kind === 'stopped') return;
      view.apply(event);
      if (event.kind === 'snapshot') ready.resolve();
    },
  });
  connection.done.catch((error: unknown) =>
    logger.error(
      { event: 'router.follow-failed', error: errorText(error) },
      'no longer follows the master',
    ),
  );
  logger.info({ event: 'router.ready', url }, 'serving');
  let closing: Promise<void> | undefined;
  return {
    port,
    url,
    ready: ready.promise,
    async drain(timeMsMax) {
      await Promise.all([server.drain(timeMsMax), redirects?.drain(timeMsMax)]);
    },
    close() {
      closing ??= closeAll([
        () => connection.close(),
        () => handler.close(),
        () => server.close(),
        async () => await redirects?.close(),
      ]);
      return closing;
    },
  };
}

async function closeAll(closers: readonly (() => Promise<void>)[]): Promise<void> {
  for (const close of closers) await close();
}

interface HandlerOptions {
  readonly config: RouterConfig;
  readonly view: ClusterView;
  readonly logger: Logger;
  readonly tls: ClientTls;
}

class Handler {
  readonly #config: RouterConfig;
  readonly #view: ClusterView;
  readonly #tls: ClientTls;
  readonly #logger: Logger;
  readonly #proxy: Proxy;
  readonly #files: UiFiles;
  readonly #metrics: Metrics = createMetrics();
  /** Sockets of WebSockets, which the server no longer counts as its own. */
  readonly #upgraded = new Set<Duplex>();

  constructor({ config, view, logger, tls }: HandlerOptions) {
    this.#config = config;
    this.#view = view;
    this.#tls = tls;
    this.#logger = logger;
    this.#proxy = new Proxy({ ...config, logger, tls });
    this.#files = new UiFiles(config.uiDirectory);
    this.#metrics.gauge('router/following_master', () => (view.following ? 1 : 0));
    this.#metrics.gauge('router/agents', () => view.agents.length);
  }

  async close(): Promise<void> {
    for (const socket of this.#upgraded) socket.destroy();
    await this.#proxy.close();
  }

  async request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#metrics.counter('router/requests').increment();
    response.once('finish', () => {
      const family = Math.floor(response.statusCode / 100);
      this.#metrics.counter(`router/responses_${family}xx`).increment();
    });
    // A client that breaks its connection while it is answered is no failure of ours.
    response.on('error', () => response.destroy());
    try {
      const problem = this.#refusal(request, false);
      if (problem !== undefined) sendProblem(request, response, problem.status, problem.text);
      else await this.#perform(await this.#knownRoute(request), request, response);
    } catch (error) {
      if (response.destroyed) return;
      this.#logger.error({ event: 'request.failed', error: errorText(error) }, 'request failed');
      sendProblem(request, response, 500, 'the router failed on this request; its log says why');
    }
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    if (this.#upgraded.size >= UPGRADED_MAX) {
      refuseUpgrade(socket, 503, 'too many WebSockets are open');
      return;
    }
    this.#upgraded.add(socket);
    socket.once('close', () => this.#upgraded.delete(socket));
    const problem = this.#refusal(request, true);
    if (problem !== undefined) {
      refuseUpgrade(socket, problem.status, problem.text);
      return;
    }
    const route = this.#route(request);
    if (route.kind === 'proxy' && route.isService) {
      forwardUpgrade({ request, socket, head }, route, {
        ...this.#config,
        logger: this.#logger,
        ca: this.#proxy.serviceTrust.ca,
      });
    } else if (route.kind === 'fail') refuseUpgrade(socket, route.status, route.problem);
    else refuseUpgrade(socket, 400, 'WebSockets pass to services only');
  }

  #refusal(
    request: IncomingMessage,
    isUpgrade: boolean,
  ): { status: number; text: string } | undefined {
    const target = request.url ?? '';
    if (!target.startsWith('/')) return { status: 400, text: 'the request names no path' };
    if (target.length > TARGET_BYTES_MAX) return { status: 414, text: 'the path is too long' };
    // What a client claims to have come through counts for nothing here.
    const guarded = { ...guardedRequest(request, isUpgrade), forwardedHost: undefined };
    const refusal = refusalOf(guarded, this.#config);
    return refusal === undefined ? undefined : { status: 403, text: refusal };
  }

  /** A router that has just started hears of the leader in a moment: until then requests wait. */
  async #knownRoute(request: IncomingMessage): Promise<Route> {
    const deadlineMs = performance.now() + this.#config.leaderMsMax;
    for (;;) {
      const route = this.#route(request);
      const isUnknown = route.kind === 'fail' && route.status === 503 && !this.#view.ready;
      if (!isUnknown || request.destroyed || performance.now() >= deadlineMs) return route;
      await sleep(VIEW_POLL_MS);
    }
  }

  #route(request: IncomingMessage): Route {
    const asked = { method: request.method ?? '', target: request.url ?? '/' };
    const { marathonUrl, mesosDnsUrl, sslCertFile } = this.#config;
    return decideRoute(asked, this.#view, {
      marathonUrl: marathonUrl?.replace(/\/$/, ''),
      mesosDnsUrl: mesosDnsUrl?.replace(/\/$/, ''),
      hasAuthorities: sslCertFile !== undefined && this.#tls.ca !== undefined,
    });
  }

  async #perform(route: Route, request: IncomingMessage, response: ServerResponse): Promise<void> {
    switch (route.kind) {
      case 'proxy':
        return this.#proxy.forward(request, response, route, () => {
          const now = this.#route(request);
          return now.kind === 'proxy' ? now : route;
        });
      case 'redirect':
        return sendBody(response, route.status, { location: route.location }, '');
      case 'document':
        return this.#document(route.name, response);
      case 'health':
        return this.#health(route.path, request, response);
      case 'lookUp': {
        const found = await findService(
          this.#config.mesosDnsUrl,
          route.service,
          this.#proxy.cluster,
        );
        if (found !== undefined)
          return this.#proxy.forward(request, response, lookedUpService(route, found));
        return sendProblem(request, response, 404, `the service '${route.path}' has no address`);
      }
      case 'fail':
        return sendProblem(request, response, route.status, route.problem);
      case 'ui':
        return this.#files.serve(request, response, route.path);
    }
  }

  async #document(name: DocumentName, response: ServerResponse): Promise<void> {
    const { clusterId, publicIp } = this.#config;
    switch (name) {
      case 'version':
        return sendJsonBody(response, versionDocument(this.#config));
      case 'authorities':
        return sendBody(response, 200, AUTHORITIES_HEADERS, this.#tls.ca ?? '');
      case 'uiConfig':
        return sendJsonBody(response, uiConfigDocument(clusterId));
      case 'metadata':
        return sendJsonBody(response, { PUBLIC_IPV4: publicIp, CLUSTER_ID: clusterId ?? '' });
      case 'empty':
        return sendJsonBody(response, {});
      case 'links':
        return sendJsonBody(response, { links: [] });
      case 'netNodes': {
        const now = new Date(systemClock.now()).toISOString();
        const master = { ip: this.#masterIp(), publicIp };
        return sendJsonBody(response, netNodesDocument(this.#view, master, now));
      }
      case 'status':
        return sendJsonBody(response, this.#metrics.snapshot());
      case 'metrics': {
        const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };
        return sendBody(response, 200, headers, await this.#metrics.prometheus());
      }
    }
  }

  async #health(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return sendProblem(
        request,
        response,
        501,
        'diagnostics bundles are not part of this cluster yet',
      );
    }
    const bare = path.split('?')[0] ?? '';
    const document = healthDocument(bare, this.#view, {
      masterIp: this.#masterIp(),
      marathonUp: this.#view.framework(ROOT_MARATHON)?.connected === true,
      mesosDnsUp: await isReachable(this.#config.mesosDnsUrl, this.#proxy.cluster),
      version: this.#config.version,
    });
    if (document !== undefined) return sendJsonBody(response, document);
    return sendProblem(request, response, 404, `nothing is known at /system/health/v1${bare}`);
  }

  #masterIp(): string {
    const url = this.#view.masterUrl;
    return url === undefined ? this.#config.publicIp : new URL(url).hostname;
  }
}
