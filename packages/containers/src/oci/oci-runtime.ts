/**
 * Runs tasks as containers of an OCI runtime (`runc` or `crun`), each under `conmon`.
 *
 * Invariants:
 * - Everything about a container is in its directory below the state root; `recover` needs nothing else.
 * - A container has ended when conmon's exit file is there, or when conmon is gone: then what is left of it is
 *   killed, and nobody knows its status.
 * - A process is only signalled after its start time was compared.
 * - Mounts live in the container's own mount namespace, so that there are none to undo.
 */

import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { arch } from 'node:process';
import { assert, errorText, type Logger } from '@dcos/base';
import { containerError } from '../errors.ts';
import { sendToGroup } from '../process/process-group.ts';
import { identityTextOf, isRunning } from '../process/process-table.ts';
import { createReaper, type Reaper } from '../process/reaper.ts';
import { parseShimIdentity, SHIM_FILE, type ShimIdentity } from '../process/shim.ts';
import { exists, readText } from '../process/state-files.ts';
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
import type { ContainerSession, SessionOptions } from '../session.ts';
import { findCgroups, type CgroupHost } from './cgroup-host.ts';
import type { CgroupOptions } from './cgroup-settings.ts';
import { cgroupReader, cgroupUsage, memoryFate } from './cgroup-usage.ts';
import {
  CONMON_PID_FILE,
  createUnderConmon,
  TOOL_ENVIRONMENT,
  writeRuntimeScript,
  type OciTools,
} from './conmon.ts';
import { exitStatusOf } from './exit-status.ts';
import { execInOci, openOciSession, type InContainer } from './inside.ts';
import { configText, ociConfig, surroundings, type OciHost } from './oci-config.ts';
import { findTools, hostProblem } from './preflight.ts';
import { runTool } from './run-tool.ts';
import { hostUser, userOf } from './users.ts';

/** Containers that are made at once; more only make each other late. */
const CREATES_AT_ONCE = 4;
/** Where the containers' groups are; the original's. */
const CGROUP_ROOT = '/mesos';
/** Looks for what is left of a container before it is given up as unkillable. */
const KILL_ROUNDS = 100;
const KILL_ROUND_MS = 20;
/** Identity of a container's first process. */
const INIT_FILE = 'init';
/** Written by conmon when the kernel killed for lack of memory. */
const OOM_FILE = 'oom';

export interface OciRuntimeOptions {
  /** Directory of this agent alone; one folder per container. */
  readonly stateRoot: string;
  readonly logger: Logger;
  readonly runtime?: 'runc' | 'crun';
  readonly cgroups?: Partial<CgroupOptions>;
}

const DEFAULT_CGROUPS: CgroupOptions = { hasCpuQuota: false, pidsMax: 32_768 };

interface Entry {
  readonly spec: ContainerSpec;
  readonly directory: string;
  readonly ended: Promise<ExitStatus>;
  readonly end: (status: ExitStatus) => void;
  status?: ExitStatus;
  host?: OciHost;
  init: ShimIdentity | undefined;
  conmon: ShimIdentity | undefined;
  isStarted: boolean;
  readonly sessions: Set<ContainerSession>;
}

interface Ready {
  readonly tools: OciTools;
  readonly cgroups: CgroupHost;
  readonly script: string;
}

/** Makes the runtime; nothing is touched before the first call. */
export function createOciRuntime(options: OciRuntimeOptions): ContainerRuntime {
  return new OciRuntime(options);
}

class OciRuntime implements ContainerRuntime {
  readonly name = 'oci';
  readonly #options: OciRuntimeOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #reaper: Reaper;
  readonly #creates = createTurnstile(CREATES_AT_ONCE);
  /** Removals under way. */
  readonly #discards = new Set<Promise<void>>();
  #ready: Promise<Ready> | undefined;

  constructor(options: OciRuntimeOptions) {
    this.#options = options;
    this.#reaper = createReaper(options.logger);
  }

