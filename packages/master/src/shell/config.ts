/**
 * Settings of a master. Every one has a default; periods and bounds are the original's.
 */

import { z } from 'zod';
import { defaultMasterOptions } from '../core/options.ts';
import { parseMinAllocatable, parsePercentage, parseRate, parseWeights } from './flag-values.ts';

const period = (milliseconds: number): z.ZodDefault<z.ZodNumber> =>
  z
    .number()
    .int()
    .min(1)
    .max(2 ** 40)
    .default(milliseconds);
/** A text that must be of the original's form, which the message shows. */
const textOf = (parse: (text: string) => unknown, form: string): z.ZodString =>
  z.string().refine((text) => parse(text) !== undefined, `expected ${form}`);
/** A text that may look like a number on the command line. */
const name = z.union([z.string().min(1), z.number().transform(String)]);
/** JSON, as text or as a value, or the name of the file that has it. */
const jsonOrFile = z.union([
  z.string().min(1),
  z.record(z.string(), z.unknown()).transform((value) => JSON.stringify(value)),
]);
/** No longer than what a platform takes for one timer. */
const patience = (milliseconds: number): z.ZodDefault<z.ZodNumber> =>
  z
    .number()
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .default(milliseconds);
const kept = (count: number): z.ZodDefault<z.ZodNumber> =>
  z
    .number()
    .int()
    .min(0)
    .max(2 ** 31)
    .default(count);
const bound = (count: number): z.ZodDefault<z.ZodNumber> =>
  z
    .number()
    .int()
    .min(1)
    .max(2 ** 31)
    .default(count);

