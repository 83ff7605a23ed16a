/**
 * Puts an agent together from core, checkpoint, runtimes, connection and HTTP server.
 *
 * `close` leaves the tasks running; `shutdown({ killTasks: true })` ends them first, and what there is to tell
 * about it is told now or, if no master listens, after the next start.
 */

import { mkdir, rename, rm, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  assert,
  durationText,
  errorText,
  OperationError,
  type JsonObject,
  type Logger,
} from '@dcos/base';
import { type ContainerRuntime, type ImageStore } from '@dcos/containers';
import {
  createHttpServer,
  readTls,
  type ClientTls,
  type HttpServer,
  type ListeningAt,
} from '@dcos/http';
import { Resources } from '@dcos/resources';
import type { AgentInfo } from '@dcos/wire';
import { agentConfigSchema, type AgentConfig, type AgentConfigInput } from '../config.ts';
import {
  capabilitiesOf,
  createAgent,
  DEFAULT_TIMES,
  gpusOf,
  isTerminal,
  type Agent,
  type AgentSnapshot,
  type ExecutorRecord,
  type LaunchedContainer,
  type RuntimeName,
} from '../core/index.ts';
import { agentMetrics } from './agent-metrics.ts';
import { AgentShell, startEvent } from './agent-shell.ts';
import { systemClock, systemRandom } from './clock.ts';
import { diskUsageOf, startGarbageCollector, type GarbageCollector } from './garbage-collector.ts';
import { chosenGpus, findGpus, GPU_PLACES, type GpuPlaces } from './host-gpus.ts';
import { hostAttributes, hostResources } from './host-resources.ts';
import { isRecordStream } from './http/container-api.ts';
import { addAgentRoutes } from './http/agent-routes.ts';
import { startImageCollector, type ImageCollector } from './images.ts';
import { createSandboxFiles } from './http/sandbox-files.ts';
import type { ContainerUsage, LaunchedUsage, ShownContainers } from './http/container-documents.ts';
import type { DocumentInput } from './http/state-documents.ts';
import { containersOf } from './executor-container.ts';
import { ExecutorStreams } from './executor-streams.ts';
import { ExecutorTokens } from './executor-tokens.ts';
import { followedOutput } from './followed-output.ts';
import { LaunchedContainers } from './launched-containers.ts';
import { createLauncher, type Launcher } from './launcher.ts';
import { createCredential } from './credential.ts';
import { prepareDisks } from './disk-sources.ts';
import { startDiskWatch, watchedRuns, type DiskWatch } from './disk-watch.ts';
import { faultDomain } from './fault-domain.ts';
import { Fetcher } from './fetcher/fetcher.ts';
import { startLogRotation, type LogRotation } from './log-rotation.ts';
import { createMasterConnection } from './master-connection.ts';
import {
  hasRevocable,
  startOversubscription,
  type LoadOfHost,
  type Oversubscription,
} from './oversubscription.ts';
import { openPatientJournal, type PatientJournal } from './patient-journal.ts';
import { journalPath, sandboxPath } from './sandbox-paths.ts';
import { ContainerSecrets, refuseReferences, type SecretResolver } from './secrets.ts';
import { openRuntimes } from './runtimes.ts';
import { VerboseLogger } from './verbose-logger.ts';
import { openWorkDirectory, type WorkDirectory } from './work-directory.ts';

/** The version of Mesos whose behaviour this agent shows to clients and to the master. */
export const MESOS_VERSION = '1.12.0';

export interface RunningAgent {
  readonly url: string;
  readonly port: number;
  /** Resolves with the first registration of this process. */
  readonly registered: Promise<void>;
  /** Resolves when the agent can or may not go on: refused by the master, or its disk fails. */
  readonly ended: Promise<string>;
  agentId(): string | undefined;
  snapshot(): AgentSnapshot;
  /** Stops; tasks keep running. Idempotent. */
  close(): Promise<void>;
  /** Ends all tasks with their grace, then stops. */
  shutdown(options: { readonly killTasks: boolean }): Promise<void>;
}

export interface StartOptions {
  readonly logger: Logger;
  /** Looks up secrets that are references; without it they are refused. */
  readonly resolveSecret?: SecretResolver;
  /** Stands in for the load averages of the host. */
  readonly load?: LoadOfHost;
  /** Stands in for the places of the host's GPUs. */
  readonly gpuPlaces?: GpuPlaces;
}

