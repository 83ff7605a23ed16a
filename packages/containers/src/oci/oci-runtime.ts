/**
 * Runs tasks as containers of an OCI runtime (`runc` or `crun`), each under `conmon`.
 *
 * Invariants:
 * - Everything about a container is in its directory below the state root; `recover` needs nothing else.
 * - Mounts live in the container's own mount namespace, so that there are none to undo; only a network namespace is
 *   held by a mount on the host, until the container is removed.
 */

import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import { availableParallelism, constants } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '@dcos/base';
import type { DeviceAccess } from '@dcos/wire';
import { containerError } from '../errors.ts';
import { borrowShimLauncher } from '../process/shim-launcher.ts';
import { connectTerminal } from '../process/switchboard.ts';
import { createTurnstile } from '../process/turnstile.ts';
import type {
  ContainerRuntime,
  ContainerSignal,
  ContainerSpec,
  ContainerStats,
  Detach,
  ExecOptions,
  ExecResult,
  ExitStatus,
  OutputStream,
  RecoveredContainer,
  StartedContainer,
} from '../runtime.ts';
import { attachSandbox } from '../sandbox-output.ts';
import {
  hasTerminal,
  type ContainerSession,
  type ContainerTerminal,
  type SessionOptions,
} from '../session.ts';
import { findCgroups } from './cgroup-host.ts';
import type { CgroupOptions } from './cgroup-settings.ts';
import { cgroupReader, cgroupUsage } from './cgroup-usage.ts';
import { findNetworks, type CniOptions } from './cni.ts';
import { TOOL_ENVIRONMENT } from './conmon.ts';
import {
  draftHost,
  groupOf,
  type ContainerHostInput,
  type ParentContainer,
} from './container-host.ts';
import type { ContainerImages, ImageSource, PreparedImage } from './image-port.ts';
import { settleCreates } from './creates-under-way.ts';
import { findDevices } from './host-devices.ts';
import { execInOci, openOciSession, type InContainer } from './inside.ts';
import { networksOf } from './networks.ts';
import { ociConfig, surroundings } from './oci-config.ts';
import {
  OciLife,
  RUNTIME_DIRECTORY,
  SESSION_PREFIX,
  startedOf,
  type OciContainer,
} from './oci-life.ts';
import { findTools, hostProblem } from './preflight.ts';
import { imagesOf } from './root-fs.ts';
import { hostUser } from './users.ts';

/** Containers that are made at once: half of the time of each is spent waiting. More only make each other late. */
const CREATES_AT_ONCE = 2 * Math.max(2, availableParallelism());

export interface OciRuntimeOptions {
  /** Directory of this agent alone; one folder per container. */
  readonly stateRoot: string;
  readonly logger: Logger;
  readonly runtime?: 'runc' | 'crun';
  readonly cgroups?: Partial<CgroupOptions>;
  /** Devices of the host that every container may use, beside the usual ones. */
  readonly allowedDevices?: readonly DeviceAccess[];
  /** Without it containers with images are refused. */
  readonly images?: ImageSource;
  readonly cni?: Partial<Omit<CniOptions, 'logger'>>;
  /** Where the nodes of GPUs are; `/dev` unless a test says otherwise. */
  readonly devicesPath?: string;
}

const DEFAULT_CGROUPS: CgroupOptions = {
  hasCpuQuota: false,
  hasSwapLimit: false,
  pidsMax: 32_768,
};
const DEFAULT_CNI = {
  configDir: undefined,
  pluginsDir: '/usr/lib/cni',
  hostIp: '127.0.0.1',
} as const;

/** Makes the runtime; nothing is touched before the first call. */
export function createOciRuntime(options: OciRuntimeOptions): ContainerRuntime {
  return new OciRuntime(options);
}

class OciRuntime implements ContainerRuntime {
  readonly name = 'oci';
  readonly #options: OciRuntimeOptions;
  readonly #cni: CniOptions;
  readonly #containers = new Map<string, OciContainer>();
  /** Images of containers that are being launched. */
  readonly #images = new Map<string, ContainerImages>();
  /** Removals under way. */
  readonly #discards = new Set<Promise<void>>();
  readonly #creates = createTurnstile(CREATES_AT_ONCE);
  #life: Promise<OciLife> | undefined;

  constructor(options: OciRuntimeOptions) {
    this.#options = options;
    this.#cni = { ...DEFAULT_CNI, ...options.cni, logger: options.logger };
  }

