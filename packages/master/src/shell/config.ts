/**
 * Settings of a master. Every one has a default; periods and bounds are the original's.
 */

import { z } from 'zod';
import { defaultMasterOptions } from '../core/options.ts';

const period = (milliseconds: number): z.ZodDefault<z.ZodNumber> =>
  z
    .number()
    .int()
    .min(1)
    .max(2 ** 40)
    .default(milliseconds);
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
  /** Name that clients are told; the address when absent. */
  hostname: z.string().min(1).optional(),
  /** Name of the cluster in `/state`. */
  cluster: z.string().min(1).default('dcos'),
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
  allocationIntervalMs: period(defaultMasterOptions.allocationIntervalMs),
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
  filterGpuResources: z.boolean().default(true),
  /** Who may log in: a file with `{"credentials":[{"principal","secret"}]}` or lines `principal secret`. */
  credentials: z.string().min(1).optional(),
  /** Whether frameworks must log in. */
  authenticateHttpFrameworks: z.boolean().default(false),
  /** Whether those who read must log in. */
  authenticateHttpReadonly: z.boolean().default(false),
  /** Whether those who change something, and the operator API, must log in. */
  authenticateHttpReadwrite: z.boolean().default(false),
  /** Access control lists: their JSON, or the file that has it. Without, everybody may do everything. */
  acls: z.string().min(1).optional(),
  /** Endpoints that nobody may use: `{"disabled_endpoints":{"paths":[…]}}`, or the file that has it. */
  firewallRules: z.string().min(1).optional(),
});

/** What a caller gives; everything has a default. */
export type MasterConfig = z.input<typeof masterConfigSchema>;
export type ResolvedMasterConfig = z.output<typeof masterConfigSchema>;
