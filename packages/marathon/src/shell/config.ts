/** The settings of the scheduler, each with its default. */

import { z } from 'zod';
import { Secret } from '@dcos/base';
import { parseZooKeeperAddress, type ZooKeeperAddress } from '@dcos/store';
import { DEFAULT_SETTINGS, type ModelSettings, type SchedulingSettings } from '../core/index.ts';

const milliseconds = z.number().int().min(0);
const port = z.number().int().min(0).max(65_535);

/** Kept as a secret, since it may hold a password. */
function zooKeeperAddress(text: string, context: z.RefinementCtx): Secret<ZooKeeperAddress> {
  const address = parseZooKeeperAddress(text);
  if (address.ok) return new Secret(address.value);
  context.addIssue(`not the address of a ZooKeeper ensemble: ${address.error}`);
  return z.NEVER;
}

export const marathonConfigSchema = z
  .strictObject({
    /** The masters as `http://host:port`, in order of preference, or their `zk://…`, where the leader is found. */
    masters: z
      .union([
        z.string().startsWith('zk://'),
        z.string().transform((text) => text.split(',').map((part) => part.trim())),
        z.array(z.string()),
      ])
      .pipe(z.union([z.string(), z.array(z.url()).min(1)]))
      .default(['http://127.0.0.1:5050']),
    /** PEM files of the certificate and its key: HTTPS is served, and they are shown to masters that ask. */
    sslCertFile: z.string().min(1).optional(),
    sslKeyFile: z.string().min(1).optional(),
    /** A PEM file with the authorities of masters, in place of the system's. */
    sslCaFile: z.string().min(1).optional(),
    httpAddress: z.string().default('127.0.0.1'),
    httpPort: port.default(8080),
    /** Name under which this process is reached, as it is told to clients and to the master. */
    hostname: z.string().default('127.0.0.1'),
    webuiUrl: z.string().optional(),
    frameworkName: z.string().min(1).default('marathon'),
    mesosRole: z.string().min(1).default('*'),
    mesosUser: z.string().min(1).default('root'),
    principal: z.string().optional(),
    failoverTimeoutSeconds: z.number().min(0).default(604_800),
    acceptedResourceRolesDefaultBehavior: z.enum(['any', 'unreserved', 'reserved']).default('any'),
    newGroupEnforceRole: z.boolean().default(false),
    enableFeatures: z
      .array(
        z.enum([
          'vips',
          'task_killing',
          'external_volumes',
          'secrets',
          'gpu_resources',
          'maintenance_mode',
        ]),
      )
      .default([]),
    defaultNetworkName: z.string().optional(),
    mesosBridgeName: z.string().default('mesos-bridge'),
    envVarsPrefix: z.string().default(DEFAULT_SETTINGS.envVarsPrefix),
    localPortMin: port.default(10_000),
    localPortMax: port.default(20_000),
    appsMax: z.number().int().min(1).optional(),
    runningDeploymentsMax: z.number().int().min(1).default(DEFAULT_SETTINGS.runningDeploymentsMax),
    versionsPerAppMax: z.number().int().min(2).default(DEFAULT_SETTINGS.versionsPerAppMax),
    instancesPerOfferMax: z.number().int().min(1).default(DEFAULT_SETTINGS.instancesPerOfferMax),
    declineOfferMs: milliseconds.default(DEFAULT_SETTINGS.declineMs),
    /** How long an offer that fits nothing is kept away while something waits. */
    declineWhileWaitingMs: milliseconds.default(DEFAULT_SETTINGS.declineWhileWaitingMs),
    minReviveOffersIntervalMs: milliseconds.default(DEFAULT_SETTINGS.reviveIntervalMsMin),
    suppressOffers: z.boolean().default(DEFAULT_SETTINGS.suppressOffers),
    taskLaunchConfirmTimeoutMs: milliseconds.default(DEFAULT_SETTINGS.launchConfirmMsMax),
    taskLaunchTimeoutMs: milliseconds.default(DEFAULT_SETTINGS.launchMsMax),
    killRetryTimeoutMs: milliseconds.min(100).default(DEFAULT_SETTINGS.killRetryMs),
    killChunkSize: z.number().int().min(1).default(DEFAULT_SETTINGS.killsInFlightMax),
    /** Between taking an instance out of service in a rolling restart and the signal to its process. */
    drainMs: milliseconds.default(DEFAULT_SETTINGS.drainMs),
    /** How long a new instance without checks has to run before a rolling restart counts on it. */
    settleMs: milliseconds.default(DEFAULT_SETTINGS.settleMs),
    reconciliationIntervalMs: milliseconds.min(1000).default(DEFAULT_SETTINGS.reconcileIntervalMs),
    maintenanceMode: z.boolean().default(DEFAULT_SETTINGS.maintenanceMode),
    drainingSeconds: z.number().min(0).default(0),
    gpuSchedulingBehavior: z.enum(['restricted', 'unrestricted']).default('restricted'),
    concurrentHealthChecksMax: z.number().int().min(1).default(256),
    eventStreamOutstandingMessagesMax: z.number().int().min(1).default(1024),
    eventStreamClientsMax: z.number().int().min(1).default(1000),
    bodyBytesMax: z
      .number()
      .int()
      .min(1024)
      .default(16 * 1024 * 1024),
    logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    /** File of the embedded store when the program runs on its own; in memory when absent. */
    storePath: z.string().optional(),
    /** `zk://host:port,…/path`: state in ZooKeeper, and an election of the leader among all who use this path. */
    zk: z.string().transform(zooKeeperAddress).optional(),
    /** Whether connections to ZooKeeper are TLS, with the certificates of `ssl…`. */
    zkTls: z.boolean().default(false),
    zkSessionTimeoutMs: z.number().int().min(1_000).max(600_000).default(10_000),
    /** The `tickTime` of its servers, where it is known: a leader then bears it longer to be without them. */
    zkTickMs: z.number().int().min(100).max(60_000).optional(),
  })
  .refine(({ storePath, zk }) => storePath === undefined || zk === undefined, {
    path: ['zk'],
    message: 'state is kept in ZooKeeper or in a file (storePath), not in both',
  })
  .refine(({ localPortMin, localPortMax }) => localPortMin <= localPortMax, {
    path: ['localPortMin'],
    message: 'must not be above localPortMax',
  });

