/**
 * Puts the scheduler together: store, core, connection to the master, HTTP API.
 *
 * Order at the start: leadership, stored state, HTTP, subscription. Order at the end: HTTP, connection,
 * engine, leadership. Tasks go on running.
 */

import { errorText, OperationError, type Clock, type Logger, type Random } from '@dcos/base';
import { createHttpServer, readTls, watchTls, type ClientTls } from '@dcos/http';
import {
  connectScheduler,
  systemClock,
  systemRandom,
  type SchedulerConnection,
  type SchedulerEvent,
  type SchedulerOptions,
} from '@dcos/sdk';
import type { Store } from '@dcos/store';
import { createMetrics, type Metrics } from '@dcos/telemetry';
import { restoreMarathon, type MarathonState } from '../core/index.ts';
import { addAppRoutes } from './app-routes.ts';
import { addClusterRoutes } from './cluster-routes.ts';
import { schedulingSettings, type MarathonConfig } from './config.ts';
import { Engine, type SchedulerPort } from './engine.ts';
import { EventBus } from './event-bus.ts';
import { addEventRoutes } from './event-routes.ts';
import { addGroupRoutes } from './group-routes.ts';
import { frameworkInfo, schedulerPort, toMarathonEvent } from './mesos-scheduler.ts';
import { registerMetrics } from './metrics.ts';
import { Prober } from './prober.ts';
import { commitRecords, loadRecords } from './record-store.ts';
import { Answer, send } from './request.ts';

/** The version that clients see: that of the original whose API this is. */
export const API_VERSION = '1.11.24';
const ELECTION = 'marathon';
const KEEP_ALIVE_MS = 15_000;

export interface MarathonDependencies {
  readonly logger: Logger;
  readonly store: Store;
  readonly clock?: Clock;
  readonly random?: Random;
  /** How a connection to the masters is made; the SDK's unless a test brings its own. */
  readonly connect?: (options: SchedulerOptions) => SchedulerConnection;
  /** Called when the scheduler cannot go on: its store refused a commit, or another one took over. */
  readonly onFailure?: (error: unknown) => void;
}

export interface RunningMarathon {
  readonly url: string;
  readonly port: number;
  /** The framework's id once the master has given one. */
  frameworkId(): string | undefined;
  /** Ends the scheduler, not its tasks. Idempotent. */
  close(): Promise<void>;
}

/** Starts the scheduler; resolves when it serves and is subscribed at a master. */
export async function startMarathon(
  config: MarathonConfig,
  dependencies: MarathonDependencies,
): Promise<RunningMarathon> {
  const { store, logger } = dependencies;
  const tls = readTls(config);
  const clock = dependencies.clock ?? systemClock;
  const random = dependencies.random ?? systemRandom;
  const lease = await store.elect(ELECTION, config.hostname);
  const state = restoreMarathon({
    settings: schedulingSettings(config),
    random,
    now: clock.now(),
    records: await loadRecords(store),
  });
  const bus = new EventBus({ clientsMax: config.eventStreamClientsMax, now: () => clock.now() });
  const prober = new Prober({ concurrencyMax: config.concurrentHealthChecksMax });
  const metrics = createMetrics();
  const failed = (error: unknown): void => {
    logger.error(
      { event: 'marathon.failed', error: errorText(error) },
      'the scheduler cannot go on',
    );
    dependencies.onFailure?.(error);
  };
  const link: { scheduler: SchedulerPort } = { scheduler: { perform: notConnected } };
  const engine = new Engine(state, {
    clock,
    logger,
    commit: async (records) => await commitRecords(store, lease, records),
    scheduler: { perform: async (effect) => await link.scheduler.perform(effect) },
    probe: async (probe) => await prober.probe(probe),
    publish: (event) => bus.publish(event),
    failed,
  });
  registerMetrics(metrics, state, clock.now());
  const server = await serve({ config, engine, bus, metrics, clock, logger, tls });
  const connect = dependencies.connect ?? connectScheduler;
  const { url } = server;
  const mesos = new MesosLink({
    config,
    engine,
    state,
    url,
    logger,
    connect,
    failed,
    tls: tls.client,
  });
  link.scheduler = mesos.port;
  const keepAlive = setInterval(() => bus.keepAlive(), KEEP_ALIVE_MS);
  keepAlive.unref();
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    clearInterval(keepAlive);
    bus.close();
    await server.close();
    await mesos.close();
    await engine.stop();
    await prober.close();
    await lease.release();
  };
  void lease.lost.then(() => {
    if (closing === undefined) failed(new Error('the leadership was lost'));
  });
  try {
    await mesos.subscribed;
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url: server.url,
    port: server.port,
    frameworkId: () => state.frameworkId,
    close: async () => await (closing ??= close()),
  };
}

