/** Settings of an agent. Parsed once; every field has a default that suits one agent on one machine. */

import { Secret } from '@dcos/base';
import { z } from 'zod';
import { DISK_HEADROOM } from './shell/garbage-collector.ts';

const milliseconds = z.number().int().min(0);
/** No longer than what a platform takes for one timer. */
const period = z
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1);
const absolutePath = z.string().startsWith('/');
/** Projects that directories of one agent may have; all are written down as a whole with each new one. */
const PROJECTS_MAX = 100_000;
const project = z
  .number()
  .int()
  .min(1)
  .max(2 ** 32 - 2);
const projectRange = z
  .strictObject({ first: project, last: project })
  .refine(({ first, last }) => first <= last, 'expected the smaller number first');

/** As the original's text for ranges, or a list of what is parsed from it. */
const projectRanges = z
  .union([
    z
      .string()
      .regex(/^\[\d+-\d+(,\d+-\d+)*\]$/, 'expected [first-last]')
      .transform((text) => text.slice(1, -1).split(',').map(rangeOf)),
    z.array(z.unknown()),
  ])
  .pipe(z.array(projectRange).min(1).max(100))
  .refine(
    (ranges) => ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0) <= PROJECTS_MAX,
    `expected ${PROJECTS_MAX} projects at most`,
  );

function rangeOf(text: string): { readonly first: number; readonly last: number } {
  const [first = 0, last = 0] = text.split('-').map(Number);
  return { first, last };
}

/** Ranges in the original's notation. */
export function projectRangesText(ranges: AgentConfig['xfsProjectRange']): string {
  return `[${ranges.map(({ first, last }) => `${first}-${last}`).join(',')}]`;
}

const place = z.strictObject({ name: z.string().min(1) });

/** A fault domain, wherever it is read. */
export const domainSchema = z.strictObject({
  fault_domain: z.strictObject({ region: place, zone: place }),
});

/** When images of the runtime `oci` are removed, in the original's words. */
export const imageGcSchema = z.strictObject({
  image_disk_headroom: z.number().min(0).max(1).default(0.1),
  image_disk_watch_interval: z
    .strictObject({ nanoseconds: z.number().int().min(1e6).max(2_147_483_647e6) })
    .default({ nanoseconds: 3600e9 }),
  /** Images as in a container's description. */
  excluded_images: z.array(z.unknown()).default([]),
});

/** Devices that tasks may use beside the usual ones, in the original's words. */
export const allowedDevicesSchema = z.strictObject({
  allowed_devices: z
    .array(
      z.strictObject({
        device: z.strictObject({ path: z.string().startsWith('/dev/') }),
        access: z.strictObject({
          read: z.boolean().default(false),
          write: z.boolean().default(false),
          mknod: z.boolean().default(false),
        }),
      }),
    )
    .max(1_000),
});

/** Words of a resolver's configuration; what could end its line is none of them. */
const dnsWord = z.string().regex(/^[\w.:-]{1,255}$/);
const dnsSettings = {
  nameservers: z.array(dnsWord).max(16).default([]),
  search: z.array(dnsWord).max(32).default([]),
  options: z.array(dnsWord).max(32).default([]),
};

/** Name servers of containers by network, in the original's words. */
export const containerDnsSchema = z.strictObject({
  mesos: z
    .array(
      z.strictObject({
        network_mode: z.literal('CNI'),
        network_name: z.string().min(1).optional(),
        dns: z.strictObject({ ...dnsSettings, domain: dnsWord.optional() }),
      }),
    )
    .max(100)
    .default([]),
  docker: z
    .array(
      z.strictObject({
        network_mode: z.enum(['BRIDGE', 'HOST', 'USER']),
        network_name: z.string().min(1).optional(),
        dns: z.strictObject(dnsSettings),
      }),
    )
    .max(100)
    .default([]),
});

