/**
 * The settings of the router.
 */

import { z } from 'zod';

const url = z.string().regex(/^https?:\/\/[^/?#\s]+\/?$/, 'an origin such as http://host:port');

/** Body of a request outside `/service`; the limit of the original. */
export const REQUEST_BYTES_MAX = 2 ** 30;
/** Body of a request under `/service`, where large uploads pass; the limit of the original. */
export const SERVICE_REQUEST_BYTES_MAX = 32 * 2 ** 30;

export const routerConfigSchema = z.strictObject({
  host: z.string().default('127.0.0.1'),
  /** 0 takes a free port. */
  port: z.int().min(0).max(65_535).default(8180),
  /** Masters as `http://host:port`; the leader is found from any of them, or in ZooKeeper with their `zk://…`. */
  masters: z
    .union([z.string().startsWith('zk://'), z.array(z.string().min(1)).min(1)])
    .default(['http://127.0.0.1:5050']),
  /** PEM files of the certificate and its key: the router serves HTTPS, and shows them to masters and agents that ask. */
  sslCertFile: z.string().min(1).optional(),
  sslKeyFile: z.string().min(1).optional(),
  /** A PEM file with the authorities of masters and agents, in place of the system's; services may have either. */
  sslCaFile: z.string().min(1).optional(),
  /** Whether connections to ZooKeeper are TLS, with the same certificates. */
  zkTls: z.boolean().default(false),
  /** A port of plain HTTP that sends everybody to TLS; none when absent. */
  redirectPort: z.int().min(0).max(65_535).optional(),
  /** Whether agents speak TLS: the master does not say. */
  agentsSpeakTls: z.boolean().default(false),
  /** Where Marathon is; found as a framework of that name when absent. */
  marathonUrl: url.optional(),
  /** HTTP interface of Mesos-DNS; its routes answer 501 when absent. */
  mesosDnsUrl: url.optional(),
  /** Folder with the built web UI, `index.html` in it. */
  uiDirectory: z.string().optional(),
  clusterId: z.string().optional(),
  publicIp: z.string().default('127.0.0.1'),
  /** Host names besides those of this machine under which requests are served; `*` for any. */
  allowedHosts: z.array(z.string()).default([]),
  /** Origins whose pages may write besides the router's own. */
  allowedOrigins: z.array(z.string()).default([]),
  requestBytesMax: z.int().min(1).default(REQUEST_BYTES_MAX),
  serviceRequestBytesMax: z.int().min(1).default(SERVICE_REQUEST_BYTES_MAX),
  /** For a connection to an upstream. */
  connectMsMax: z.int().min(1).default(5_000),
  /** How long a request waits for the next leader where the former one has ended. */
  leaderMsMax: z.int().min(0).default(5_000),
  /** For the first byte of an upstream's answer; the answer itself may take for ever. */
  answerMsMax: z.int().min(1).default(300_000),
  version: z.string().default('2.2.0'),
  variant: z.string().default('open'),
  imageCommit: z.string().default('unknown'),
  bootstrapId: z.string().default('box'),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

export type RouterConfig = z.infer<typeof routerConfigSchema>;
/** Settings as they may be given: everything may be left out. */
export type RouterSettings = z.input<typeof routerConfigSchema>;
