/**
 * Puts the scheduler together: store, core, connection to the master, HTTP API.
 *
 * Order at the start: HTTP as a standby, leadership, stored state, subscription. Order at the end: HTTP,
 * connection, engine, leadership; one that steps down is a standby again in between. Tasks go on running. Who has lost
 * the leadership does not come back to it: its process ends, and the next one starts from what is stored.
 */

import { errorText, steadyClock, type Clock, type Logger, type Random } from '@dcos/base';
import { createHttpServer, readTls, stepDown, watchTls, type HttpServer } from '@dcos/http';
import {
  connectScheduler,
  systemClock,
  systemRandom,
  type SchedulerConnection,
  type SchedulerOptions,
} from '@dcos/sdk';
import type { Store } from '@dcos/store';
import { createMetrics, type Metrics } from '@dcos/telemetry';
import { addAppRoutes } from './app-routes.ts';
import { Candidacy, ELECTION, type Surroundings } from './candidacy.ts';
import { addClusterRoutes } from './cluster-routes.ts';
import type { MarathonConfig } from './config.ts';
import { EventBus } from './event-bus.ts';
import { addEventRoutes } from './event-routes.ts';
import { addGroupRoutes } from './group-routes.ts';
import { LeadingEngine } from './leading-engine.ts';
import { Answer, send } from './request.ts';
import { addStandby } from './standby.ts';

/** The version that clients see: that of the original whose API this is. */
export const API_VERSION = '1.11.24';
const KEEP_ALIVE_MS = 15_000;

export interface MarathonDependencies {
  readonly logger: Logger;
  readonly store: Store;
  readonly clock?: Clock;
  readonly random?: Random;
  /** What was read of the certificates, where the store's connections need them too. */
  readonly tls?: ReturnType<typeof readTls>;
  /** How a connection to the masters is made; the SDK's unless a test brings its own. */
  readonly connect?: (options: SchedulerOptions) => SchedulerConnection;
  /** Called when the scheduler cannot go on: its store refused a commit, or it leads no longer. */
  readonly onFailure?: (error: unknown) => void;
  /** Gives the leadership up, for another scheduler to take; absent where there can be none. */
  readonly abdicate?: () => void;
}

export interface RunningMarathon {
  readonly url: string;
  readonly port: number;
  /** Resolves when this scheduler leads and is subscribed at a master; until then it passes requests on. */
  readonly leading: Promise<void>;
  /** The framework's id once the master has given one. */
  frameworkId(): string | undefined;
  /**
   * Ends the leadership so that no request fails: what was taken is carried out, the next scheduler leads, and who still
   * asks here is passed on to it. `close` comes after it, and may come in the middle. Idempotent.
   */
  stepDown(): Promise<void>;
  /** Ends the scheduler, not its tasks. Idempotent. */
  close(): Promise<void>;
}

/** Starts the scheduler; resolves when it serves, be it as a standby. */
export async function startMarathon(
  config: MarathonConfig,
  dependencies: MarathonDependencies,
): Promise<RunningMarathon> {
  const { logger } = dependencies;
  const surroundings: Surroundings = {
    ...dependencies,
    // Waits and time-outs are decided by the time of day: it must not jump.
    clock: steadyClock(dependencies.clock ?? systemClock),
    random: dependencies.random ?? systemRandom,
    connect: dependencies.connect ?? connectScheduler,
    tls: dependencies.tls ?? readTls(config),
    failed(error) {
      logger.error(
        { event: 'marathon.failed', error: errorText(error) },
        'the scheduler cannot go on',
      );
      dependencies.onFailure?.(error);
    },
  };
  const engine = new LeadingEngine();
  const bus = new EventBus({
    clientsMax: config.eventStreamClientsMax,
    now: () => surroundings.clock.now(),
  });
  const metrics = createMetrics();
  const { server, url, port } = await serve({ config, engine, bus, metrics, surroundings });
  const keepAlive = setInterval(() => bus.keepAlive(), KEEP_ALIVE_MS);
  keepAlive.unref();
  const leaving = new AbortController();
  const ending = new AbortController();
  const candidacy = new Candidacy({
    config,
    engine,
    bus,
    metrics,
    url,
    surroundings,
    own: ownAddress(config, port),
    leaving: leaving.signal,
  });
  candidacy.leading.catch((error: unknown) => {
    if (!leaving.signal.aborted) surroundings.failed(error);
  });
  const close = async (): Promise<void> => {
    leaving.abort();
    ending.abort();
    clearInterval(keepAlive);
    bus.close();
    await server.close();
    await candidacy.close();
  };
  const leave = async (): Promise<void> => {
    if (ending.signal.aborted) return;
    leaving.abort();
    logger.info({ event: 'marathon.steps-down' }, 'this scheduler takes nothing any more');
    await stepDown({
      server,
      finish: async () => await candidacy.finish(),
      async release() {
        await candidacy.release();
        bus.close();
      },
      succeeded: async () => await candidacy.succeeded(),
      ending: ending.signal,
    });
  };
  let steppingDown: Promise<void> | undefined;
  let closing: Promise<void> | undefined;
  return {
    url,
    port,
    leading: candidacy.leading,
    frameworkId: () => engine.frameworkId,
    stepDown: async () => await (steppingDown ??= leave()),
    close: async () => await (closing ??= close()),
  };
}

function ownAddress(config: MarathonConfig, port: number): string {
  const host = config.hostname;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

interface ServeInput {
  readonly config: MarathonConfig;
  readonly engine: LeadingEngine;
  readonly bus: EventBus;
  readonly metrics: Metrics;
  readonly surroundings: Surroundings;
}

interface Serving {
  readonly server: HttpServer;
  readonly url: string;
  readonly port: number;
}

async function serve({ config, engine, bus, metrics, surroundings }: ServeInput): Promise<Serving> {
  const { store, clock, logger, tls, abdicate } = surroundings;
  let listening = { port: config.httpPort, url: '' };
  const own = (): string => ownAddress(config, listening.port);
  const scheme = tls.server === undefined ? 'http' : 'https';
  const server = createHttpServer({
    logger,
    tls: tls.server,
    bodyBytesMax: config.bodyBytesMax,
    respondError: (reply, { statusCode, message, error }) =>
      void send(reply, error instanceof Answer ? error.reply : { statusCode, body: { message } }),
  });
  watchTls({ settings: config, tls, server, logger });
  const { app } = server;
  addStandby(app, {
    leads: () => engine.leads,
    leader: async () => (await store.leader(ELECTION))?.candidate,
    own,
    scheme,
    tls: tls.client,
    logger,
  });
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers({
      'x-marathon-leader': `${scheme}://${own()}`,
      'cache-control': 'no-cache, no-store, must-revalidate',
      pragma: 'no-cache',
      expires: '0',
      'x-frame-options': 'DENY',
      'x-xss-protection': '1; mode=block',
    });
    done();
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? '';
    return send(reply, { statusCode: 404, body: { message: `URI not found: ${path}` } });
  });
  const context = { engine, now: () => clock.now() };
  addAppRoutes(app, context);
  addGroupRoutes(app, context);
  addClusterRoutes(app, {
    ...context,
    config,
    metrics,
    leader: own,
    version: API_VERSION,
    ...(abdicate !== undefined && { abdicate }),
  });
  addEventRoutes(app, { bus, outstandingMessagesMax: config.eventStreamOutstandingMessagesMax });
  listening = await server.listen({ host: config.httpAddress, port: config.httpPort });
  return { server, ...listening };
}
