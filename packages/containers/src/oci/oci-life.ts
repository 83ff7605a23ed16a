/**
 * The life of one container of an OCI runtime: made, started, ended, discarded. State is in the container's
 * directory; what is in memory can be read from there again.
 *
 * Invariants:
 * - A container has ended when conmon's exit file is there, or when conmon is gone: then what is left of it is
 *   killed, and nobody knows its status.
 * - A process is only signalled after its start time was compared.
 */

import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { assert, errorText, type Logger } from '@dcos/base';
import { containerError } from '../errors.ts';
import type { HostDevice } from '../host-device.ts';
import { sendToGroup } from '../process/process-group.ts';
import { identityTextOf, isRunning } from '../process/process-table.ts';
import { createReaper, type Reaper } from '../process/reaper.ts';
import type { ShimLauncher } from '../process/shim-launcher.ts';
import { parseShimIdentity, SHIM_FILE, type ShimIdentity } from '../process/shim.ts';
import { exists, readText } from '../process/state-files.ts';
import type { ContainerSignal, ContainerSpec, ExitStatus, StartedContainer } from '../runtime.ts';
import { hasTerminal, type ContainerSession } from '../session.ts';
import type { CgroupHost } from './cgroup-host.ts';
import { cgroupReader, memoryFate } from './cgroup-usage.ts';
import { attachNetworks, detachNetworks, type AttachedNetwork, type CniOptions } from './cni.ts';
import { CONMON_PID_FILE, createUnderConmon, type OciTools } from './conmon.ts';
import {
  groupOf,
  hostnameOf,
  keptHost,
  makeHost,
  type ContainerHostInput,
} from './container-host.ts';
import { killGroup, signalGroupOf, signalProcess } from './container-processes.ts';
import { exitStatusOf } from './exit-status.ts';
import { fillNameFiles } from './name-files.ts';
import { networksOf } from './networks.ts';
import { configText, ociConfig, type OciHost } from './oci-config.ts';
import { removeGroups } from './remove-group.ts';
import { runToolIn } from './run-tool.ts';
import { finishGate, GATE_FILE, openGate } from './start-gate.ts';
import { createAtTerminal, finishFromHook, holdingHook, releaseFromHook } from './terminal.ts';

/** Directories of sessions, beside those of containers. */
export const SESSION_PREFIX = 'session-';
/** Of the OCI runtime itself, beside the containers' directories. */
export const RUNTIME_DIRECTORY = 'runtime';
/** Identity of a container's first process. */
const INIT_FILE = 'init';
/** There once the first process of a container was told to go on, or is just being told. */
const RELEASED_FILE = 'released';
/** Written by conmon when the kernel killed for lack of memory. */
const OOM_FILE = 'oom';
/** Addresses of a container with networks of its own. */
const ADDRESSES_FILE = 'addresses.json';

/** A container that this process knows. */
export interface OciContainer {
  readonly spec: ContainerSpec;
  readonly directory: string;
  readonly ended: Promise<ExitStatus>;
  readonly end: (status: ExitStatus) => void;
  status?: ExitStatus;
  host?: OciHost;
  networks?: readonly AttachedNetwork[];
  init: ShimIdentity | undefined;
  conmon: ShimIdentity | undefined;
  isStarted: boolean;
  readonly sessions: Set<ContainerSession>;
}

/** What the host was found to have. */
export interface OciLifeOptions {
  readonly stateRoot: string;
  readonly tools: OciTools;
  readonly cgroups: CgroupHost;
  readonly devices: readonly HostDevice[];
  readonly launcher: ShimLauncher;
  readonly cni: CniOptions;
  readonly logger: Logger;
}

export class OciLife {
  readonly options: OciLifeOptions;
  readonly #reaper: Reaper;

  constructor(options: OciLifeOptions) {
    this.options = options;
    this.#reaper = createReaper(options.logger);
  }

  /** Stops looking after containers, which go on running. */
  close(): void {
    this.#reaper.close();
  }

  directoryOf(id: string): string {
    return join(this.options.stateRoot, id);
  }

  /** The OCI runtime with its general options. */
  get runtime(): readonly [string, ...string[]] {
    return [this.options.tools.runtime, `--root=${this.#runtimeRoot()}`];
  }

  /** A container that was not made yet. */
  newContainer(spec: ContainerSpec): OciContainer {
    const { promise, resolve } = Promise.withResolvers<ExitStatus>();
    return {
      spec,
      directory: this.directoryOf(spec.id),
      ended: promise,
      end: resolve,
      init: undefined,
      conmon: undefined,
      isStarted: false,
      sessions: new Set(),
    };
  }