  async unavailable(): Promise<string | undefined> {
    const { runtime = 'runc', cgroups, allowedDevices = [] } = this.#options;
    const hasSwapLimit = cgroups?.hasSwapLimit === true;
    return await hostProblem({ runtime, hasSwapLimit, allowedDevices });
  }

  async prepare(spec: ContainerSpec, abort?: AbortSignal): Promise<void> {
    if (hasTerminal(spec) && this.#options.runtime === 'crun')
      throw containerError(
        'CONTAINER_INVALID',
        'a terminal for the first process needs runc: open a session',
      );
    const wanted = networksOf(spec.container);
    if (wanted.kind === 'private') await findNetworks(wanted.networks, this.#cni);
    await this.#prepareImages(spec, abort);
    ociConfig(spec, await draftHost(await this.#hostInput(spec)));
  }

  async create(spec: ContainerSpec): Promise<void> {
    const life = await this.#getLife();
    await this.#creates.through(async () => {
      const container = life.newContainer(spec);
      this.#containers.set(spec.id, container);
      await life.create(container, await this.#hostInput(spec));
    });
  }

  async start(id: string): Promise<StartedContainer> {
    const life = await this.#getLife();
    return await life.start(this.#container(id));
  }

  async signal(id: string, signal: ContainerSignal): Promise<void> {
    const life = await this.#getLife();
    await life.signal(this.#container(id), signal);
  }

  async wait(id: string): Promise<ExitStatus> {
    return await this.#container(id).ended;
  }

  async stats(id: string): Promise<ContainerStats | undefined> {
    const container = this.#container(id);
    if (!isUp(container)) return undefined;
    const { cgroups } = (await this.#getLife()).options;
    const reader = cgroupReader(cgroups, groupOf(id));
    const usage = await cgroupUsage(cgroups.version, reader, Date.now());
    return isUp(container) ? usage : undefined;
  }

  async exec(id: string, options: ExecOptions): Promise<ExecResult> {
    return await execInOci(await this.#inside(id, options.command.user), options);
  }

  async openSession(id: string, options: SessionOptions): Promise<ContainerSession> {
    const container = this.#container(id);
    if (!isUp(container)) throw containerError('CONTAINER_UNKNOWN', `container ${id} does not run`);
    const session = await openOciSession(await this.#inside(id, options.command.user), options);
    container.sessions.add(session);
    void session.ended.finally(() => container.sessions.delete(session));
    // The container may have ended meanwhile.
    if (!isUp(container)) session.signal(constants.signals.SIGKILL);
    return session;
  }

  async openTerminal(id: string): Promise<ContainerTerminal> {
    const container = this.#container(id);
    if (!hasTerminal(container.spec) || !isUp(container))
      throw containerError('CONTAINER_UNKNOWN', `no terminal of a container ${id}`);
    return await connectTerminal(container.directory);
  }

  async attach(
    id: string,
    onOutput: (stream: OutputStream, bytes: Uint8Array) => void,
  ): Promise<Detach> {
    return await attachSandbox(this.#container(id).spec.sandboxPath, onOutput);
  }

  async remove(id: string): Promise<void> {
    const container = this.#containers.get(id);
    if (container === undefined && !this.#images.has(id)) return;
    if (container !== undefined && isUp(container)) {
      await (await this.#getLife()).kill(container);
      await container.ended;
    }
    this.#containers.delete(id);
    await this.#discard(id);
  }

  async recover(known: readonly ContainerSpec[]): Promise<readonly RecoveredContainer[]> {
    const { stateRoot, logger } = this.#options;
    await mkdir(stateRoot, { recursive: true, mode: 0o711 });
    await settleCreates(stateRoot, logger);
    const wanted = new Set(known.map(({ id }) => id));
    for (const item of await readdir(stateRoot, { withFileTypes: true })) {
      if (!item.isDirectory() || item.name === RUNTIME_DIRECTORY || wanted.has(item.name)) continue;
      logger.warn({ event: 'orphan.killed', containerId: item.name }, 'removing an orphan');
      await this.#discard(item.name);
    }
    const found = await Promise.all(known.map(async (spec) => await this.#recoverOne(spec)));
    await this.#options.images?.keepOnly(wanted);
    return found;
  }

  async close(): Promise<void> {
    const life = await this.#life?.catch(() => undefined);
    life?.close();
    this.#containers.clear();
    // What was begun is ended, so that nothing of it is left; who asked for it hears of a failure.
    await Promise.allSettled(this.#discards);
    life?.options.launcher.close();
  }

  async #recoverOne(spec: ContainerSpec): Promise<RecoveredContainer> {
    const { id } = spec;
    const container = await (await this.#getLife()).recover(spec);
    if (container === undefined) {
      await this.#discard(id);
      return { kind: 'absent', id };
    }
    this.#containers.set(id, container);
    if (isUp(container)) return { kind: 'running', id, started: startedOf(container) };
    return { kind: 'exited', id, status: await container.ended };
  }

  async #discard(id: string): Promise<void> {
    const discarded = (async () => {
      await (await this.#getLife()).discard(id);
      this.#images.delete(id);
      await this.#options.images?.release(id);
    })();
    this.#discards.add(discarded);
    try {
      await discarded;
    } finally {
      this.#discards.delete(discarded);
    }
  }

  async #prepareImages(spec: ContainerSpec, abort: AbortSignal | undefined): Promise<void> {
    const { id, sandboxPath } = spec;
    const { images } = this.#options;
    const { root, volumes } = imagesOf(spec);
    if (root === undefined && volumes.length === 0) return;
    if (images === undefined)
      throw containerError('CONTAINER_INVALID', 'this agent has no images for the oci runtime');
    const purpose = { containerId: id, sandboxPath, ...(abort !== undefined && { abort }) };
    const prepared = new Map<number, PreparedImage>();
    const own = root && (await images.prepare(root, purpose));
    for (const [place, image] of volumes) prepared.set(place, await images.prepare(image, purpose));
    this.#images.set(id, { ...(own !== undefined && { root: own }), volumes: prepared });
  }

  async #hostInput(spec: ContainerSpec): Promise<ContainerHostInput> {
    const life = await this.#getLife();
    return {
      spec,
      directory: life.directoryOf(spec.id),
      images: this.#images.get(spec.id) ?? NO_IMAGES,
      parent: spec.parentId === undefined ? undefined : await this.#parentOf(spec.parentId),
      initPath: life.options.tools.init,
      cgroupVersion: life.options.cgroups.version,
      cgroups: { ...DEFAULT_CGROUPS, ...this.#options.cgroups },
      devicesPath: this.#options.devicesPath,
      devices: life.options.devices,
    };
  }

  async #parentOf(id: string): Promise<ParentContainer> {
    const container = this.#container(id);
    const { init, networks } = container;
    if (init === undefined || !isUp(container))
      throw containerError('CONTAINER_INVALID', `the container ${id} around it does not run`);
    const host = await (await this.#getLife()).hostOf(container);
    return { pid: init.pid, host, ...(networks !== undefined && { networks }) };
  }

  async #inside(id: string, asked: string | undefined): Promise<InContainer> {
    const container = this.#container(id);
    const life = await this.#getLife();
    const host = await life.hostOf(container);
    const user = asked === undefined ? host.user : await hostUser(asked);
    return {
      runtime: life.runtime,
      id,
      process: surroundings(container.spec, { ...host, user }),
      directory: life.directoryOf(`${SESSION_PREFIX}${randomUUID()}`),
      environment: TOOL_ENVIRONMENT,
    };
  }

  #container(id: string): OciContainer {
    const container = this.#containers.get(id);
    if (container === undefined) throw containerError('CONTAINER_UNKNOWN', `no container ${id}`);
    return container;
  }

  async #getLife(): Promise<OciLife> {
    // What failed is tried again: a package may be installed meanwhile.
    this.#life ??= this.#makeLife().catch((error: unknown) => {
      this.#life = undefined;
      throw error;
    });
    return await this.#life;
  }

  async #makeLife(): Promise<OciLife> {
    const { stateRoot, logger, runtime = 'runc' } = this.#options;
    const problem = await this.unavailable();
    const found = await findTools(runtime);
    const cgroups = await findCgroups();
    if (problem !== undefined || 'missing' in found || cgroups === undefined)
      throw containerError('RUNTIME_UNAVAILABLE', problem ?? 'the oci runtime lacks its tools');
    const { tools } = found;
    const devices = await findDevices(this.#options.allowedDevices ?? []);
    await mkdir(join(stateRoot, RUNTIME_DIRECTORY), { recursive: true, mode: 0o700 });
    // Processes of other accounts find their root below it.
    await chmod(stateRoot, 0o711);
    const launcher = borrowShimLauncher(logger);
    return new OciLife({ stateRoot, tools, cgroups, devices, launcher, cni: this.#cni, logger });
  }
}

const NO_IMAGES: ContainerImages = { volumes: new Map() };

const isUp = ({ isStarted, status }: OciContainer): boolean => isStarted && status === undefined;