async function notConnected(): Promise<void> {
  throw new Error('not connected to a master yet');
}

interface ServeInput {
  readonly config: MarathonConfig;
  readonly engine: Engine;
  readonly bus: EventBus;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tls: ReturnType<typeof readTls>;
}

interface Serving {
  readonly url: string;
  readonly port: number;
  readonly close: () => Promise<void>;
}

async function serve({
  config,
  engine,
  bus,
  metrics,
  clock,
  logger,
  tls,
}: ServeInput): Promise<Serving> {
  let listening = { port: config.httpPort, url: '' };
  const leader = (): string => `${config.hostname}:${listening.port}`;
  const server = createHttpServer({
    logger,
    tls: tls.server,
    bodyBytesMax: config.bodyBytesMax,
    respondError: (reply, { statusCode, message, error }) =>
      void send(reply, error instanceof Answer ? error.reply : { statusCode, body: { message } }),
  });
  watchTls({ settings: config, tls, server, logger });
  const { app } = server;
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers({
      'x-marathon-leader': `${tls.server === undefined ? 'http' : 'https'}://${leader()}`,
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
  addClusterRoutes(app, { ...context, config, metrics, leader, version: API_VERSION });
  addEventRoutes(app, { bus, outstandingMessagesMax: config.eventStreamOutstandingMessagesMax });
  listening = await server.listen({ host: config.httpAddress, port: config.httpPort });
  return { ...listening, close: async () => await server.close() };
}

interface LinkInput {
  readonly config: MarathonConfig;
  readonly engine: Engine;
  readonly state: MarathonState;
  readonly url: string;
  readonly logger: Logger;
  readonly connect: (options: SchedulerOptions) => SchedulerConnection;
  readonly failed: (error: unknown) => void;
  readonly tls: ClientTls;
}

/** Keeps the framework subscribed; makes a new framework when the master has removed this one. */
class MesosLink {
  readonly subscribed: Promise<void>;
  readonly port: SchedulerPort;
  readonly #input: LinkInput;
  #connection: SchedulerConnection;
  #closing = false;
  readonly #subscribed = Promise.withResolvers<void>();

  constructor(input: LinkInput) {
    this.#input = input;
    this.subscribed = this.#subscribed.promise;
    this.#connection = this.#connect(input.state.frameworkId);
    this.port = schedulerPort(
      () => this.#connection,
      (roles) => this.#info(roles, input.state.frameworkId),
    );
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#connection.close();
  }

  #info(roles: readonly string[], id: string | undefined): ReturnType<typeof frameworkInfo> {
    const { config, url } = this.#input;
    return frameworkInfo(config, {
      roles,
      webuiUrl: config.webuiUrl ?? url,
      ...(id === undefined ? {} : { id }),
    });
  }

  #connect(frameworkId: string | undefined): SchedulerConnection {
    const { config, state, logger, connect, tls } = this.#input;
    return connect({
      masters: config.masters,
      tls,
      framework: this.#info(state.subscribedRoles, frameworkId),
      logger,
      // Only when the consequences of an update are stored.
      acknowledge: 'manual',
      listener: (event) => this.#hear(event),
    });
  }

  #hear(event: SchedulerEvent): Promise<void> | undefined {
    if (this.#closing) return undefined;
    const marathonEvent = toMarathonEvent(event);
    if (marathonEvent !== undefined) this.#input.engine.post(marathonEvent);
    if (event.kind === 'subscribed') this.#subscribed.resolve();
    if (event.kind !== 'stopped') return this.#input.engine.pressure();
    if (event.reason === 'removed') {
      // The core forgets the id in the event above; the new framework gets a new one.
      queueMicrotask(() => void (this.#connection = this.#connect(undefined)));
      return undefined;
    }
    const error = new OperationError('MARATHON_NOT_SUBSCRIBED', event.problem);
    this.#subscribed.reject(error);
    this.#input.failed(error);
    return undefined;
  }
}