/** Starts an agent; resolves when it serves and the first attempt to register is under way. */
export async function startAgent(
  input: AgentConfigInput,
  { logger: given, load, gpuPlaces = GPU_PLACES, resolveSecret = refuseReferences }: StartOptions,
): Promise<RunningAgent> {
  const logger = new VerboseLogger(given);
  const config = agentConfigSchema.parse(input);
  const directory = await openWorkDirectory(config.workDir);
  const opened: (() => Promise<void>)[] = [];
  try {
    const workDir = directory.path;
    const { runtimes, images } = await openRuntimes(config, {
      workDir,
      devicesPath: gpuPlaces.devices,
      logger,
    });
    opened.push(async () => {
      for (const runtime of runtimes.values()) await runtime.close();
    });
    const tls = readTls(config);
    const server = createHttpServer({ logger, isLongRequest: isRecordStream, tls: tls.server });
    opened.push(async () => await server.close());
    const journal = await openPatientJournal({ path: journalPath(workDir), logger });
    opened.push(async () => await journal.close());
    const running = new AgentProcess({
      config,
      directory,
      logger,
      runtimes,
      images,
      journal,
      server,
      tls: tls.client,
      tokens: tokensOf(config),
      load,
      gpuPlaces,
      secrets: new ContainerSecrets({
        directory: config.secretsDir ?? join(workDir, 'run', 'secrets'),
        resolve: resolveSecret,
        logger,
      }),
    });
    await running.start();
    return running;
  } catch (error) {
    for (const close of opened.reverse()) await close();
    directory.unlock();
    throw error;
  }
}

interface Parts {
  readonly config: AgentConfig;
  readonly directory: WorkDirectory;
  readonly logger: VerboseLogger;
  readonly runtimes: ReadonlyMap<RuntimeName, ContainerRuntime>;
  readonly images: ImageStore | undefined;
  readonly journal: PatientJournal;
  readonly server: HttpServer;
  /** For connections to masters. */
  readonly tls: ClientTls;
  readonly secrets: ContainerSecrets;
  /** Present when executors get tokens. */
  readonly tokens: ExecutorTokens | undefined;
  readonly load: LoadOfHost | undefined;
  readonly gpuPlaces: GpuPlaces;
}

