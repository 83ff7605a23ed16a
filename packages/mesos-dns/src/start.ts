/**
 * Starts Mesos-DNS: follows the leading master's events, keeps the zone, answers over DNS and HTTP.
 *
 * Invariants: nothing is served before the first snapshot; what is known stays in service while no
 * master answers; an event is in the zone before the next one is read.
 */

import { createHash } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { OperationError, seededRandom, type Clock, type Logger } from '@dcos/base';
import { createHttpServer, readTls, watchTls, type ClientTls } from '@dcos/http';
import { subscribeOperator, systemClock, systemRandom, type OperatorEvent } from '@dcos/sdk';
import { mastersOf, type MasterAddress } from '@dcos/store';
import { createMetrics, type Metrics } from '@dcos/telemetry';
import {
  mesosDnsConfigSchema,
  soaName,
  type MesosDnsConfig,
  type MesosDnsSettings,
} from './config.ts';
import { answerQuery, isInZone, refusal, type AnswerOptions } from './core/answer.ts';
import { Cluster } from './core/cluster.ts';
import type { ZoneEvent } from './core/cluster-events.ts';
import {
  encodeAnswer,
  OPCODE_QUERY,
  parseQuery,
  RCODE,
  type Query,
  type Rcode,
} from './core/message.ts';
import {
  startDnsServer,
  TCP_BYTES_MAX,
  UDP_BYTES_MAX,
  type Respond,
  type Transport,
} from './shell/dns-server.ts';
import { createForwarder, parseResolver, type Forwarder } from './shell/forwarder.ts';
import { addressesOf, HostResolver } from './shell/host-resolver.ts';
import { addRoutes } from './shell/http-api.ts';

export interface MesosDns {
  readonly dnsPort: number;
  readonly port: number;
  /** Of the HTTP interface, without a slash at its end. */
  readonly url: string;
  /** Stops serving. Idempotent. */
  close(): Promise<void>;
}

export interface MesosDnsDependencies {
  readonly logger: Logger;
  readonly clock?: Clock;
}

/** Resolves when the first snapshot is loaded and both interfaces serve. */
export async function startMesosDns(
  settings: MesosDnsSettings,
  { logger, clock = systemClock }: MesosDnsDependencies,
): Promise<MesosDns> {
  const config = mesosDnsConfigSchema.parse(settings);
  const metrics = createMetrics();
  const forwarder = forwarderOf(config);
  const tls = readTls(config);
  const follower = new Follower({ config, logger, clock, tls: tls.client });
  metrics.gauge('mesos_dns/names', () => follower.cluster.zone.size);
  const http = createHttpServer({ logger, tls: tls.server });
  watchTls({ settings: config, tls, server: http, logger });
  let bound = config;
  addRoutes(http.app, {
    cluster: follower.cluster,
    serial: () => follower.serial,
    config: () => bound,
    metrics,
  });
  try {
    await follower.firstSnapshot;
    const dns = await startDnsServer({
      host: config.listener,
      port: config.port,
      respond: responder(config, follower, metrics, forwarder),
      logger,
    });
    follower.onClose(() => dns.close());
    const { port, url } = await http.listen({ host: config.httpListener, port: config.httpPort });
    follower.onClose(() => http.close());
    bound = { ...config, port: dns.port, httpPort: port };
    logger.info({ event: 'dns.ready', dnsPort: dns.port, url }, 'serving names');
    return { dnsPort: dns.port, port, url, close: () => follower.close() };
  } catch (error) {
    await follower.close();
    throw error;
  }
}

interface FollowerOptions {
  readonly config: MesosDnsConfig;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly tls: ClientTls;
}

/** Keeps the zone equal to the cluster. */
class Follower {
  readonly cluster: Cluster;
  readonly firstSnapshot: Promise<void>;
  readonly #config: MesosDnsConfig;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #resolver: HostResolver;
  readonly #closers: (() => Promise<void>)[] = [];
  /** Those that stand for election, where ZooKeeper tells. */
  #standing: readonly string[] = [];
  #leaderUrl: string | undefined;
  #serial = 1;
  #closing: Promise<void> | undefined;