export type MarathonConfig = z.infer<typeof marathonConfigSchema>;

/** The part of the settings that the scheduling core works with. */
export function schedulingSettings(config: MarathonConfig): SchedulingSettings {
  return {
    ...DEFAULT_SETTINGS,
    model: modelSettings(config),
    mesosRole: config.mesosRole,
    acceptedResourceRolesDefault: config.acceptedResourceRolesDefaultBehavior,
    envVarsPrefix: config.envVarsPrefix,
    instancesPerOfferMax: config.instancesPerOfferMax,
    declineMs: config.declineOfferMs,
    declineWhileWaitingMs: config.declineWhileWaitingMs,
    reviveIntervalMsMin: config.minReviveOffersIntervalMs,
    suppressOffers: config.suppressOffers,
    launchConfirmMsMax: config.taskLaunchConfirmTimeoutMs,
    launchMsMax: config.taskLaunchTimeoutMs,
    killRetryMs: config.killRetryTimeoutMs,
    killsInFlightMax: config.killChunkSize,
    drainMs: config.drainMs,
    settleMs: config.settleMs,
    reconcileIntervalMs: config.reconciliationIntervalMs,
    runningDeploymentsMax: config.runningDeploymentsMax,
    versionsPerAppMax: config.versionsPerAppMax,
    appsMax: config.appsMax,
    maintenanceMode: config.maintenanceMode,
    drainingMs: config.drainingSeconds * 1000,
    gpuSchedulingBehavior: config.gpuSchedulingBehavior,
  };
}

function modelSettings(config: MarathonConfig): ModelSettings {
  return {
    mesosRole: config.mesosRole,
    localPortMin: config.localPortMin,
    localPortMax: config.localPortMax,
    features: new Set(config.enableFeatures),
    ...(config.defaultNetworkName === undefined
      ? {}
      : { defaultNetworkName: config.defaultNetworkName }),
    mesosBridgeName: config.mesosBridgeName,
    newGroupEnforceRole: config.newGroupEnforceRole,
  };
}