  /** Makes it; its first process waits. */
  async create(container: OciContainer, input: ContainerHostInput): Promise<void> {
    const { spec, directory } = container;
    await mkdir(directory, { recursive: true });
    const host = await makeHost(input);
    container.host = host;
    if (input.parent?.networks !== undefined) await keepNetworks(container, input.parent.networks);
    // The environment may hold secrets.
    const config = configText({
      ...ociConfig(spec, host),
      ...(hasTerminal(spec) && { hooks: { createRuntime: [holdingHook(directory)] } }),
    });
    await writeFile(join(directory, 'config.json'), config, { mode: 0o600 });
    const { tools, launcher } = this.options;
    const runtimeRoot = this.#runtimeRoot();
    const { sandboxPath } = spec;
    const request = { id: spec.id, tools, directory, runtimeRoot, sandboxPath, user: host.user };
    const pid = hasTerminal(spec)
      ? await createAtTerminal(request, spec.container?.tty_info?.window_size, launcher)
      : await createUnderConmon(request, launcher);
    const conmon = Number((await readText(join(directory, CONMON_PID_FILE))).trim());
    const [first = '', watcher = ''] = await Promise.all([pid, conmon].map(identityTextOf));
    await writeFile(join(directory, INIT_FILE), first);
    await writeFile(join(directory, SHIM_FILE), watcher);
    container.init = parseShimIdentity(first);
    container.conmon = parseShimIdentity(watcher);
    if (container.init === undefined)
      throw containerError('CONTAINER_LAUNCH_FAILED', 'the container ended before it was started');
  }

  /** Attaches its networks and lets its first process go. */
  async start(container: OciContainer): Promise<StartedContainer> {
    const { spec, init } = container;
    assert(init !== undefined, `container ${spec.id} was created`);
    assert(!container.isStarted, `container ${spec.id} was started before`);
    await this.#attachNetworks(container, init.pid);
    await writeFile(join(container.directory, RELEASED_FILE), '');
    container.isStarted = true;
    this.#watch(container);
    const gate = join(this.#runtimeRoot(), spec.id, GATE_FILE);
    const { directory, ended } = container;
    if (hasTerminal(spec)) await releaseFromHook({ directory, gate, init, ended });
    else if (this.options.tools.kind === 'runc') await openGate(gate, ended);
    else await this.#call(['start', spec.id]);
    return startedOf(container);
  }

  /** Reads what an earlier process left. Undefined when the container was never started; then it is not there. */
  async recover(spec: ContainerSpec): Promise<OciContainer | undefined> {
    const { id } = spec;
    const directory = this.directoryOf(id);
    const init = parseShimIdentity(await readText(join(directory, INIT_FILE)));
    const conmon = parseShimIdentity(await readText(join(directory, SHIM_FILE)));
    const isAtGate = await exists(join(this.#runtimeRoot(), id, GATE_FILE));
    const wasReleased = await exists(join(directory, RELEASED_FILE));
    if (init === undefined || conmon === undefined || (isAtGate && !wasReleased)) return undefined;
    // Whoever opened the gate died before it was gone; the task may run, and is not started twice.
    if (isAtGate) await this.#finishStart(spec, init);
    const container: OciContainer = { ...this.newContainer(spec), init, conmon, isStarted: true };
    const addresses = await readText(join(directory, ADDRESSES_FILE));
    if (addresses !== '') container.networks = JSON.parse(addresses) as readonly AttachedNetwork[];
    if (await this.#isOver(container)) await this.#settle(container);
    else this.#watch(container);
    return container;
  }

  async #finishStart(spec: ContainerSpec, init: ShimIdentity): Promise<void> {
    const { id } = spec;
    const gate = join(this.#runtimeRoot(), id, GATE_FILE);
    if (hasTerminal(spec)) {
      await finishFromHook({ directory: this.directoryOf(id), gate, init });
    } else if (this.options.tools.kind === 'runc') {
      await finishGate(gate, init.pid);
    } else {
      try {
        await this.#call(['start', id]);
      } catch (error) {
        const event = { event: 'start.finished', containerId: id, error: errorText(error) };
        this.options.logger.info(event, 'a start that was under way needs no more');
      }
    }
  }

  async hostOf(container: OciContainer): Promise<OciHost> {
    container.host ??= await keptHost(container.directory);
    return container.host;
  }

  async signal(container: OciContainer, signal: ContainerSignal): Promise<void> {
    const { init, spec } = container;
    if (container.status !== undefined || !container.isStarted) return;
    if (signal === 'SIGKILL') await this.kill(container);
    else if (spec.container?.linux_info?.share_pid_namespace === true)
      await signalGroupOf(this.options.cgroups, groupOf(spec.id), signal);
    // The first process hands the signal on to the task.
    else await signalProcess(init, signal);
  }

  /** Resolves when no process of it is left. */
  async kill({ init, spec }: OciContainer): Promise<void> {
    await signalProcess(init, 'SIGKILL');
    await killGroup(this.options.cgroups, groupOf(spec.id), this.options.logger);
  }

  /** Frees all that a container or a session holds on this host. */
  async discard(id: string): Promise<void> {
    const { cgroups, cni, logger } = this.options;
    const directory = this.directoryOf(id);
    if (id.startsWith(SESSION_PREFIX)) {
      const known = parseShimIdentity(await readText(join(directory, SHIM_FILE)));
      if (known !== undefined && (await isRunning(known))) sendToGroup(known.pid, 'SIGKILL');
    } else {
      await killGroup(cgroups, groupOf(id), logger);
      await this.#forget(id);
      await detachNetworks({ containerId: id, directory }, cni);
    }
    await rm(directory, { recursive: true, force: true });
  }

  /** What the runtime holds of a container without processes: its groups, its state. As its `delete` would do. */
  async #forget(id: string): Promise<void> {
    const state = join(this.#runtimeRoot(), id);
    const { cgroups, logger } = this.options;
    if (!(await removeGroups(cgroups.directories(groupOf(id))))) {
      logger.warn({ event: 'cgroup.stays', containerId: id }, 'a cgroup cannot be removed');
      // It knows more ways, such as waking what is frozen, and otherwise says what is the matter.
      if (await exists(state)) await this.#call(['delete', '--force', id]);
    }
    await rm(state, { recursive: true, force: true });
  }

  /** A container has networks once it is made, and waits to be started. */
  async #attachNetworks(container: OciContainer, pid: number): Promise<void> {
    const { spec, directory } = container;
    const wanted = networksOf(spec.container);
    if (wanted.kind === 'host') return;
    const target = { containerId: spec.id, directory, pid };
    const networks = await attachNetworks(target, wanted.networks, this.options.cni);
    await keepNetworks(container, networks);
    const { names } = await this.hostOf(container);
    await fillNameFiles(names, hostnameOf(spec), {
      addresses: networks.flatMap(({ ipAddresses }) => ipAddresses),
      // The first network that says something: lists of several would contradict each other.
      resolver: networks.find(({ resolver }) => resolver.length > 0)?.resolver ?? [],
    });
  }

  #watch(container: OciContainer): void {
    let isOutOfMemory = false;
    this.#reaper.watch({
      directory: container.directory,
      pid: () => container.conmon?.pid,
      isOver: async () => {
        // At once: with a thousand containers, turns of the thread pool would cost more than the looks.
        if (!isOutOfMemory && existsSync(join(container.directory, OOM_FILE))) {
          isOutOfMemory = true;
          // As in the original, a container of which the kernel killed a part ends as a whole.
          await this.kill(container);
        }
        return await this.#isOver(container);
      },
      onOver: () => void this.#settle(container),
    });
  }