class AgentProcess implements RunningAgent {
  readonly registered: Promise<void>;
  readonly ended: Promise<string>;
  readonly #parts: Parts;
  readonly #startedAt = systemClock.now();
  readonly #resolveRegistered: () => void;
  readonly #resolveEnded: (reason: string) => void;
  readonly #stopped = Promise.withResolvers<void>();
  readonly #fetcher: Fetcher;
  #address: ListeningAt | undefined;
  #core: Agent | undefined;
  #shell: AgentShell | undefined;
  #launcher: Launcher | undefined;
  #launched: LaunchedContainers | undefined;
  #executors: ExecutorStreams | undefined;
  #collector: GarbageCollector | undefined;
  #imageCollector: ImageCollector | undefined;
  #rotation: LogRotation | undefined;
  #oversubscription: Oversubscription | undefined;
  #diskWatch: DiskWatch | undefined;
  #endStreams: (() => void) | undefined;
  #masterHostname: string | undefined;
  /** The link to this agent's files; being made, or there. */
  #linked: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { config, directory, logger } = parts;
    this.#fetcher = new Fetcher({
      cacheDirectory: config.fetcherCacheDir ?? join(directory.path, 'fetch'),
      cacheBytesMax: config.fetcherCacheBytesMax,
      stallTimeoutMs: config.fetcherStallTimeoutMs,
      ...(config.frameworksHome !== undefined && { frameworksHome: config.frameworksHome }),
      logger,
    });
    const registered = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<string>();
    this.registered = registered.promise;
    this.ended = ended.promise;
    this.#resolveRegistered = registered.resolve;
    this.#resolveEnded = ended.resolve;
  }

  get port(): number {
    return this.#listening().port;
  }

  get url(): string {
    return this.#listening().url;
  }

  agentId(): string | undefined {
    return this.snapshot().agentId;
  }

  snapshot(): AgentSnapshot {
    assert(this.#core !== undefined, 'the agent was started');
    return this.#core.snapshot();
  }

  async start(): Promise<void> {
    const { config, logger, server, journal, gpuPlaces } = this.#parts;
    const workDir = this.#parts.directory.path;
    const found = config.gpuIsolation ? await findGpus(gpuPlaces) : [];
    const resources = await hostResources({
      setting: config.resources,
      defaultRole: config.defaultRole,
      workDir,
      gpus: found.length,
    });
    const gpus = chosenGpus(found, gpusOf(resources), config);
    await prepareDisks(workDir, resources);
    const attributes = hostAttributes(config.attributes);
    const hostname = config.hostname ?? config.ip;
    const domain = await faultDomain(config);
    const infoAt = (port: number): AgentInfo => ({
      hostname,
      port,
      resources,
      attributes,
      ...(domain !== undefined && { domain }),
    });
    const info = { value: infoAt(config.port) };
    this.#addRoutes(() => info.value, resources);
    this.#address = await server.listen({ host: config.ip, port: config.port });
    info.value = infoAt(this.#address.port);
    this.#core = createAgent({
      random: systemRandom,
      options: {
        info: info.value,
        ip: config.ip,
        version: MESOS_VERSION,
        runtimes: new Set(this.#parts.runtimes.keys()),
        times: { ...DEFAULT_TIMES, ...timesOf(config) },
        completedTasksMax: config.completedTasksMax,
        tasksMax: config.tasksMax,
        gpus,
        reconfigurationPolicy: config.reconfigurationPolicy,
        portIsFree: config.port === 0,
      },
    });
    this.#connect(this.#core);
    this.#shell?.emit(startEvent(journal.records));
    this.#collector = startGarbageCollector({
      workDir,
      delayMs: config.gcDelayMs,
      diskHeadroom: config.gcDiskHeadroom,
      diskUsage: async () => await diskUsageOf(workDir),
      logger,
      now: () => systemClock.now(),
      snapshot: () => this.snapshot(),
      onCollected: (id) => this.#shell?.emit({ kind: 'collected', id }),
    });
    journal.watchSpace((isShort) => {
      this.#shell?.emit({ kind: 'storage', isShort });
      if (isShort) this.#collect();
    });
    const { images } = this.#parts;
    if (images !== undefined)
      this.#imageCollector = startImageCollector({ images, config, workDir, logger });
    this.#oversubscription = startOversubscription({
      config,
      cpusTotal: Resources.fromWire(resources).cpus(),
      snapshot: () => this.snapshot(),
      usage: async () => await this.#usage(),
      monotonicMs: () => systemClock.monotonicMs(),
      ...(this.#parts.load !== undefined && { load: this.#parts.load }),
      emit: (event) => this.#shell?.emit(event),
      logger,
    });
    this.#diskWatch = startDiskWatch({
      intervalMs: config.containerDiskWatchIntervalMs,
      enforces: config.enforceContainerDiskQuota,
      logger,
      runs: () => watchedRuns(workDir, this.snapshot()),
      onExceeded: (id, limitation) => this.#shell?.emit({ kind: 'limited', id, ...limitation }),
    });
    this.#rotation = startLogRotation({
      bytesMax: config.sandboxLogBytesMax,
      filesMax: config.sandboxLogFilesMax,
      logger,
      sandboxes: () =>
        this.snapshot()
          .live.filter(
            ({ runtime, pid, endedAt }) =>
              (runtime === 'process' || runtime === 'oci') &&
              pid !== undefined &&
              endedAt === undefined,
          )
          .map((task) => sandboxPath(workDir, this.agentId() ?? '', task)),
    });
  }

  /** Old sandboxes may be what is in the way. */
  #collect(): void {
    this.#collector
      ?.collect()
      .catch((error: unknown) =>
        this.#parts.logger.warn(
          { event: 'gc.failed', error: errorText(error) },
          'cannot collect sandboxes',
        ),
      );
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async shutdown({ killTasks }: { readonly killTasks: boolean }): Promise<void> {
    if (killTasks && this.#closing === undefined) {
      this.#shell?.emit({ kind: 'shutdown', reason: 'the agent is being shut down' });
      await this.#stopped.promise;
    }
    await this.close();
  }

  #connect(core: Agent): void {
    const { config, logger, runtimes, journal, tls, secrets } = this.#parts;
    const workDir = this.#parts.directory.path;
    const shell = new AgentShell({
      core,
      clock: systemClock,
      journal,
      logger,
      onRegistered: (agentId) => {
        this.#linked = linkLatest(workDir, agentId).catch((error: unknown) =>
          logger.warn(
            { event: 'link.failed', error: errorText(error) },
            'cannot link slaves/latest',
          ),
        );
        this.#resolveRegistered();
      },
      onStopped: (reason) => this.#end(reason),
      onFailed: (error) => this.#end(errorText(error)),
    });
    const launcher = createLauncher({
      workDir,
      ip: config.ip,
      executorEnvironment: config.executorEnvironment,
      hostPathVolumeAllow: config.hostPathVolumeAllow,
      secrets,
      runtimes,
      fetcher: this.#fetcher,
      logger,
      self: () => ({ port: this.port, agentId: this.agentId() ?? '' }),
      emit: (event) => shell.emit(event),
      hasLowPriority: ({ info }) =>
        config.revocableCpuLowPriority && hasRevocable(info.resources, 'cpus'),
      executorOf: ({ group }) =>
        core.snapshot().executors.find(({ containerId }) => containerId === group?.containerId)
          ?.info,
      executorVariables: async (id) => {
        const one = core.snapshot().executors.find(({ containerId }) => containerId === id);
        return one?.process === undefined ? {} : await this.#executorVariables(one);
      },
      shutdownGraceMs: (id) => {
        const own = core.snapshot().executors.find(({ containerId }) => containerId === id)?.info
          .shutdown_grace_period?.nanoseconds;
        return own === undefined ? config.executorShutdownGraceMs : own / 1e6;
      },
    });
    const executors = new ExecutorStreams((event) => shell.emit(event));
    const connection = createMasterConnection({
      masters: config.masters,
      logger,
      authorization: createCredential(config.credential, logger),
      tls,
      onConnected: (master) => {
        this.#masterHostname = new URL(master).hostname;
        shell.emit({ kind: 'connected' });
      },
      onMessage: (message) => shell.emit({ kind: 'received', message }),
      onDisconnected: (reason) => shell.emit({ kind: 'disconnected', reason }),
    });
    const launched = new LaunchedContainers({
      runtimes,
      secrets,
      hostPathVolumeAllow: config.hostPathVolumeAllow,
      logger,
      specOf: (container) => {
        const { live, executors: others } = core.snapshot();
        const task = [...live, ...containersOf(others)].find(
          ({ containerId }) => containerId === container.task,
        );
        const around = task && { task, framework: shell.frameworkOf(task) };
        return launcher.launchedSpec(container, around);
      },
      emit: (event) => shell.emit(event),
    });
    shell.attach({ launcher, launched, executors, connection });
    this.#executors = executors;
    this.#shell = shell;
    this.#launcher = launcher;
    this.#launched = launched;
  }

  /** How an executor of a framework reaches this agent, and proves that it may. */
  async #executorVariables({
    frameworkId: fid,
    executorId: eid,
    containerId: cid,
    info: { container },
  }: ExecutorRecord): Promise<Readonly<Record<string, string>>> {
    const { config, tokens } = this.#parts;
    // What an image has in its place would be another file.
    const hasOwnRoot = container?.docker !== undefined || container?.mesos?.image !== undefined;
    const caFile = hasOwnRoot ? undefined : config.sslCaFile;
    return {
      ...(config.sslCertFile !== undefined && {
        LIBPROCESS_SSL_ENABLED: '1',
        ...(caFile !== undefined && { LIBPROCESS_SSL_CA_FILE: resolve(caFile) }),
      }),
      ...(tokens !== undefined && {
        MESOS_EXECUTOR_AUTHENTICATION_TOKEN: await tokens.issue({ fid, eid, cid }),
      }),
    };
  }

  #end(reason: string): void {
    this.#stopped.resolve();
    this.#resolveEnded(reason);
  }

  #addRoutes(info: () => AgentInfo, resources: AgentInfo['resources']): void {
    const { config, logger, server } = this.#parts;
    const workDir = this.#parts.directory.path;
    const snapshot = (): AgentSnapshot => this.#core?.snapshot() ?? NOT_YET;
    const files = createSandboxFiles({ workDir, logFile: config.logFile, snapshot });
    const now = (): number => systemClock.now();
    const metrics = agentMetrics({
      snapshot,
      total: resources ?? [],
      startedAt: this.#startedAt,
      fetcher: () => this.#fetcher.figures(),
      now,
    });
    const version = { version: MESOS_VERSION, build_date: '', build_time: 0, build_user: '' };
    const flags = flagsOf(config);
    const document = (): DocumentInput => ({
      snapshot: snapshot(),
      info: info(),
      ip: config.ip,
      port: this.port,
      workDir,
      startedAt: this.#startedAt,
      version: VERSION_DOCUMENT,
      capabilities: capabilitiesOf(new Set(this.#parts.runtimes.keys())),
      flags,
      masterHostname: this.#masterHostname,
      logFile: config.logFile,
    });
    this.#endStreams = addAgentRoutes({
      executors: () => this.#executors,
      tokens: config.authenticateHttpExecutors ? this.#parts.tokens : undefined,
      app: server.app,
      metrics,
      logger,
      now,
      document,
      api: {
        snapshot,
        info,
        ip: config.ip,
        version,
        versionDocument: VERSION_DOCUMENT,
        flags,
        files,
        metrics,
        verbosity: logger,
        pruneImages: async (excluded) => void (await this.#parts.images?.prune(excluded)),
        usage: async () => await this.#usage(),
        launchedUsage: async (shown) => await this.#launchedUsage(shown),
        containers: {
          containers: () => {
            assert(this.#launched !== undefined, 'the agent was started');
            return this.#launched;
          },
          followed: async (id) => {
            const launched = this.#launched;
            assert(launched !== undefined, 'the agent was started');
            const sandboxOf = (one: LaunchedContainer): string => launched.sandboxOf(one);
            return await followedOutput({ workDir, snapshot, sandboxOf, logger }, id);
          },
          onSessionClosed: ({ id }) => this.#shell?.emit({ kind: 'sessionClosed', id }),
        },
      },
    });
  }

  async #usage(): Promise<readonly ContainerUsage[]> {
    const watch = this.#diskWatch;
    const { live, executors } = this.snapshot();
    const running = [...live, ...containersOf(executors)].filter(
      (task) => task.pid !== undefined && !isTerminal(task.state),
    );
    return await Promise.all(
      running.map(async (task) => ({
        task,
        stats: await this.#launcher?.stats(task),
        disk: watch?.statisticsOf(task.group?.containerId ?? task.containerId) ?? [],
      })),
    );
  }

  async #launchedUsage(shown: ShownContainers): Promise<readonly LaunchedUsage[]> {
    const running = this.snapshot().launched.filter(
      ({ pid, status, task }) =>
        pid !== undefined &&
        status === undefined &&
        (task === undefined ? shown.standalone : shown.nested),
    );
    return await Promise.all(
      running.map(async (container) => ({
        container,
        stats: await this.#launched?.stats(container),
      })),
    );
  }

  #listening(): ListeningAt {
    assert(this.#address !== undefined, 'the agent listens');
    return this.#address;
  }

  async #close(): Promise<void> {
    this.#endStreams?.();
    await this.#collector?.close();
    this.#imageCollector?.close();
    await this.#rotation?.close();
    await this.#diskWatch?.close();
    this.#oversubscription?.close();
    // What cannot be written now is as if the process had died a moment ago.
    this.#parts.journal.stopWaiting();
    await this.#shell?.close();
    this.#launched?.close();
    this.#executors?.closeAll();
    await this.#launcher?.close();
    await this.#linked;
    await this.#parts.server.close();
    await this.#parts.journal.close();
    this.#parts.directory.unlock();
    this.#end('closed');
  }
}