export const masterConfigSchema = z.strictObject({
  /** Address to listen on; also what clients are told. */
  ip: z.ipv4().default('127.0.0.1'),
  /** 0 takes a free port. */
  port: z.number().int().min(0).max(65_535).default(5050),
  /** Address and port that clients are told, where those of the machine are not reached from outside. */
  advertiseIp: z.ipv4().optional(),
  advertisePort: z.number().int().min(1).max(65_535).optional(),
  /** Name that clients are told; the address when absent. */
  hostname: z.string().min(1).optional(),
  /** Name of the cluster in `/state`. */
  cluster: name.default('dcos'),
  /** Bytes of a request body. */
  bodyBytesMax: bound(32 * 1024 * 1024),
  /** Bytes that may wait for one event stream before its reader is cut off. */
  streamBufferedBytesMax: bound(16 * 1024 * 1024),
  /** Bytes that may wait for one agent before its connection is cut. */
  agentBufferedBytesMax: bound(64 * 1024 * 1024),
  /** Bytes of one message of an agent; a registration lists everything it runs. */
  agentFrameBytesMax: bound(128 * 1024 * 1024),
  agentConnectionsMax: bound(50_000),
  /** How long a connection may stay without REGISTER. */
  agentRegisterTimeoutMs: period(30_000),
  operatorSubscribersMax: bound(1_000),
  /** Events of the operators' stream that are kept for subscribers that come back. */
  operatorEventsKeptMax: bound(10_000),
  agentPingIntervalMs: period(defaultMasterOptions.pingIntervalMs),
  agentPingsMissedMax: bound(defaultMasterOptions.pingsMissedMax),
  agentReregisterTimeoutMs: period(defaultMasterOptions.agentReregisterTimeoutMs),
  /** How long a framework that was there before a failover is waited for, however short its own time-out. */
  recoveredFrameworkWaitMs: period(defaultMasterOptions.recoveredFrameworkWaitMs),
  /** How fast agents may be marked unreachable, such as `1/10mins`; without, as fast as they are. */
  agentRemovalRateLimit: textOf(parseRate, "a rate such as '1/10mins'").optional(),
  /** The master ends when more than this part of the agents is not back after a failover. */
  recoveryAgentRemovalLimit: textOf(parsePercentage, "a percentage such as '80%'").default('100%'),
  /** Where the master is, as DomainInfo, or the file that has it. */
  domain: jsonOrFile.optional(),
  /** Whether agents without a fault domain are refused. */
  requireAgentDomain: z.boolean().default(defaultMasterOptions.requireAgentDomain),
  /** A file with one host name a line: only those agents are offered. It is read again every 5 s. */
  whitelist: z.string().min(1).optional(),
  /** What keeps the registry, as `/flags` shows it: `main.ts` opens it, others bring their own store. */
  registry: z.enum(['replicated_log', 'in_memory']).default('replicated_log'),
  /** How long the registry may take to be read, and to make progress with writes; the master ends then. */
  registryFetchTimeoutMs: patience(60_000),
  registryStoreTimeoutMs: patience(20_000),
  registryGcIntervalMs: period(defaultMasterOptions.registryGcIntervalMs),
  /** Agents that are gone or unreachable are forgotten when they are too old, or too many. */
  registryAgentAgeMaxMs: period(defaultMasterOptions.removedAgentAgeMaxMs),
  registryAgentsMax: bound(defaultMasterOptions.removedAgentsMax),
  allocationIntervalMs: period(defaultMasterOptions.allocationIntervalMs),
  /** After a failover with quota, nothing is offered before this part of the agents is back, */
  allocatorAgentRecoveryFactor: z
    .number()
    .min(0)
    .max(1)
    .default(defaultMasterOptions.allocatorRecoveryFactor),
  /** or this long has passed. */
  allocatorRecoveryTimeoutMs: period(defaultMasterOptions.allocatorRecoveryTimeoutMs),
  /** What an offer has at least: `;` joins amounts that must all be there, `|` sets of which one will do. */
  minAllocatableResources: textOf(
    parseMinAllocatable,
    "amounts such as 'cpus:0.01|mem:32'",
  ).default('cpus:0.01|mem:32'),
  heartbeatIntervalMs: period(defaultMasterOptions.heartbeatIntervalMs),
  /** Offers older than this are rescinded; 0 for never, as the original does by default. */
  offerTimeoutMs: z
    .number()
    .int()
    .min(0)
    .max(2 ** 40)
    .default(defaultMasterOptions.offerTimeoutMs ?? 0),
  /**
   * A framework that declines the same thing again and again is asked less often, at least this often; 0
   * asks as often as it says, as the original does.
   */
  declineLengthenedMaxMs: z
    .number()
    .int()
    .min(0)
    .max(2 ** 40)
    .default(defaultMasterOptions.declineLengthenedMaxMs),
  roleSorter: z.enum(['drf', 'random']).default('drf'),
  frameworkSorter: z.enum(['drf', 'random']).default('drf'),
  /** Names of resources that do not count for shares, with commas. */
  fairSharingExcludedResourceNames: z.string().optional(),
  /** Roles that may be used, with commas; all when absent. Deprecated. */
  roles: name.optional(),
  /** Weights such as `dev=2,ops=1`, for a registry that has none. Deprecated. */
  weights: textOf(parseWeights, "weights such as 'dev=2,ops=1'").optional(),
  /** Whether frameworks of the user `root` may subscribe. */
  rootSubmissions: z.boolean().default(defaultMasterOptions.rootSubmissions),
  completedFrameworksMax: kept(defaultMasterOptions.completedFrameworksMax),
  completedTasksPerFrameworkMax: kept(defaultMasterOptions.completedTasksPerFrameworkMax),
  unreachableTasksPerFrameworkMax: kept(defaultMasterOptions.unreachableTasksPerFrameworkMax),
  /** Characters of a regular expression in offer constraints, and instructions of its program. */
  offerConstraintsRegexLengthMax: bound(defaultMasterOptions.constraintRegexLengthMax),
  offerConstraintsRegexProgramMax: bound(defaultMasterOptions.constraintRegexProgramMax),
  /** Whether each framework has metrics of its own. */
  publishPerFrameworkMetrics: z.boolean().default(true),
  filterGpuResources: z.boolean().default(true),
  /** Who may log in: a file with `{"credentials":[{"principal","secret"}]}` or lines `principal secret`. */
  credentials: z.string().min(1).optional(),
  /** Public keys for tokens (RS256): a file with PEM blocks or a JSON web key set. */
  tokenPublicKeys: z.string().min(1).optional(),
  /** A file with the secret for tokens (HS256). */
  tokenSecret: z.string().min(1).optional(),
  /** Whether agents must log in. */
  authenticateAgents: z.boolean().default(false),
  /** Whether frameworks must log in. */
  authenticateHttpFrameworks: z.boolean().default(false),
  /** Whether those who read must log in. */
  authenticateHttpReadonly: z.boolean().default(false),
  /** Whether those who change something, and the operator API, must log in. */
  authenticateHttpReadwrite: z.boolean().default(false),
  /** Access control lists: their JSON, or the file that has it. Without, everybody may do everything. */
  acls: jsonOrFile.optional(),
  /**
   * How many calls a second schedulers may make: the original's `{"limits":[{"principal","qps","capacity"}],
   * "aggregate_default_qps","aggregate_default_capacity"}`, or the file that has it. Without, as many as they like.
   */
  rateLimits: jsonOrFile.optional(),
  /** PEM files of the certificate and its key: the master serves HTTPS, and nothing else. Read at the start. */
  sslCertFile: z.string().min(1).optional(),
  sslKeyFile: z.string().min(1).optional(),
  /** A PEM file with the authorities of clients. */
  sslCaFile: z.string().min(1).optional(),
  /** Whether clients must show a certificate of those. */
  sslRequireClientCert: z.boolean().default(false),
  /** Whether agents must show one, where others may go without. */
  sslRequireAgentCert: z.boolean().default(false),
  /** Endpoints that nobody may use: `{"disabled_endpoints":{"paths":[…]}}`, or the file that has it. */
  firewallRules: jsonOrFile.optional(),
});

/** What a caller gives; everything has a default. */
export type MasterConfig = z.input<typeof masterConfigSchema>;
export type ResolvedMasterConfig = z.output<typeof masterConfigSchema>;
