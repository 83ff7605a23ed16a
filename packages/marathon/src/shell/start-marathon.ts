/**
 * Puts the scheduler together: store, core, connection to the master, HTTP API.
 *
 * Order at the start: HTTP as a standby, leadership, stored state, subscription. Order at the end: HTTP,
 * connection, engine, leadership. Tasks go on running. Who has lost the leadership does not come back to it: its
 * process ends, and the next one starts from what is stored.
 */

import {
  errorText,
  OperationError,
  steadyClock,
  type Clock,
  type Logger,
  type Random,
} from '@dcos/base';
import { createHttpServer, readTls, watchTls } from '@dcos/http';
import {
  connectScheduler,
  systemClock,
  systemRandom,
  type SchedulerConnection,
  type SchedulerOptions,
} from '@dcos/sdk';
import { guardProcess, type Lease, type Store } from '@dcos/store';
import { createMetrics, type Metrics } from '@dcos/telemetry';
import { restoreMarathon } from '../core/index.ts';
import { addAppRoutes } from './app-routes.ts';
import { addClusterRoutes } from './cluster-routes.ts';
import { schedulingSettings, type MarathonConfig } from './config.ts';
import { Engine, type SchedulerPort } from './engine.ts';
import { EventBus } from './event-bus.ts';
import { addEventRoutes } from './event-routes.ts';
import { addGroupRoutes } from './group-routes.ts';
import { LeadingEngine } from './leading-engine.ts';
import { MesosLink } from './mesos-link.ts';
import { registerMetrics } from './metrics.ts';
import { Prober } from './prober.ts';
import { commitRecords, loadRecords } from './record-store.ts';
import { Answer, send } from './request.ts';
import { addStandby } from './standby.ts';

/** The version that clients see: that of the original whose API this is. */
export const API_VERSION = '1.11.24';
/** The election of the leading scheduler in the store. */
export const ELECTION = 'marathon';
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
  const server = await serve({ config, engine, bus, metrics, surroundings });
  const { url, port } = server;
  const keepAlive = setInterval(() => bus.keepAlive(), KEEP_ALIVE_MS);
  keepAlive.unref();
  let closing: Promise<void> | undefined;
  let isElected = false;
  const own = ownAddress(config, port);
  const leadership = standFor(own, surroundings).then(async (lease) => {
    if (closing !== undefined) {
      await lease.release();
      return undefined;
    }
    isElected = true;
    logger.info({ event: 'marathon.elected', epoch: lease.epoch }, `${own} leads`);
    void lease.lost.then(() => {
      if (closing === undefined) surroundings.failed(leadershipLost());
    });
    return await lead({ config, engine, bus, metrics, url, lease, surroundings });
  });
  const leading = leadership.then(async (led) => await led?.subscribed);
  leading.catch((error: unknown) => {
    if (closing === undefined) surroundings.failed(error);
  });
  const close = async (): Promise<void> => {
    clearInterval(keepAlive);
    bus.close();
    await server.close();
    // A candidacy ends with the store.
    if (isElected) await (await leadership)?.close();
  };
  return {
    url,
    port,
    leading,
    frameworkId: () => engine.frameworkId,
    close: async () => await (closing ??= close()),
  };
}

/** Resolves when this scheduler leads: the one before it in the line has gone, or its process has ended. */
async function standFor(own: string, { store, clock, logger }: Surroundings): Promise<Lease> {
  return await store.elect(ELECTION, own, {
    guard(candidate, gone) {
      const { hostname, port } = new URL(`http://${candidate}`);
      const address = { host: hostname.replaceAll(/^\[|\]$/g, ''), port: Number(port) };
      return guardProcess(address, clock, () => {
        logger.info({ event: 'marathon.ended', candidate }, 'a scheduler has ended');
        gone();
      });
    },
  });
}

/** What the parts of a scheduler share. */
interface Surroundings {
  readonly store: Store;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  readonly connect: (options: SchedulerOptions) => SchedulerConnection;
  readonly tls: ReturnType<typeof readTls>;
  readonly abdicate?: () => void;
  readonly failed: (error: unknown) => void;
}

function ownAddress(config: MarathonConfig, port: number): string {
  const host = config.hostname;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

interface LeadInput {
  readonly config: MarathonConfig;
  readonly engine: LeadingEngine;
  readonly bus: EventBus;
  readonly metrics: Metrics;
  readonly url: string;
  readonly lease: Lease;
  readonly surroundings: Surroundings;
}

interface Leadership {
  readonly subscribed: Promise<void>;
  close(): Promise<void>;
}

/** Takes the state over and subscribes. */
async function lead(input: LeadInput): Promise<Leadership> {
  const { config, bus, lease, metrics } = input;
  const { store, clock, random, logger, failed, connect, tls } = input.surroundings;
  const state = restoreMarathon({
    settings: schedulingSettings(config),
    random,
    now: clock.now(),
    records: await loadRecords(store),
  });
  const prober = new Prober({ concurrencyMax: config.concurrentHealthChecksMax });
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
  const mesos = new MesosLink({
    config,
    engine,
    state,
    url: input.url,
    logger,
    connect,
    failed,
    tls: tls.client,
  });
  link.scheduler = mesos.port;
  input.engine.lead(engine);
  return {
    subscribed: mesos.subscribed,
    async close() {
      await mesos.close();
      await engine.stop();
      await prober.close();
      await lease.release();
    },
  };
}

/** Why a scheduler ends that leads no longer. */
export function leadershipLost(): OperationError {
  return new OperationError('MARATHON_LEADERSHIP_LOST', 'the leadership was lost');
}

async function notConnected(): Promise<void> {
  throw new Error('not connected to a master yet');
}

interface ServeInput {
  readonly config: MarathonConfig;
  readonly engine: LeadingEngine;
  readonly bus: EventBus;
  readonly metrics: Metrics;
  readonly surroundings: Surroundings;
}

interface Serving {
  readonly url: string;
  readonly port: number;
  readonly close: () => Promise<void>;
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
  return { ...listening, close: async () => await server.close() };
}