  async unavailable(): Promise<string | undefined> {
    return await hostProblem(this.#options.runtime ?? 'runc');
  }

  async prepare(spec: ContainerSpec): Promise<void> {
    refuse(spec);
    ociConfig(spec, await this.#hostOf(spec));
  }

  async create(spec: ContainerSpec): Promise<void> {
    await this.#creates.through(async () => await this.#create(spec));
  }

  async start(id: string): Promise<StartedContainer> {
    const entry = this.#entry(id);
    assert(entry.init !== undefined, `container ${id} was created`);
    assert(!entry.isStarted, `container ${id} was started before`);
    entry.isStarted = true;
    this.#watch(entry);
    await this.#runtime(['start', id]);
    return { pid: entry.init.pid, ipAddresses: [] };
  }

  async signal(id: string, signal: ContainerSignal): Promise<void> {
    const entry = this.#entry(id);
    if (entry.status !== undefined || !entry.isStarted) return;
    if (signal === 'SIGKILL') await this.#kill(entry);
    else await this.#signalOnce(entry, signal);
  }

  async wait(id: string): Promise<ExitStatus> {
    return await this.#entry(id).ended;
  }

  async stats(id: string): Promise<ContainerStats | undefined> {
    const entry = this.#entry(id);
    if (entry.status !== undefined || !entry.isStarted) return undefined;
    const { cgroups } = await this.#getReady();
    const usage = await cgroupUsage(
      cgroups.version,
      cgroupReader(cgroups, groupOf(id)),
      Date.now(),
    );
    return entry.status === undefined ? usage : undefined;
  }

  async exec(id: string, options: ExecOptions): Promise<ExecResult> {
    return await execInOci(await this.#inside(id, options.command.user), options);
  }

  async openSession(id: string, options: SessionOptions): Promise<ContainerSession> {
    const entry = this.#entry(id);
    if (entry.status !== undefined || !entry.isStarted)
      throw containerError('CONTAINER_UNKNOWN', `container ${id} does not run`);
    const session = await openOciSession(await this.#inside(id, options.command.user), options);
    entry.sessions.add(session);
    void session.ended.finally(() => entry.sessions.delete(session));
    // The container may have ended meanwhile.
    if (entry.status !== undefined) session.signal(constants.signals.SIGKILL);
    return session;
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
    if (entry.status === undefined && entry.isStarted) {
      await this.#kill(entry);
      await entry.ended;
    }
    this.#entries.delete(id);
    const discarded = this.#discard(id);
    this.#discards.add(discarded);
    try {
      await discarded;
    } finally {
      this.#discards.delete(discarded);
    }
  }

  async recover(known: readonly ContainerSpec[]): Promise<readonly RecoveredContainer[]> {
    const { stateRoot, logger } = this.#options;
    await mkdir(stateRoot, { recursive: true, mode: 0o700 });
    const wanted = new Set(known.map(({ id }) => id));
    for (const item of await readdir(stateRoot, { withFileTypes: true })) {
      if (!item.isDirectory() || item.name === RUNTIME_DIRECTORY || wanted.has(item.name)) continue;
      logger.warn({ event: 'orphan.killed', containerId: item.name }, 'removing an orphan');
      await this.#discard(item.name);
    }
    return await Promise.all(known.map(async (spec) => await this.#recoverOne(spec)));
  }

  async close(): Promise<void> {
    this.#reaper.close();
    this.#entries.clear();
    // What was begun is ended, so that nothing of it is left; who asked for it hears of a failure.
    await Promise.allSettled(this.#discards);
  }

  async #create(spec: ContainerSpec): Promise<void> {
    const { tools, script } = await this.#getReady();
    const { id, sandboxPath } = spec;
    const directory = this.#directoryOf(id);
    await mkdir(join(directory, ROOT_DIRECTORY), { recursive: true });
    const entry = this.#adopt(spec);
    entry.host = await this.#hostOf(spec);
    await writeFile(join(directory, 'config.json'), configText(ociConfig(spec, entry.host)));
    const { user } = entry.host;
    const runtimeRoot = this.#runtimeRoot();
    const pid = await createUnderConmon({
      id,
      tools,
      script,
      directory,
      runtimeRoot,
      sandboxPath,
      user,
    });
    const conmon = Number((await readText(join(directory, CONMON_PID_FILE))).trim());
    const [init, watcher] = await Promise.all([pid, conmon].map(identityTextOf));
    await writeFile(join(directory, INIT_FILE), init ?? '');
    await writeFile(join(directory, SHIM_FILE), watcher ?? '');
    entry.init = parseShimIdentity(init ?? '');
    entry.conmon = parseShimIdentity(watcher ?? '');
    if (entry.init === undefined)
      throw containerError('CONTAINER_LAUNCH_FAILED', 'the container ended before it was started');
  }

  /** What the host adds to a spec; the same again after a restart. */
  async #hostOf(spec: ContainerSpec): Promise<OciHost> {
    const { tools } = await this.#getReady();
    return {
      rootPath: join(this.#directoryOf(spec.id), ROOT_DIRECTORY),
      user: await userOf(spec, undefined),
      initPath: tools.init,
      cgroupsPath: groupOf(spec.id),
      cgroups: { ...DEFAULT_CGROUPS, ...this.#options.cgroups },
      names: {},
      network: 'host',
      processor: arch,
    };
  }

  async #recoverOne(spec: ContainerSpec): Promise<RecoveredContainer> {
    const { id } = spec;
    const directory = this.#directoryOf(id);
    const init = parseShimIdentity(await readText(join(directory, INIT_FILE)));
    const conmon = parseShimIdentity(await readText(join(directory, SHIM_FILE)));
    // The runtime removes the pipe on which the first process waits once it was started.
    const isWaiting = await exists(join(this.#runtimeRoot(), id, 'exec.fifo'));
    if (init === undefined || conmon === undefined || isWaiting) {
      await this.#discard(id);
      return { kind: 'absent', id };
    }
    const entry = this.#adopt(spec);
    entry.init = init;
    entry.conmon = conmon;
    entry.isStarted = true;
    if ((await exists(this.#exitFile(entry))) || !(await isRunning(conmon))) {
      await this.#settle(entry);
      return { kind: 'exited', id, status: await entry.ended };
    }
    this.#watch(entry);
    return { kind: 'running', id, started: { pid: init.pid, ipAddresses: [] } };
  }

  #watch(entry: Entry): void {
    let isOutOfMemory = false;
    this.#reaper.watch({
      directory: entry.directory,
      isOver: async () => {
        if (await exists(this.#exitFile(entry))) return true;
        if (!isOutOfMemory && (await exists(join(entry.directory, OOM_FILE)))) {
          isOutOfMemory = true;
          // As in the original, a container of which the kernel killed a part ends as a whole.
          await this.#kill(entry);
        }
        return entry.conmon === undefined || !(await isRunning(entry.conmon));
      },
      onOver: () => void this.#settle(entry),
    });
  }

  /** The container is over: finds out how, and sees to it that nothing is left of it. */
  async #settle(entry: Entry): Promise<void> {
    if (entry.status !== undefined) return;
    let status: ExitStatus;
    try {
      await this.#kill(entry);
      const { cgroups } = await this.#getReady();
      const reader = cgroupReader(cgroups, groupOf(entry.spec.id));
      const fate = await memoryFate(cgroups.version, reader);
      // The supervisor hears of it before the kernel kills, and our own kill may be faster.
      const wasTold = await exists(join(entry.directory, OOM_FILE));
      status = exitStatusOf(await readText(this.#exitFile(entry)), {
        ...fate,
        kills: Math.max(fate.kills, wasTold ? 1 : 0),
      });
    } catch (error) {
      status = { kind: 'unknown', message: errorText(error) };
    }
    entry.status ??= status;
    for (const session of entry.sessions) session.signal(constants.signals.SIGKILL);
    entry.end(entry.status);
  }

  async #signalOnce(entry: Entry, signal: ContainerSignal): Promise<void> {
    const { init, spec } = entry;
    if (spec.container?.linux_info?.share_pid_namespace !== true) {
      // It hands the signal on to the task.
      if (init !== undefined && (await isRunning(init))) sendTo(init.pid, signal);
      return;
    }
    for (const pid of await this.#processesOf(spec.id)) sendTo(pid, signal);
  }

  /** Kills all processes of the container, however fast they multiply: their number is bounded. */
  async #kill(entry: Entry): Promise<void> {
    const { init } = entry;
    if (init !== undefined && (await isRunning(init))) sendTo(init.pid, 'SIGKILL');
    await this.#killGroup(entry.spec.id);
  }

  async #killGroup(id: string): Promise<void> {
    for (let round = 0; round < KILL_ROUNDS; round++) {
      const pids = await this.#processesOf(id);
      if (pids.length === 0) return;
      for (const pid of pids) sendTo(pid, 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, KILL_ROUND_MS));
    }
    this.#options.logger.error(
      { event: 'container.unkillable', containerId: id },
      'processes of a container do not end',
    );
  }

  /** Read at the moment of use: a pid in the group is a process of the container. */
  async #processesOf(id: string): Promise<readonly number[]> {
    const { cgroups } = await this.#getReady();
    const text = await cgroupReader(cgroups, groupOf(id)).read('pids', 'cgroup.procs');
    return (text ?? '')
      .split('\n')
      .map(Number)
      .filter((pid) => pid > 1);
  }

  /** Frees all that a container or a session held. */
  async #discard(id: string): Promise<void> {
    const directory = this.#directoryOf(id);
    const known = parseShimIdentity(await readText(join(directory, SHIM_FILE)));
    if (id.startsWith(SESSION_PREFIX)) {
      if (known !== undefined && (await isRunning(known))) sendToGroup(known.pid, 'SIGKILL');
    } else {
      await this.#killGroup(id);
      if (await exists(join(this.#runtimeRoot(), id)))
        await this.#runtime(['delete', '--force', id]);
    }
    await rm(directory, { recursive: true, force: true });
  }

  async #runtime(vector: readonly string[]): Promise<void> {
    const { tools } = await this.#getReady();
    await runTool(tools.runtime, [`--root=${this.#runtimeRoot()}`, ...vector]);
  }

  async #inside(id: string, asked: string | undefined): Promise<InContainer> {
    const entry = this.#entry(id);
    const { tools } = await this.#getReady();
    entry.host ??= await this.#hostOf(entry.spec);
    const user = asked === undefined ? entry.host.user : await hostUser(asked);
    return {
      runtime: [tools.runtime, `--root=${this.#runtimeRoot()}`],
      id,
      process: surroundings(entry.spec, { ...entry.host, user }),
      directory: join(this.#options.stateRoot, `${SESSION_PREFIX}${randomUUID()}`),
      environment: TOOL_ENVIRONMENT,
    };
  }

  #adopt(spec: ContainerSpec): Entry {
    const { promise, resolve } = Promise.withResolvers<ExitStatus>();
    const entry: Entry = {
      spec,
      directory: this.#directoryOf(spec.id),
      ended: promise,
      end: resolve,
      init: undefined,
      conmon: undefined,
      isStarted: false,
      sessions: new Set(),
    };
    this.#entries.set(spec.id, entry);
    return entry;
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw containerError('CONTAINER_UNKNOWN', `no container ${id}`);
    return entry;
  }

  async #getReady(): Promise<Ready> {
    // What failed is tried again: a package may be installed meanwhile.
    this.#ready ??= this.#makeReady().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    return await this.#ready;
  }

  async #makeReady(): Promise<Ready> {
    const { stateRoot, runtime = 'runc' } = this.#options;
    const problem = await hostProblem(runtime);
    const tools = await findTools(runtime);
    const cgroups = await findCgroups();
    if (problem !== undefined || 'missing' in tools || cgroups === undefined)
      throw containerError('RUNTIME_UNAVAILABLE', problem ?? 'the oci runtime lacks its tools');
    await mkdir(this.#runtimeRoot(), { recursive: true, mode: 0o700 });
    const script = await writeRuntimeScript(stateRoot, tools.tools.runtime);
    await chmod(stateRoot, 0o711);
    return { tools: tools.tools, cgroups, script };
  }

  #directoryOf(id: string): string {
    return join(this.#options.stateRoot, id);
  }

  #runtimeRoot(): string {
    return join(this.#options.stateRoot, RUNTIME_DIRECTORY);
  }

  #exitFile({ directory, spec }: Entry): string {
    return join(directory, spec.id);
  }
}

/** Of the OCI runtime itself, beside the containers' directories. */
const RUNTIME_DIRECTORY = 'runtime';
const SESSION_PREFIX = 'session-';
const ROOT_DIRECTORY = 'root';

const groupOf = (id: string): string => `${CGROUP_ROOT}/${id}`;

function sendTo(pid: number, signal: ContainerSignal): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended meanwhile, which is what a signal was meant to achieve or cannot change.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function refuse({ container }: ContainerSpec): void {
  if (container?.docker !== undefined || container?.mesos?.image !== undefined)
    throw containerError('CONTAINER_INVALID', 'the oci runtime cannot run images yet');
  const networks = container?.network_infos ?? [];
  if (networks.some(({ name, port_mappings }) => name !== undefined || port_mappings?.length))
    throw containerError('CONTAINER_INVALID', 'the oci runtime has no container networks yet');
}
