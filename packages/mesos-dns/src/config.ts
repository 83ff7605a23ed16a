/**
 * The settings of Mesos-DNS. Defaults are those of the distribution, not of the stand-alone original:
 * addresses come from the agent first, then from the container.
 */

import { shownMasters } from '@dcos/store';
import { z } from 'zod';

const port = z.int().min(0).max(65_535);
const seconds = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);

export const mesosDnsConfigSchema = z.strictObject({
  /** Masters as `http://host:port`; the leader is found from any of them, or in ZooKeeper with their `zk://…`. */
  masters: z
    .union([z.string().startsWith('zk://'), z.array(z.string().min(1)).min(1)])
    .default(['http://127.0.0.1:5050']),
  /** PEM files of the certificate and its key: the HTTP interface speaks TLS, and they are shown to masters that ask. */
  sslCertFile: z.string().min(1).optional(),
  sslKeyFile: z.string().min(1).optional(),
  /** A PEM file with the authorities of masters, in place of the system's. */
  sslCaFile: z.string().min(1).optional(),
  /** Whether connections to ZooKeeper are TLS, with the same certificates. */
  zkTls: z.boolean().default(false),
  domain: z
    .string()
    .regex(
      /^[a-z0-9-]+(\.[a-z0-9-]+)*$/i,
      'letters, digits and hyphens in groups separated by dots',
    )
    .default('mesos')
    .transform((domain) => domain.toLowerCase()),
  /** Address of the DNS listener, UDP and TCP. */
  listener: z.string().default('127.0.0.1'),
  /** 0 takes a free port. */
  port: port.default(53),
  httpListener: z.string().default('127.0.0.1'),
  httpPort: port.default(8123),
  ttlSeconds: seconds.default(60),
  ipSources: z
    .array(z.enum(['host', 'netinfo', 'mesos', 'docker']))
    .min(1)
    .refine((sources) => new Set(sources).size === sources.length, 'a source may stand once')
    .default(['host', 'netinfo']),
  enforceRfc952: z.boolean().default(false),
  srvWeight: z.int().min(0).max(65_535).default(1),
  setTruncateBit: z.boolean().default(true),
  enumerationOn: z.boolean().default(true),
  /** The RA bit in answers about the zone. */
  recurseOn: z.boolean().default(true),
  /** Servers as `ip` or `ip:port` that are asked about foreign names; none: such queries are refused. */
  resolvers: z.array(z.string().min(1)).default([]),
  /** For one exchange with one resolver. */
  resolverTimeoutMs: z.int().min(1).max(60_000).default(5_000),
  soaMname: z.string().default('ns1.mesos'),
  soaRname: z.string().default('root.ns1.mesos'),
  soaRefreshSeconds: seconds.default(60),
  soaRetrySeconds: seconds.default(600),
  soaExpireSeconds: seconds.default(86_400),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

export type MesosDnsConfig = z.infer<typeof mesosDnsConfigSchema>;
/** Settings as they may be given: everything may be left out. */
export type MesosDnsSettings = z.input<typeof mesosDnsConfigSchema>;

/** A name of the SOA as it is published: without final dot, an `@` in a mail address as a dot. */
export function soaName(text: string): string {
  return text.replace('@', '.').replace(/\.$/, '').toLowerCase();
}

/** The settings under the names that the original shows at `/v1/config`. */
export function configDocument(config: MesosDnsConfig, serial: number): Record<string, unknown> {
  return {
    RefreshSeconds: config.soaRefreshSeconds,
    StateTimeoutSeconds: 0,
    TTL: config.ttlSeconds,
    Domain: config.domain,
    Port: config.port,
    Listener: config.listener,
    HTTPListener: config.httpListener,
    HttpPort: config.httpPort,
    DnsOn: true,
    HttpOn: true,
    ExternalOn: config.resolvers.length > 0,
    RecurseOn: config.recurseOn,
    EnforceRFC952: config.enforceRfc952,
    EnumerationOn: config.enumerationOn,
    SetTruncateBit: config.setTruncateBit,
    SRVRecordDefaultWeight: config.srvWeight,
    IPSources: config.ipSources,
    Masters: shownMasters(config.masters),
    Resolvers: config.resolvers,
    Timeout: config.resolverTimeoutMs / 1000,
    SOAMname: `${soaName(config.soaMname)}.`,
    SOARname: `${soaName(config.soaRname)}.`,
    SOARefresh: config.soaRefreshSeconds,
    SOARetry: config.soaRetrySeconds,
    SOAExpire: config.soaExpireSeconds,
    SOAMinttl: config.ttlSeconds,
    SOASerial: serial,
  };
}