function tokensOf({
  jwtSecretKey,
  authenticateHttpExecutors,
}: AgentConfig): ExecutorTokens | undefined {
  if (jwtSecretKey !== undefined) return ExecutorTokens.byKeyFile(jwtSecretKey);
  if (!authenticateHttpExecutors) return undefined;
  throw new OperationError(
    'TOKEN_SECRET_INVALID',
    'authenticateHttpExecutors needs jwtSecretKey: a file with the key for tokens of executors',
  );
}

/** What routes see before the core exists. */
const NOT_YET: AgentSnapshot = {
  agentId: undefined,
  phase: 'recovering',
  frameworks: new Map(),
  live: [],
  completed: [],
  executors: [],
  completedExecutors: [],
  launched: [],
  total: Resources.empty,
  revocable: Resources.empty,
  operations: [],
  drain: undefined,
};

const VERSION_DOCUMENT: JsonObject = {
  build_date: '',
  build_time: 0,
  build_user: '',
  version: MESOS_VERSION,
};

function timesOf(config: AgentConfig): Partial<typeof DEFAULT_TIMES> {
  const {
    registrationBackoffMs,
    registrationBackoffMaxMs,
    updateRetryMs,
    updateRetryMaxMs,
    killGraceMs,
    executorRegistrationMs,
    executorReregistrationMs,
    executorShutdownGraceMs,
  } = config;
  return {
    registrationBackoffMs,
    registrationBackoffMaxMs,
    updateRetryMs,
    updateRetryMaxMs,
    killGraceMs,
    executorRegistrationMs,
    executorReregistrationMs,
    executorShutdownGraceMs,
  };
}

