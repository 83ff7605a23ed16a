/**
 * Runs tasks as containers of a Docker engine, over its API.
 *
 * Containers carry two labels, so an agent finds its own again; the engine keeps their output and exit codes
 * until the agent has taken both. Images are used as they are on the host; a missing one is pulled, with the
 * credentials that the task brought in its sandbox, else with those of the agent. The engine keeps neither.
 */

import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import { errorText, type Logger } from '@dcos/base';
import { containerError } from '../errors.ts';
import {
  type ContainerRuntime,
  type ContainerSignal,
  type ContainerSpec,
  type ContainerStats,
  type Detach,
  type ExecOptions,
  type ExecResult,
  type ExitStatus,
  type OutputStream,
  type RecoveredContainer,
  type StartedContainer,
} from '../runtime.ts';
import { parseDockerConfig, type RegistryLogins } from '../images/docker-config.ts';
import { taskLogins } from '../images/sandbox-logins.ts';
import { attachSandbox } from '../sandbox-output.ts';
import {
  hasTerminal,
  type ContainerSession,
  type ContainerTerminal,
  type SessionOptions,
} from '../session.ts';
import type { DnsDefault } from '../container-dns.ts';
import {
  CONTAINER_LABEL,
  OWNER_LABEL,
  engineSpec,
  imageReference,
  type EngineSpec,
} from './engine-spec.ts';
import { endOf, removeContainer, startedOf } from './engine-containers.ts';
import { engineError, hasStatus } from './engine-errors.ts';
import { execInContainer } from './exec.ts';
import { hasImage, pullImage } from './images.ts';
import { pumpLog, rememberBase } from './log-pump.ts';
import { openDockerSession } from './session.ts';
import { openDockerTerminal, sizeTerminal } from './terminal.ts';

/** How long the engine may take to answer a ping. */
const PING_TIMEOUT_MS = 5_000;
/** Pause before the engine is asked again after it broke off. */
const RETRY_MS = 500;
/** How long output may take to arrive after the end of a container. */
const DRAIN_TIMEOUT_MS = 10_000;
/** How long recovery waits for an engine that should know containers of ours. */
const RECOVER_TIMEOUT_MS = 30_000;
const NANOSECONDS = 1e9;

export interface DockerRuntimeOptions {
  readonly socketPath: string;
  /** Directory of this agent alone. */
  readonly stateRoot: string;
  /** What tells this agent from others on the same engine, such as its work directory. */
  readonly owner: string;
  /** Address that mapped ports are published on. */
  readonly hostIp: string;
  /** Name servers of containers, by network. */
  readonly dns?: readonly DnsDefault[];
  /** Credentials of registries for all tasks, as Docker keeps them. */
  readonly dockerConfig?: string;
  readonly logger: Logger;
}

interface Entry {
  readonly spec: ContainerSpec;
  readonly container: Docker.Container;
  readonly basePath: string;
  readonly ended: Promise<ExitStatus>;
  readonly end: (status: ExitStatus) => void;
  status?: ExitStatus;
  stopSignal?: string;
}

/**
 * Makes the runtime; the engine is not asked before the first call. Throws CONTAINER_INVALID when the credentials
 * cannot be read.
 */
export function createDockerRuntime(options: DockerRuntimeOptions): ContainerRuntime {
  return new DockerRuntime(options);
}

class DockerRuntime implements ContainerRuntime {
  readonly name = 'docker';
  readonly #options: DockerRuntimeOptions;
  readonly #engine: Docker;
  readonly #owner: string;
  readonly #logins: RegistryLogins;
  readonly #entries = new Map<string, Entry>();
  readonly #closing = new AbortController();

  constructor(options: DockerRuntimeOptions) {
    this.#options = options;
    this.#engine = new Docker({ socketPath: options.socketPath });
    // A label is no place for a long path.
    this.#owner = createHash('sha256').update(options.owner).digest('hex').slice(0, 32);
    const { dockerConfig } = options;
    this.#logins = dockerConfig === undefined ? new Map() : parseDockerConfig(dockerConfig);
  }

  async unavailable(): Promise<string | undefined> {
    const { socketPath } = this.#options;
    try {
      await Promise.race([
        this.#engine.ping(),
        delay(PING_TIMEOUT_MS, undefined, { ref: false }).then(() => {
          throw new Error('no answer in time');
        }),
      ]);
      return undefined;
    } catch (error) {
      return `no Docker engine answers on ${socketPath}: ${errorText(error)}`;
    }
  }