  constructor({ config, logger, clock, tls }: FollowerOptions) {
    this.#config = config;
    this.#logger = logger;
    this.#clock = clock;
    this.cluster = new Cluster(
      {
        domain: config.domain,
        ipSources: config.ipSources,
        enforceRfc952: config.enforceRfc952,
        sha1: (text) => createHash('sha1').update(text).digest(),
      },
      { name: soaName(config.soaMname), ips: listeningIps(config.listener) },
    );
    this.#resolver = new HostResolver({
      clock,
      logger,
      resolved: (host, ips) => this.#apply({ kind: 'hostResolved', host, ips }),
    });
    const first = Promise.withResolvers<void>();
    this.firstSnapshot = first.promise;
    const connection = subscribeOperator({
      masters: mastersOf(config.masters, {
        clock,
        random: systemRandom,
        logger,
        hasTls: config.sslCertFile !== undefined || config.sslCaFile !== undefined,
        tls: config.zkTls ? tls : undefined,
        onMasters: (masters) => this.#onMasters(masters),
      }),
      tls,
      logger,
      clock,
      listener: (event) => this.#onEvent(event, first),
    });
    connection.done.catch((error: unknown) => first.reject(error));
    this.onClose(() => connection.close());
  }

  /** Unix time of the last change of the zone. */
  get serial(): number {
    return this.#serial;
  }

  onClose(close: () => Promise<void>): void {
    this.#closers.unshift(close);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#resolver.close();
    for (const close of this.#closers) await close();
  }

  #onEvent(event: OperatorEvent, first: PromiseWithResolvers<void>): void | Promise<void> {
    if (event.kind === 'disconnected') return undefined;
    if (event.kind === 'stopped') {
      first.reject(new OperationError('DNS_NOT_FOLLOWING', event.problem));
      return undefined;
    }
    this.#apply(event);
    return event.kind === 'snapshot' ? this.#onSnapshot(event.masterUrl, first) : undefined;
  }

  async #onSnapshot(masterUrl: string, first: PromiseWithResolvers<void>): Promise<void> {
    this.#leaderUrl = masterUrl;
    await this.#nameMasters(masterUrl);
    first.resolve();
  }

  #onMasters(masters: readonly MasterAddress[]): void {
    this.#standing = masters.map(({ ip, port }) => `${ip.includes(':') ? `[${ip}]` : ip}:${port}`);
    if (this.#leaderUrl === undefined) return;
    // Addresses are looked up nowhere, so this cannot fail; what an older list has found is not named any more.
    void this.#nameMasters(this.#leaderUrl);
  }

  async #nameMasters(leaderUrl: string): Promise<void> {
    const list = this.#masterList();
    const addresses = await Promise.all(
      [leaderUrl, ...list].map((master) => this.#addressOf(master)),
    );
    if (leaderUrl !== this.#leaderUrl || list !== this.#masterList()) return;
    const [leader, ...masters] = addresses;
    const known = masters.filter((master) => master !== undefined);
    this.#apply({ kind: 'masters', leader, masters: known });
  }

  /** Those that are known beside the leader. */
  #masterList(): readonly string[] {
    const { masters } = this.#config;
    return typeof masters === 'string' ? this.#standing : masters;
  }

  async #addressOf(master: string): Promise<{ ip: string; port: number } | undefined> {
    const url = new URL(master.includes('://') ? master : `http://${master}`);
    const [ip] = await addressesOf(url.hostname.replaceAll(/^\[|\]$/g, ''), this.#logger);
    return ip === undefined ? undefined : { ip, port: Number(url.port === '' ? '80' : url.port) };
  }

  #apply(event: ZoneEvent): void {
    const { changed, resolve } = this.cluster.apply(event);
    if (changed) this.#serial = Math.max(this.#serial, Math.floor(this.#clock.now() / 1000));
    for (const host of resolve) this.#resolver.watch(host);
  }
}

/** The addresses that a listener at this host can be reached at. */
function listeningIps(host: string): readonly string[] {
  if (host !== '0.0.0.0' && host !== '::') return [host];
  return Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).flatMap(({ address, internal, family }) =>
      internal || (host === '0.0.0.0' && family !== 'IPv4') ? [] : [address],
    ),
  );
}

function forwarderOf(config: MesosDnsConfig): Forwarder | undefined {
  const resolvers = config.resolvers.map((text) => {
    const resolver = parseResolver(text);
    if (resolver === undefined) {
      throw new OperationError('CONFIG_INVALID', `resolvers: '${text}' is neither ip nor ip:port`);
    }
    return resolver;
  });
  return resolvers.length === 0 ? undefined : createForwarder(resolvers, config.resolverTimeoutMs);
}

function responder(
  config: MesosDnsConfig,
  follower: Follower,
  metrics: Metrics,
  forwarder: Forwarder | undefined,
): Respond {
  const random = seededRandom(systemRandom.nextU32());
  const options: AnswerOptions = {
    domain: config.domain,
    ttlSeconds: config.ttlSeconds,
    srvWeight: config.srvWeight,
    recursionAvailable: config.recurseOn,
    soa: {
      mname: soaName(config.soaMname),
      rname: soaName(config.soaRname),
      refreshSeconds: config.soaRefreshSeconds,
      retrySeconds: config.soaRetrySeconds,
      expireSeconds: config.soaExpireSeconds,
    },
  };
  const queries = {
    udp: metrics.counter('mesos_dns/queries_udp'),
    tcp: metrics.counter('mesos_dns/queries_tcp'),
  };
  const negative = metrics.counter('mesos_dns/answers_nxdomain');
  const foreign = metrics.counter('mesos_dns/queries_foreign');
  const limits = (transport: Transport) => ({
    bytesMax: transport === 'udp' ? UDP_BYTES_MAX : TCP_BYTES_MAX,
    setTruncated: config.setTruncateBit,
  });
  return (message, transport) => {
    queries[transport].increment();
    const parsed = parseQuery(message);
    if (parsed.kind === 'ignore') return undefined;
    if (parsed.kind === 'refuse')
      return encodeAnswer(failure(parsed, parsed.rcode), limits(transport));
    const { query } = parsed;
    if (isInZone(query, config.domain)) {
      const state = { zone: follower.cluster.zone, serial: follower.serial };
      const answer = answerQuery(query, state, options, random);
      if (answer.rcode === RCODE.NXDOMAIN) negative.increment();
      return encodeAnswer(answer, limits(transport));
    }
    foreign.increment();
    if (forwarder === undefined) return encodeAnswer(refusal(query), limits(transport));
    return forwarder
      .forward(message, transport)
      .then((answer) => answer ?? encodeAnswer(failure(query, RCODE.SERVFAIL), limits(transport)));
  };
}

/** The answer to a message that is no query of ours, or that nobody could answer. */
function failure(
  query: Pick<Query, 'id' | 'recursionDesired'> & Partial<Query> & { readonly opcode?: number },
  rcode: Rcode,
) {
  const { id, opcode = OPCODE_QUERY, recursionDesired, name, type, class: class_ } = query;
  const asked = name !== undefined && type !== undefined && class_ !== undefined;
  return {
    id,
    opcode,
    rcode,
    authoritative: false,
    recursionDesired,
    recursionAvailable: false,
    question: asked ? { name, type, class: class_ } : undefined,
    answers: [],
    authorities: [],
    additionals: [],
  };
}