/** What the runtime `oci` does, in the original's names. */
const OCI_ISOLATION =
  'cgroups/cpu,cgroups/mem,cgroups/pids,cgroups/devices,cgroups/blkio,disk/du,filesystem/linux,network/cni,volume/host_path,volume/sandbox_path,linux/capabilities,linux/devices,linux/seccomp,linux/nnp,namespaces/ipc,namespaces/pid,posix/rlimits';

/** The settings under their names on the original's command line where there is one. */
function flagsOf(config: AgentConfig): Readonly<Record<string, string>> {
  return {
    attributes: config.attributes,
    cgroups_enable_cfs: String(config.cgroupsEnableCfs),
    cgroups_limit_swap: String(config.cgroupsLimitSwap),
    ...(config.allowedDevices !== undefined && {
      allowed_devices:
        typeof config.allowedDevices === 'string'
          ? config.allowedDevices
          : JSON.stringify(config.allowedDevices),
    }),
    container_disk_watch_interval: durationText(config.containerDiskWatchIntervalMs),
    containerizers: [
      ...new Set(config.runtimes.replaceAll(/process|oci/g, 'mesos').split(',')),
    ].join(','),
    authenticate_http_executors: String(config.authenticateHttpExecutors),
    default_role: config.defaultRole,
    ...(config.jwtSecretKey !== undefined && { jwt_secret_key: config.jwtSecretKey }),
    docker_socket: config.dockerSocket,
    ...(config.dockerRegistry !== undefined && { docker_registry: config.dockerRegistry }),
    ...(config.dockerStoreDir !== undefined && { docker_store_dir: config.dockerStoreDir }),
    enforce_container_disk_quota: String(config.enforceContainerDiskQuota),
    executor_registration_timeout: durationText(config.executorRegistrationMs),
    executor_reregistration_timeout: durationText(config.executorReregistrationMs),
    executor_shutdown_grace_period: durationText(config.executorShutdownGraceMs),
    ...(config.domain !== undefined && {
      domain: typeof config.domain === 'string' ? config.domain : JSON.stringify(config.domain),
    }),
    ...(config.faultDomainScript !== undefined && {
      fault_domain_script: config.faultDomainScript,
    }),
    fetcher_cache_size: `${config.fetcherCacheBytesMax}B`,
    fetcher_stall_timeout: durationText(config.fetcherStallTimeoutMs),
    ...(config.fetcherCacheDir !== undefined && { fetcher_cache_dir: config.fetcherCacheDir }),
    ...(config.frameworksHome !== undefined && { frameworks_home: config.frameworksHome }),
    gc_delay: `${config.gcDelayMs / 1000}secs`,
    gc_disk_headroom: String(config.gcDiskHeadroom),
    hostname: config.hostname ?? config.ip,
    ip: config.ip,
    ...(config.networkCniConfigDir !== undefined && {
      network_cni_config_dir: config.networkCniConfigDir,
    }),
    ...(config.nvidiaGpuDevices !== undefined && {
      nvidia_gpu_devices: config.nvidiaGpuDevices,
    }),
    network_cni_plugins_dir: config.networkCniPluginsDir,
    ...(config.runtimes.includes('oci')
      ? {
          isolation: config.gpuIsolation ? `${OCI_ISOLATION},gpu/nvidia` : OCI_ISOLATION,
          launcher: 'linux',
        }
      : { isolation: 'posix/cpu,posix/mem,disk/du', launcher: 'posix' }),
    master: config.masters.join(','),
    oversubscribed_resources_interval: durationText(config.oversubscribedResourcesIntervalMs),
    port: String(config.port),
    ...(config.qosController !== 'none' && {
      qos_controller: config.qosController,
      qos_correction_interval_min: durationText(config.qosCorrectionIntervalMs),
    }),
    ...(config.resourceEstimator !== 'none' && { resource_estimator: config.resourceEstimator }),
    revocable_cpu_low_priority: String(config.revocableCpuLowPriority),
    reconfiguration_policy: config.reconfigurationPolicy,
    registration_backoff_factor: `${config.registrationBackoffMs}ms`,
    resources: config.resources,
    work_dir: config.workDir,
  };
}

async function linkLatest(workDir: string, agentId: string): Promise<void> {
  const directory = join(workDir, 'slaves');
  await mkdir(join(directory, agentId), { recursive: true });
  const link = join(directory, '.latest');
  await rm(link, { force: true });
  await symlink(agentId, link);
  await rename(link, join(directory, 'latest'));
}