  #engineSpec(spec: ContainerSpec): EngineSpec {
    const { hostIp, dns } = this.#options;
    return engineSpec({ spec, owner: this.#owner, hostIp, dns });
  }

  async prepare(spec: ContainerSpec, abort?: AbortSignal): Promise<void> {
    this.#engineSpec(spec);
    const problem = await this.unavailable();
    if (problem !== undefined) throw containerError('RUNTIME_UNAVAILABLE', problem);
    const image = imageReference(spec.container?.docker?.image ?? '');
    const mustPull = spec.container?.docker?.force_pull_image === true;
    if (!mustPull && (await hasImage(this.#engine, image))) return;
    const logins = await taskLogins(this.#logins, spec.sandboxPath);
    await pullImage(this.#engine, image, { logins, abort });
  }

  async create(spec: ContainerSpec): Promise<void> {
    const body = this.#engineSpec(spec);
    const basePath = this.#basePath(spec.id);
    await rememberBase(basePath, spec.sandboxPath);
    try {
      this.#adopt(spec, await this.#engine.createContainer(body));
    } catch (error) {
      throw engineError('cannot create the container', error);
    }
  }

  async start(id: string): Promise<StartedContainer> {
    const entry = this.#entry(id);
    try {
      await entry.container.start();
    } catch (error) {
      throw engineError('cannot start the container', error);
    }
    const info = await entry.container.inspect();
    if (hasTerminal(entry.spec)) await sizeTerminal(entry.container, entry.spec);
    this.#observe(entry);
    return startedOf(info);
  }

  async signal(id: string, signal: ContainerSignal): Promise<void> {
    const entry = this.#entry(id);
    if (entry.status !== undefined) return;
    // An image may say how it wants to be asked to stop.
    if (signal === 'SIGTERM' && entry.stopSignal === undefined) {
      const info = await entry.container.inspect();
      const { StopSignal } = info.Config as { readonly StopSignal?: string };
      entry.stopSignal = StopSignal ?? 'SIGTERM';
    }
    try {
      await entry.container.kill({ signal: signal === 'SIGTERM' ? entry.stopSignal : signal });
    } catch (error) {
      // It ended meanwhile, or is gone.
      if (!hasStatus(error, 404, 409)) throw engineError('cannot signal the container', error);
    }
  }

  async wait(id: string): Promise<ExitStatus> {
    return await this.#entry(id).ended;
  }

  async stats(id: string): Promise<ContainerStats | undefined> {
    const entry = this.#entry(id);
    if (entry.status !== undefined) return undefined;
    const stats = await entry.container.stats({ stream: false, 'one-shot': true });
    const { cpu_usage: cpu } = stats.cpu_stats;
    const memory = stats.memory_stats as { readonly usage?: number };
    if (memory.usage === undefined) return undefined;
    return {
      at: Date.parse(stats.read),
      cpuUserSeconds: cpu.usage_in_usermode / NANOSECONDS,
      cpuSystemSeconds: cpu.usage_in_kernelmode / NANOSECONDS,
      memoryResidentBytes: memory.usage,
      processes: stats.pids_stats?.current ?? 0,
    };
  }

  async exec(id: string, options: ExecOptions): Promise<ExecResult> {
    return await execInContainer(this.#entry(id).container, options, this.#options.logger);
  }

  async openSession(id: string, options: SessionOptions): Promise<ContainerSession> {
    return await openDockerSession(this.#entry(id).container, options, this.#options.logger);
  }

  async openTerminal(id: string): Promise<ContainerTerminal> {
    const { spec, status, container } = this.#entry(id);
    if (!hasTerminal(spec) || status !== undefined)
      throw containerError('CONTAINER_UNKNOWN', `no terminal of a container ${id}`);
    return await openDockerTerminal(container, this.#options.logger);
  }

  async attach(
    id: string,
    onOutput: (stream: OutputStream, bytes: Uint8Array) => void,
  ): Promise<Detach> {
    return await attachSandbox(this.#entry(id).spec.sandboxPath, onOutput);
  }

  async remove(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    await removeContainer(entry.container);
    await rm(join(this.#options.stateRoot, id), { recursive: true, force: true });
  }

  async recover(known: readonly ContainerSpec[]): Promise<readonly RecoveredContainer[]> {
    const listed = await this.#list(known.length > 0);
    const byId = new Map(listed.map((info) => [info.Labels[CONTAINER_LABEL] ?? '', info]));
    for (const info of listed) {
      if (known.some((spec) => spec.id === info.Labels[CONTAINER_LABEL])) continue;
      this.#options.logger.warn(
        { event: 'orphan.killed', containerId: info.Id },
        'removing an orphan container',
      );
      await removeContainer(this.#engine.getContainer(info.Id));
    }
    return await Promise.all(
      known.map(async (spec) => await this.#recoverOne(spec, byId.get(spec.id)?.Id)),
    );
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#entries.clear();
    await Promise.resolve();
  }

  async #recoverOne(
    spec: ContainerSpec,
    engineId: string | undefined,
  ): Promise<RecoveredContainer> {
    if (engineId === undefined) return { kind: 'absent', id: spec.id };
    const container = this.#engine.getContainer(engineId);
    const info = await container.inspect();
    if (info.State.Status === 'created') {
      await removeContainer(container);
      return { kind: 'absent', id: spec.id };
    }
    const entry = this.#adopt(spec, container);
    this.#observe(entry);
    if (info.State.Running) return { kind: 'running', id: spec.id, started: startedOf(info) };
    return { kind: 'exited', id: spec.id, status: await entry.ended };
  }

  /** Containers of this agent. An engine that is down matters only when it holds something of ours. */
  async #list(isNeeded: boolean): Promise<readonly Docker.ContainerInfo[]> {
    const deadlineMs = performance.now() + RECOVER_TIMEOUT_MS;
    for (;;) {
      try {
        const label = [`${OWNER_LABEL}=${this.#owner}`];
        return await this.#engine.listContainers({ all: true, filters: { label } });
      } catch (error) {
        if (!isNeeded) return [];
        if (performance.now() > deadlineMs) {
          const problem = `no Docker engine answers on ${this.#options.socketPath}, and tasks run there`;
          throw containerError('RUNTIME_UNAVAILABLE', problem, error);
        }
        await delay(RETRY_MS);
      }
    }
  }

  #adopt(spec: ContainerSpec, container: Docker.Container): Entry {
    const { promise, resolve } = Promise.withResolvers<ExitStatus>();
    const entry: Entry = {
      spec,
      container,
      basePath: this.#basePath(spec.id),
      ended: promise,
      end: resolve,
    };
    this.#entries.set(spec.id, entry);
    return entry;
  }

  /** Carries output and waits for the end, through breaks of the connection to the engine. */
  #observe(entry: Entry): void {
    const output = this.#untilEnd(entry, async () => await this.#pump(entry));
    void (async () => {
      const status = await this.#untilEnd(entry, async () => await endOf(entry.container));
      await Promise.race([output, delay(DRAIN_TIMEOUT_MS, undefined, { ref: false })]);
      // An engine may end a followed log before its last line is in it; now the log is complete.
      if (status !== undefined) await this.#untilEnd(entry, async () => await this.#pump(entry));
      if (this.#closing.signal.aborted) return;
      entry.status = status ?? {
        kind: 'unknown',
        message: 'the container was removed from the engine',
      };
      entry.end(entry.status);
    })();
  }

  /** Repeats what broke off; undefined when the container is gone or nobody wants to know any more. */
  async #untilEnd<T>(entry: Entry, act: () => Promise<T>): Promise<T | undefined> {
    while (!this.#closing.signal.aborted) {
      try {
        return await act();
      } catch (error) {
        if (hasStatus(error, 404) || !this.#entries.has(entry.spec.id)) return undefined;
        if (this.#closing.signal.aborted) return undefined;
        this.#options.logger.warn(
          { event: 'engine.broken', containerId: entry.spec.id, error: errorText(error) },
          'the connection to the engine broke off',
        );
        await delay(RETRY_MS);
      }
    }
    return undefined;
  }

  async #pump(entry: Entry): Promise<void> {
    // Followed also when the container has ended: other answers come as one piece, however big.
    const log = (await entry.container.logs({
      follow: true,
      stdout: true,
      stderr: true,
      abortSignal: this.#closing.signal,
    })) as unknown as Readable;
    const { spec, basePath } = entry;
    const hasFrames = !hasTerminal(spec);
    await pumpLog({ log, hasFrames, sandboxPath: spec.sandboxPath, basePath });
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw containerError('CONTAINER_UNKNOWN', `no container ${id}`);
    return entry;
  }

  #basePath(id: string): string {
    return join(this.#options.stateRoot, id, 'log-base.json');
  }
}