export const agentConfigSchema = z
  .object({
    /**
     * `http://host:port` or `https://host:port` of the masters, tried in turn; or the `zk://…` that masters were
     * given, where the leader is found.
     */
    masters: z
      .union([
        // First, since it looks like a URL too.
        z.string().startsWith('zk://', 'expected http://…, https://… or zk://…'),
        z.array(z.url()).min(1),
        z.url().transform((url) => [url]),
      ])
      .default(['http://127.0.0.1:5050']),
    /**
     * A file with what the agent logs in with, where masters demand it: `{"principal","secret"}`, a line
     * `principal secret`, or `{"token"}`. It is read again for each connection, so that it may be renewed.
     */
    credential: z.string().min(1).optional(),
    /** PEM files of the certificate and its key: the agent serves HTTPS, and nothing else. Read at the start. */
    sslCertFile: z.string().min(1).optional(),
    sslKeyFile: z.string().min(1).optional(),
    /** A PEM file with the authorities of masters, in place of the system's, and of clients. */
    sslCaFile: z.string().min(1).optional(),
    /** Whether connections to ZooKeeper are TLS, with the same certificates. */
    zkTls: z.boolean().default(false),
    /** Whether clients must show a certificate of those. */
    sslRequireClientCert: z.boolean().default(false),
    /** Executors prove who they are by tokens that the agent gave them, made with the key in that file. */
    authenticateHttpExecutors: z.boolean().default(false),
    jwtSecretKey: z.string().min(1).optional(),
    /** Address to listen on, and at which tasks on the host's network are reached. */
    ip: z.string().default('127.0.0.1'),
    /** 0 takes a free port. */
    port: z.number().int().min(0).max(65_535).default(5051),
    /** Name shown to frameworks; the address when absent. */
    hostname: z.string().optional(),
    workDir: z.string().default('/var/lib/dcos/agent'),
    /** `name(role):value;…`, a JSON list, or a file (`/path`, `file:///path`); what is not named is detected. */
    resources: z
      .union([z.string(), z.array(z.unknown()).transform((list) => JSON.stringify(list))])
      .default(''),
    /** `key:value;…`, or a file (`file:///path`). */
    attributes: z.string().default(''),
    /**
     * Where the host is: `{"fault_domain":{"region":{"name"},"zone":{"name"}}}`, or a file with that. The master must
     * have one too.
     */
    domain: z
      .union([domainSchema, z.string().regex(/^(\/|file:\/\/)/, 'expected a path')])
      .optional(),
    /** A program that prints the domain, run once at the start; not together with `domain`. */
    faultDomainScript: absolutePath.optional(),
    /**
     * What may differ when an agent starts again: `equal` nothing, `additive` more resources, new attributes and a first
     * domain, `any` everything. A port that was not fixed is not compared.
     */
    reconfigurationPolicy: z.enum(['equal', 'additive', 'any']).default('additive'),
    /** Role of resources without one. */
    defaultRole: z.string().default('*'),
    /** Runtimes that are on: `process`, `docker`, `oci`, or several with commas. `oci` comes before `process`. */
    runtimes: z
      .string()
      .regex(
        /^(process|docker|oci)(,(process|docker|oci))*$/,
        'expected process, docker, oci, or several of them with commas',
      )
      .default('process'),
    /** Program behind the runtime `oci`. */
    ociRuntime: z.enum(['runc', 'crun']).default('runc'),
    /** With `oci`: hold tasks to their cpus also while others leave cpus idle. */
    cgroupsEnableCfs: z.boolean().default(false),
    /** With `oci`: count swap to the memory of tasks; the kernel must be able to. */
    cgroupsLimitSwap: z.boolean().default(false),
    /** With `oci`: see {@link allowedDevicesSchema}, or a file with that. */
    allowedDevices: z.union([z.string().min(1), allowedDevicesSchema]).optional(),
    /** With `oci`: directory of descriptions of CNI networks, and that of the plug-ins. */
    networkCniConfigDir: z.string().optional(),
    networkCniPluginsDir: z.string().default('/usr/lib/cni'),
    /** See {@link containerDnsSchema}, or a file with that. */
    defaultContainerDns: z.union([z.string().min(1), containerDnsSchema]).optional(),
    /** Directories of the host that tasks may have as volumes, with all below them. */
    hostPathVolumeAllow: z
      .union([z.array(absolutePath).max(1_000), absolutePath.transform((path) => [path])])
      .default(['/']),
    /** Directory for the files of secrets, best on a tmpfs; in the work directory when absent. This agent's alone. */
    secretsDir: absolutePath.optional(),
    /** With `oci`: processes and threads that a task may have. */
    pidsMax: z.number().int().min(1).max(4_194_304).default(32_768),
    /**
     * With `oci`: `https://host:port` that images without a registry in their name come from, the Docker Hub when absent;
     * or a directory (`/path`, `file:///path`), and then images come from nowhere else: `<name>:<tag>.tar` of `docker save`
     * or with an OCI layout, OCI layouts `<name>:<tag>` or `<name>`, or one layout of them all.
     */
    dockerRegistry: z
      .string()
      .regex(/^(https?:\/\/|\/|file:\/\/\/)/, 'expected https://…, or a directory')
      .optional(),
    /** With `oci` and `docker`: credentials of registries as Docker keeps them, `{"auths":{…}}`, or a file with that. */
    dockerConfig: z
      .union([
        z.string().min(1),
        z.custom<Secret<string>>((value) => value instanceof Secret),
        z.record(z.string(), z.unknown()).transform((config) => JSON.stringify(config)),
      ])
      // A configuration that was read is read again by who starts an agent with it.
      .transform((config) => (config instanceof Secret ? config : new Secret(config)))
      .optional(),
    /** With `oci`: where images are kept; below the work directory when absent. No overlay itself. */
    dockerStoreDir: absolutePath.optional(),
    /** With `oci`: `host:port` of registries without TLS; those on loopback need not be named. */
    insecureRegistries: z
      .union([
        z.array(z.string().min(1)).max(1_000),
        z
          .string()
          .min(1)
          .transform((host) => [host]),
      ])
      .default([]),
    /**
     * With `oci`: other places to ask first, in that order, by the registry as names of images have it (`docker.io` for
     * names without one): `{"docker.io":["https://host:port"]}`. Each gets the credentials of its own host only.
     */
    registryMirrors: z
      .record(
        z.string().min(1),
        z
          .array(z.string().regex(/^https?:\/\/[^/@?#\s]+\/?$/, 'expected https://host:port'))
          .max(16),
      )
      .default({}),
    /** With `oci`: when unused images are removed, see {@link imageGcSchema}, or a file with that; never when absent. */
    imageGcConfig: z.union([z.string().min(1), imageGcSchema]).optional(),
    /** Where files that tasks ask to keep are kept, emptied at each start; below the work directory when absent. */
    fetcherCacheDir: absolutePath.optional(),
    /** What they take together at most; what does not fit is fetched each time. */
    fetcherCacheBytesMax: z
      .number()
      .int()
      .min(0)
      .default(2 * 1024 ** 3),
    /** A server that sends nothing of a file for that long is given up. */
    fetcherStallTimeoutMs: milliseconds.default(60_000),
    /** Where relative paths among the URIs of tasks begin; they are refused when absent. */
    frameworksHome: absolutePath.optional(),
    dockerSocket: z.string().default('/var/run/docker.sock'),
    /** Variables that every task gets; `PATH` is for those without an image. */
    executorEnvironment: z.record(z.string(), z.string()).default({}),
    registrationBackoffMs: milliseconds.default(1_000),
    registrationBackoffMaxMs: milliseconds.default(60_000),
    updateRetryMs: milliseconds.default(10_000),
    updateRetryMaxMs: milliseconds.default(600_000),
    killGraceMs: milliseconds.default(3_000),
    /** For an executor of a framework to subscribe after its launch, and after a restart of the agent. */
    executorRegistrationMs: milliseconds.default(60_000),
    executorReregistrationMs: milliseconds.max(15_000).default(2_000),
    /** Until an executor that was told to end is killed, unless it says otherwise. */
    executorShutdownGraceMs: milliseconds.default(5_000),
    /** Age at which sandboxes of ended tasks are deleted. */
    gcDelayMs: milliseconds.default(7 * 24 * 3_600_000),
    /** Part of the disk that sandboxes leave free: the nearer the disk is to it, the sooner they go. */
    gcDiskHeadroom: z.number().min(0).max(1).default(DISK_HEADROOM),
    /** What lends unused resources a second time, as revocable ones: `cpu-slack` half of the cpus that idle. */
    resourceEstimator: z.enum(['none', 'cpu-slack']).default('none'),
    oversubscribedResourcesIntervalMs: period.default(15_000),
    /** What ends tasks in revocable resources: `load` while the host's load is above one of the bounds. */
    qosController: z.enum(['none', 'load']).default('none'),
    qosCorrectionIntervalMs: period.default(15_000),
    qosLoadThreshold5min: z.number().min(0).optional(),
    qosLoadThreshold15min: z.number().min(0).optional(),
    /** With `oci` and `docker`: revocable cpus count a hundredth of others when cpus are short. */
    revocableCpuLowPriority: z.boolean().default(true),
    /** Offers the host's NVIDIA GPUs, as `nvidia-smi` tells them, and gives tasks theirs; with `oci` and `docker`. */
    gpuIsolation: z.boolean().default(false),
    /** Those of them that tasks may have, by the tool's numbers, with commas; as many as the resource `gpus`. */
    nvidiaGpuDevices: z
      .union([
        z.string().regex(/^\d+(,\d+)*$/, 'expected numbers with commas'),
        z.number().int().min(0).transform(String),
      ])
      .optional(),
    /** Time from one look at the disk that containers use to the next, and whether to end those over their disk. */
    containerDiskWatchIntervalMs: period.default(15_000),
    enforceContainerDiskQuota: z.boolean().default(false),
    /**
     * How that disk is counted and bounded: `look` walks through the files; `xfs` has it done by the file system of the
     * work directory, XFS mounted with `prjquota`, by the tool `xfs_quota` (as the original's isolator `disk/xfs`). This was
     * tested against the tool's documented interface, not on a kernel with quotas.
     */
    diskQuota: z.enum(['look', 'xfs']).default('look'),
    /** With `xfs`: projects that are this agent's alone, `[first-last]`, or several with commas in the brackets. */
    xfsProjectRange: projectRanges.default([{ first: 5_000, last: 10_000 }]),
    /**
     * With `xfs` and enforcing: ends who exceeds its disk, and has the kernel refuse writes 10 MB above; else writes
     * beyond the disk are refused, and nobody is ended.
     */
    xfsKillContainers: z.boolean().default(false),
    /** Bytes of `stdout` and `stderr` of a task without the Docker engine at which they are rotated. */
    sandboxLogBytesMax: z
      .number()
      .int()
      .min(1024)
      .default(16 * 1024 * 1024),
    /** Older pieces of each that are kept, as `stdout.1` and so on. */
    sandboxLogFilesMax: z.number().int().min(0).max(100).default(4),
    /** Ended tasks that are remembered. */
    completedTasksMax: z.number().int().min(0).max(100_000).default(1_000),
    tasksMax: z.number().int().min(1).max(100_000).default(10_000),
    logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    /** Standard error when absent. */
    logFile: z.string().optional(),
  })
  .strict();

export type AgentConfig = z.infer<typeof agentConfigSchema>;
/** What a caller gives; everything has a default. */
export type AgentConfigInput = z.input<typeof agentConfigSchema>;