  async #isOver({ directory, spec, conmon }: OciContainer): Promise<boolean> {
    if (existsSync(join(directory, spec.id))) return true;
    return conmon === undefined || !(await isRunning(conmon));
  }

  /** It is over: finds out how, and sees to it that no process of it is left. */
  async #settle(container: OciContainer): Promise<void> {
    if (container.status !== undefined) return;
    let status: ExitStatus;
    try {
      await this.kill(container);
      status = await this.#endOf(container);
    } catch (error) {
      status = { kind: 'unknown', message: errorText(error) };
    }
    container.status ??= status;
    for (const session of container.sessions) session.signal(constants.signals.SIGKILL);
    container.end(container.status);
  }

  async #endOf({ spec, directory }: OciContainer): Promise<ExitStatus> {
    const { cgroups } = this.options;
    const fate = await memoryFate(cgroups.version, cgroupReader(cgroups, groupOf(spec.id)));
    // conmon hears of it before the kernel kills, and our own kill may be faster.
    const wasTold = await exists(join(directory, OOM_FILE));
    const kills = Math.max(fate.kills, wasTold ? 1 : 0);
    return exitStatusOf(await readText(join(directory, spec.id)), { ...fate, kills });
  }

  async #call(vector: readonly string[]): Promise<void> {
    const [file, ...general] = this.runtime;
    await runToolIn(this.options.launcher, file, [...general, ...vector]);
  }

  #runtimeRoot(): string {
    return join(this.options.stateRoot, RUNTIME_DIRECTORY);
  }
}

async function keepNetworks(
  container: OciContainer,
  networks: readonly AttachedNetwork[],
): Promise<void> {
  container.networks = networks;
  await writeFile(join(container.directory, ADDRESSES_FILE), JSON.stringify(networks));
}

/** What is told about a container that runs. */
export function startedOf({ init, networks = [] }: OciContainer): StartedContainer {
  return {
    pid: init?.pid ?? 0,
    ipAddresses: networks.flatMap(({ ipAddresses }) => ipAddresses),
    ...(networks.length > 0 && {
      networks: networks.map(({ name, ipAddresses }) => ({ name, ipAddresses })),
    }),
  };
}
