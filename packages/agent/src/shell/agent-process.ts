/** An agent that runs: its core, what is joined to it, and the order in which they start and end. */

import { mkdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { assert, errorText, type JsonObject } from '@dcos/base';
import type { ListeningAt } from '@dcos/http';
import { Resources } from '@dcos/resources';
import type { AgentInfo, Resource } from '@dcos/wire';
import type { AgentConfig } from '../config.ts';
import {
  capabilitiesOf,
  createAgent,
  DEFAULT_TIMES,
  gpusOf,
  type Agent,
  type AgentSnapshot,
  type LaunchedContainer,
} from '../core/index.ts';
import { flagsOf } from './agent-flags.ts';
import { agentMetrics } from './agent-metrics.ts';
import { MESOS_VERSION, type AgentParts } from './agent-parts.ts';
import { startEvent } from './agent-shell.ts';
import { wireAgent, type WiredAgent } from './agent-wiring.ts';
import { systemClock, systemRandom } from './clock.ts';
import { prepareDisks } from './disk-sources.ts';
import { faultDomain } from './fault-domain.ts';
import { Fetcher } from './fetcher/fetcher.ts';
import { followedOutput } from './followed-output.ts';
import { chosenGpus, findGpus } from './host-gpus.ts';
import { hostAttributes, hostResources } from './host-resources.ts';
import { startHousekeeping, type Housekeeping } from './housekeeping.ts';
import { addAgentRoutes } from './http/agent-routes.ts';
import type { ContainerUsage } from './http/container-documents.ts';
import type { ContainerApiOptions } from './http/container-api.ts';
import { createSandboxFiles } from './http/sandbox-files.ts';
import type { DocumentInput } from './http/state-documents.ts';
import type { LaunchedContainers } from './launched-containers.ts';
import { usageOfLaunched, usageOfTasks } from './running-usage.ts';

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

export class AgentProcess implements RunningAgent {
  readonly registered: Promise<void>;
  readonly ended: Promise<string>;
  readonly #parts: AgentParts;
  readonly #startedAt = systemClock.now();
  readonly #resolveRegistered: () => void;
  readonly #resolveEnded: (reason: string) => void;
  readonly #stopped = Promise.withResolvers<void>();
  readonly #fetcher: Fetcher;
  #address: ListeningAt | undefined;
  #core: Agent | undefined;
  #wired: WiredAgent | undefined;
  #housekeeping: Housekeeping | undefined;
  #endStreams: (() => void) | undefined;
  #masterHostname: string | undefined;
  /** The link to this agent's files; being made, or there. */
  #linked: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(parts: AgentParts) {
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
    const { config, server, journal, gpuPlaces } = this.#parts;
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
    const domain = await faultDomain(config);
    const infoAt = (port: number): AgentInfo => ({
      hostname: config.hostname ?? config.ip,
      port,
      resources,
      attributes: hostAttributes(config.attributes),
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
    const { shell } = (this.#wired = this.#wire(this.#core));
    shell.emit(startEvent(journal.records));
    this.#housekeeping = startHousekeeping({
      parts: this.#parts,
      total: Resources.fromWire(resources),
      snapshot: () => this.snapshot(),
      usage: async () => await this.#usage(),
      emit: (event) => shell.emit(event),
    });
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async shutdown({ killTasks }: { readonly killTasks: boolean }): Promise<void> {
    if (killTasks && this.#closing === undefined) {
      this.#wired?.shell.emit({ kind: 'shutdown', reason: 'the agent is being shut down' });
      await this.#stopped.promise;
    }
    await this.close();
  }

  #wire(core: Agent): WiredAgent {
    const { logger, directory } = this.#parts;
    return wireAgent({
      parts: this.#parts,
      core,
      fetcher: this.#fetcher,
      port: () => this.port,
      onRegistered: (agentId) => {
        this.#linked = linkLatest(directory.path, agentId).catch((error: unknown) =>
          logger.warn(
            { event: 'link.failed', error: errorText(error) },
            'cannot link slaves/latest',
          ),
        );
        this.#resolveRegistered();
      },
      onEnded: (reason) => this.#end(reason),
      onMaster: (hostname) => (this.#masterHostname = hostname),
    });
  }

  #end(reason: string): void {
    this.#stopped.resolve();
    this.#resolveEnded(reason);
  }

  #addRoutes(info: () => AgentInfo, resources: readonly Resource[]): void {
    const { config, logger, server, images, quotas } = this.#parts;
    const workDir = this.#parts.directory.path;
    const snapshot = (): AgentSnapshot => this.#core?.snapshot() ?? NOT_YET;
    const now = (): number => systemClock.now();
    const metrics = agentMetrics({
      snapshot,
      total: resources,
      startedAt: this.#startedAt,
      fetcher: () => this.#fetcher.figures(),
      projects: quotas && (() => quotas.figures()),
      now,
    });
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
      executors: () => this.#wired?.executors,
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
        version: { version: MESOS_VERSION, build_date: '', build_time: 0, build_user: '' },
        versionDocument: VERSION_DOCUMENT,
        flags,
        files: createSandboxFiles({ workDir, logFile: config.logFile, snapshot }),
        metrics,
        verbosity: logger,
        pruneImages: async (excluded) => void (await images?.prune(excluded)),
        usage: async () => await this.#usage(),
        launchedUsage: async (shown) =>
          await usageOfLaunched(this.snapshot(), this.#wired?.launched, shown),
        containers: this.#containerApi(snapshot),
      },
    });
  }

  #containerApi(snapshot: () => AgentSnapshot): ContainerApiOptions {
    const { logger, directory } = this.#parts;
    const launched = (): LaunchedContainers => {
      assert(this.#wired !== undefined, 'the agent was started');
      return this.#wired.launched;
    };
    return {
      containers: launched,
      followed: async (id) => {
        const sandboxOf = (one: LaunchedContainer): string => launched().sandboxOf(one);
        const workDir = directory.path;
        return await followedOutput({ workDir, snapshot, sandboxOf, logger }, id);
      },
      onSessionClosed: ({ id }) => this.#wired?.shell.emit({ kind: 'sessionClosed', id }),
    };
  }

  async #usage(): Promise<readonly ContainerUsage[]> {
    return await usageOfTasks(
      this.snapshot(),
      this.#wired?.launcher,
      (run) => this.#housekeeping?.statisticsOf(run) ?? [],
    );
  }

  #listening(): ListeningAt {
    assert(this.#address !== undefined, 'the agent listens');
    return this.#address;
  }

  async #close(): Promise<void> {
    this.#endStreams?.();
    await this.#housekeeping?.close();
    // What cannot be written now is as if the process had died a moment ago.
    this.#parts.journal.stopWaiting();
    await this.#wired?.shell.close();
    this.#wired?.launched.close();
    this.#wired?.executors.closeAll();
    await this.#wired?.launcher.close();
    await this.#linked;
    await this.#parts.server.close();
    await this.#parts.journal.close();
    this.#parts.directory.unlock();
    this.#end('closed');
  }
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

async function linkLatest(workDir: string, agentId: string): Promise<void> {
  const directory = join(workDir, 'slaves');
  await mkdir(join(directory, agentId), { recursive: true });
  const link = join(directory, '.latest');
  await rm(link, { force: true });
  await symlink(agentId, link);
  await rename(link, join(directory, 'latest'));
}
