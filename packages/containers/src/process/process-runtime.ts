/**
 * Runs tasks as plain POSIX processes under the shim of `shim.ts`: no root, no image, any laptop.
 *
 * Invariants:
 * - A signal goes to the group only while the shim has been seen to be ours: pid and start time match.
 * - A container has ended when its `status` file is there, or when its shim is gone; in the latter case the
 *   agent's own SIGKILL (`killed` file) is told from a death that nobody saw.
 */

import { randomUUID } from 'node:crypto';
import { chmod, chown, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { getgid, getuid } from 'node:process';
import { assert, errorText, type Logger } from '@dcos/base';
import { containerError } from '../errors.ts';
import { attachSandbox } from '../sandbox-output.ts';
import type {
  ContainerRuntime,
  ContainerSignal,
  ContainerSpec,
  ContainerStats,
  Detach,
  ExitStatus,
  OutputStream,
  RecoveredContainer,
  StartedContainer,
} from '../runtime.ts';
import {
  hasTerminal,
  type ContainerSession,
  type ContainerTerminal,
  type SessionOptions,
} from '../session.ts';
import { accountOf, type Account } from './accounts.ts';
import { runCommand, vectorInShim } from './run-command.ts';
import { fateOf, hasEnded, isRunning, usageBySession } from './process-table.ts';
import { sendToGroup, signalGroup } from './process-group.ts';
import { createReaper, type Reaper } from './reaper.ts';
import { createSessionSweep, type SessionSweep } from './session-sweep.ts';
import { openProcessSession } from './session.ts';
import { borrowShimLauncher, type LaunchRequest, type ShimLauncher } from './shim-launcher.ts';
import { exists, readText, taskPid } from './state-files.ts';
import { connectTerminal, startAtTerminal, terminalClosed } from './switchboard.ts';
import { createTurnstile } from './turnstile.ts';
import {
  KILLED_FILE,
  SHIM_AT_TERMINAL,
  SHIM_FILE,
  STATUS_FILE,
  parseShimIdentity,
  parseStatus,
  type ShimIdentity,
} from './shim.ts';

/** How long a shim may take to report the pid of its task. */
const START_TIMEOUT_MS = 10_000;
/** Starts under way at once; more only make each other late. */
const STARTS_AT_ONCE = 16;
/** For how long one look at the process table answers questions about usage. */
const USAGE_AGE_MS = 500;

export interface ProcessRuntimeOptions {
  /** Directory of this agent alone; one folder per container. */
  readonly stateRoot: string;
  readonly logger: Logger;
}

interface Entry {
  readonly spec: ContainerSpec;
  readonly statePath: string;
  readonly ended: Promise<ExitStatus>;
  readonly end: (status: ExitStatus) => void;
  status?: ExitStatus;
  /** The task was seen to have ended, its status not yet. */
  isEnding?: boolean;
  /** We sent SIGKILL and could not write that down. */
  isKilled?: boolean;
  shim: ShimIdentity | undefined;
  /** Leader of session and group: the shim's pid. */
  group: number | undefined;
  readonly sessions: Set<ContainerSession>;
}

/** Whom the output of tasks without an account of their own belongs to. */
const OURSELVES: Account = { uid: getuid?.() ?? 0, gid: getgid?.() ?? 0 };

/** Makes the runtime; nothing is touched before the first call. */
export function createProcessRuntime(options: ProcessRuntimeOptions): ContainerRuntime {
  return new ProcessRuntime(options);
}

class ProcessRuntime implements ContainerRuntime {
  readonly name = 'process';
  readonly #options: ProcessRuntimeOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #reaper: Reaper;
  readonly #starts = createTurnstile(STARTS_AT_ONCE);
  readonly #launcher: ShimLauncher;
  readonly #sweep: SessionSweep;
  #stateRoot: Promise<void> | undefined;
  #usage: { readonly atMs: number; readonly table: ReturnType<typeof usageBySession> } | undefined;

  constructor(options: ProcessRuntimeOptions) {
    this.#options = options;
    this.#reaper = createReaper(options.logger);
    this.#launcher = borrowShimLauncher(options.logger);
    this.#sweep = createSessionSweep((group) => sendToGroup(group, 'SIGKILL'), options.logger);
  }

  async unavailable(): Promise<string | undefined> {
    try {
      await stat('/bin/sh');
      return undefined;
    } catch (error) {
      return `there is no /bin/sh: ${errorText(error)}`;
    }
  }

  async prepare(spec: ContainerSpec): Promise<void> {
    vectorInShim(spec.command, spec.environment);
    if (spec.container?.docker !== undefined || spec.container?.mesos?.image !== undefined) {
      throw containerError('CONTAINER_INVALID', 'the process runtime cannot run images');
    }
    if ((spec.container?.volumes ?? []).length > 0) {
      throw containerError('CONTAINER_INVALID', 'the process runtime mounts no volumes');
    }
    if ((spec.gpus ?? []).length > 0)
      throw containerError('CONTAINER_INVALID', 'GPUs need another runtime than process');
    const networks = spec.container?.network_infos ?? [];
    if (networks.some(({ name, port_mappings }) => name !== undefined || port_mappings?.length)) {
      // Silently on the host's network would be another network than the one that was asked for.
      throw containerError(
        'CONTAINER_INVALID',
        'the process runtime has no container networks; run it on the host network, or with Docker',
      );
    }
    if (spec.user !== undefined) await accountOf(spec.user);
    this.#launcher.warmUp();
  }

  async create(spec: ContainerSpec): Promise<void> {
    await (this.#stateRoot ??= this.#makeStateRoot());
    this.#adopt(spec, join(this.#options.stateRoot, spec.id));
  }

  async start(id: string): Promise<StartedContainer> {
    return await this.#starts.through(async () => await this.#start(id));
  }

  async #start(id: string): Promise<StartedContainer> {
    const entry = this.#entry(id);
    const { spec, statePath } = entry;
    assert(entry.group === undefined, `container ${id} was started before`);
    const vector = vectorInShim(spec.command, spec.environment);
    const account = spec.user === undefined ? undefined : await accountOf(spec.user);
    if (account !== undefined) await chown(spec.sandboxPath, account.uid, account.gid);
    const request = {
      statePath,
      vector,
      directory: spec.sandboxPath,
      environment: spec.environment,
      account,
    };
    const pid = hasTerminal(spec)
      ? await this.#launchAtTerminal(entry, request)
      : await this.#launch(entry, request);
    return { pid, ipAddresses: [] };
  }

  /** The same under a switchboard: its shim leads the session of a terminal, and is nobody's child that we know. */
  async #launchAtTerminal(entry: Entry, request: LaunchRequest): Promise<number> {
    const { spec, statePath } = entry;
    const { account, vector, directory, environment } = request;
    const start = await startAtTerminal(
      {
        file: '/bin/sh',
        vector: ['-c', SHIM_AT_TERMINAL, 'dcos-shim', statePath, '0', ...vector],
        directory,
        environment,
        account,
        statePath,
        makesState: true,
        size: spec.container?.tty_info?.window_size,
        sandboxPath: spec.sandboxPath,
        owner: account ?? OURSELVES,
        marks: [],
      },
      this.#launcher,
    );
    if (start.kind === 'started') {
      await this.#shimOf(entry);
      this.#watch(entry);
      return start.pid;
    }
    const message = start.kind === 'lost' ? 'the launcher of tasks died' : start.message;
    if (start.kind === 'lost') await this.#giveUp(entry);
    else this.#end(entry, { kind: 'unknown', message });
    throw containerError('CONTAINER_LAUNCH_FAILED', `cannot start the task: ${message}`);
  }

  /** Resolves with the task's pid. Whatever happens, the entry's end is told sooner or later. */
  async #launch(entry: Entry, request: LaunchRequest): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const refuse = (message: string): void =>
      reject(containerError('CONTAINER_LAUNCH_FAILED', message));
    let startedPid: number | undefined;
    // The launcher and the shim tell by different pipes: either may come first, and both are needed to signal a task.
    const onceBoth = (): void => {
      if (startedPid !== undefined && entry.group !== undefined) resolve(startedPid);
    };
    const timer = setTimeout(() => refuse('the shim did not report in time'), START_TIMEOUT_MS);
    this.#launcher.launch(request, {
      spawned: (group) => {
        entry.group = group;
        onceBoth();
      },
      started: (pid) => {
        startedPid = pid;
        onceBoth();
      },
      failed: (message) => {
        this.#end(entry, { kind: 'unknown', message });
        refuse(message);
      },
      exited: ({ status, pid, notices, how }) => {
        const recorded = parseStatus(status);
        if (recorded === undefined) void this.#settle(entry);
        else this.#end(entry, recorded);
        // A short task may be over before its start is known here.
        if (pid !== '') resolve(Number(pid.trim()));
        else refuse(`cannot start the task: ${notices.trim() || `its shim ended with ${how}`}`);
      },
      lost: () => {
        if (startedPid !== undefined) {
          this.#watch(entry);
          // It cannot tell any more; the shim has written down who it is.
          void this.#shimOf(entry).then(onceBoth, reject);
        } else void this.#giveUp(entry).then(() => refuse('the launcher of tasks died'), reject);
      },
    });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Nobody can say whether there is a shim. Without its directory it starts nothing any more; when it was
   * faster, its identity is in there.
   */
  async #giveUp(entry: Entry): Promise<void> {
    const fenced = `${entry.statePath}.lost`;
    try {
      await rename(entry.statePath, fenced);
      await this.#removeOrphan(`${entry.spec.id}.lost`);
    } catch (error) {
      // Not even the directory was made, and nobody makes it any more.
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    } finally {
      this.#end(entry, { kind: 'unknown', message: 'the launcher of tasks died' });
    }
  }

  async signal(id: string, signal: ContainerSignal): Promise<void> {
    const entry = this.#entry(id);
    if (entry.status !== undefined) return;
    const shim = await this.#shimOf(entry);
    if (entry.group === undefined) return;
    if (shim !== undefined && !(await isRunning(shim))) return;
    if (signal === 'SIGKILL') {
      // Its shim is about to write down how it ended, and ends what is left by itself: it is given that one chance.
      if (entry.isEnding !== true && (await hasEnded(await taskPid(entry.statePath)))) {
        entry.isEnding = true;
        return;
      }
      await this.#noteKill(entry);
    }
    signalGroup(entry.group, signal);
  }

  async wait(id: string): Promise<ExitStatus> {
    return await this.#entry(id).ended;
  }

  async stats(id: string): Promise<ContainerStats | undefined> {
    const entry = this.#entry(id);
    if (entry.group === undefined || entry.status !== undefined) return undefined;
    const nowMs = performance.now();
    if (this.#usage === undefined || nowMs - this.#usage.atMs > USAGE_AGE_MS) {
      this.#usage = { atMs: nowMs, table: usageBySession(Date.now()) };
    }
    return (await this.#usage.table).get(entry.group);
  }

  async exec(
    id: string,
    options: Parameters<ContainerRuntime['exec']>[1],
  ): ReturnType<ContainerRuntime['exec']> {
    const { spec } = this.#entry(id);
    const user = options.command.user ?? spec.user;
    return await runCommand({
      command: options.command,
      directory: spec.sandboxPath,
      environment: { ...spec.environment, ...options.environment },
      account: user === undefined ? undefined : await accountOf(user),
      timeoutMs: options.timeoutMs,
    });
  }

  async openSession(id: string, options: SessionOptions): Promise<ContainerSession> {
    const entry = this.#entry(id);
    if (entry.group === undefined || entry.status !== undefined)
      throw containerError('CONTAINER_UNKNOWN', `container ${id} does not run`);
    const { spec, sessions } = entry;
    const user = options.command.user ?? spec.user;
    const session = await openProcessSession({
      ...options,
      statePath: join(this.#options.stateRoot, `session-${randomUUID()}`),
      directory: spec.sandboxPath,
      environment: { ...spec.environment, ...options.environment },
      account: user === undefined ? undefined : await accountOf(user),
    });
    sessions.add(session);
    void session.ended.finally(() => sessions.delete(session));
    // The container may have ended meanwhile.
    if (entry.status !== undefined) session.signal(constants.signals.SIGKILL);
    return session;
  }

  async openTerminal(id: string): Promise<ContainerTerminal> {
    const { spec, status, statePath } = this.#entry(id);
    if (!hasTerminal(spec) || status !== undefined)
      throw containerError('CONTAINER_UNKNOWN', `no terminal of a container ${id}`);
    return await connectTerminal(statePath);
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
    await this.signal(id, 'SIGKILL');
    if (entry.group !== undefined && entry.status === undefined) await entry.ended;
    this.#entries.delete(id);
    if (this.#launcher.remove(entry.statePath)) return;
    await rm(entry.statePath, { recursive: true, force: true });
  }

  async recover(known: readonly ContainerSpec[]): Promise<readonly RecoveredContainer[]> {
    await (this.#stateRoot ??= this.#makeStateRoot());
    const wanted = new Set(known.map((spec) => spec.id));
    for (const id of await readdir(this.#options.stateRoot)) {
      if (!wanted.has(id)) await this.#removeOrphan(id);
    }
    return await Promise.all(known.map(async (spec) => await this.#recoverOne(spec)));
  }

  async close(): Promise<void> {
    this.#reaper.close();
    this.#launcher.close();
    this.#entries.clear();
    await this.#sweep.close();
  }

  /** SIGKILL takes the shim along: this says whose it was. A full disk is no reason to let the task live. */
  async #noteKill(entry: Entry): Promise<void> {
    try {
      await writeFile(join(entry.statePath, KILLED_FILE), '');
    } catch (error) {
      entry.isKilled = true;
      this.#options.logger.warn(
        { event: 'kill.unrecorded', containerId: entry.spec.id, error: errorText(error) },
        'cannot record a kill; after a restart it would not be known as ours',
      );
    }
  }

  async #makeStateRoot(): Promise<void> {
    const { stateRoot } = this.#options;
    await mkdir(stateRoot, { recursive: true });
    // Tasks of other accounts come through to their own directory.
    await chmod(stateRoot, 0o711);
  }

  async #recoverOne(spec: ContainerSpec): Promise<RecoveredContainer> {
    const statePath = join(this.#options.stateRoot, spec.id);
    const identity = parseShimIdentity(await readText(join(statePath, SHIM_FILE)));
    if (identity === undefined) {
      await this.#fence(spec.id);
      return { kind: 'absent', id: spec.id };
    }
    const entry = this.#adopt(spec, statePath);
    entry.shim = identity;
    entry.group = identity.pid;
    const pid = await taskPid(statePath);
    if ((await isRunning(identity)) && (await this.#recordedStatus(entry)) === undefined) {
      this.#watch(entry);
      return {
        kind: 'running',
        id: spec.id,
        started: { pid: pid > 0 ? pid : identity.pid, ipAddresses: [] },
      };
    }
    await this.#settle(entry);
    return { kind: 'exited', id: spec.id, status: await entry.ended };
  }

  /** Looks after a task whose shim is nobody's child any more. */
  #watch(entry: Entry): void {
    this.#reaper.watch({
      directory: entry.statePath,
      pid: () => entry.group,
      isOver: async () => {
        if ((await this.#recordedStatus(entry)) !== undefined) return true;
        const shim = await this.#shimOf(entry);
        return shim === undefined || !(await isRunning(shim));
      },
      onOver: () => void this.#settle(entry),
    });
  }

  async #shimOf(entry: Entry): Promise<ShimIdentity | undefined> {
    entry.shim ??= parseShimIdentity(await readText(join(entry.statePath, SHIM_FILE)));
    // The launcher may have died before it could tell.
    entry.group ??= entry.shim?.pid;
    return entry.shim;
  }

  /**
   * Keeps the launcher of a predecessor, which may have the request still before it, from starting the container: it
   * starts none whose directory is there. The empty directory is an orphan of the next start.
   */
  async #fence(id: string): Promise<void> {
    await this.#removeOrphan(id);
    const statePath = join(this.#options.stateRoot, id);
    try {
      await mkdir(statePath, { mode: 0o700 });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      // It was faster, and there is one request for each container.
      await this.#removeOrphan(id);
    }
  }

  async #removeOrphan(id: string): Promise<void> {
    const statePath = join(this.#options.stateRoot, id);
    const identity = parseShimIdentity(await readText(join(statePath, SHIM_FILE)));
    if (identity !== undefined && (await isRunning(identity))) {
      this.#options.logger.warn(
        { event: 'orphan.killed', containerId: id },
        'killing an orphan container',
      );
      sendToGroup(identity.pid, 'SIGKILL');
    }
    await rm(statePath, { recursive: true, force: true });
  }

  #adopt(spec: ContainerSpec, statePath: string): Entry {
    const { promise, resolve } = Promise.withResolvers<ExitStatus>();
    const entry: Entry = {
      spec,
      statePath,
      ended: promise,
      end: resolve,
      shim: undefined,
      group: undefined,
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

  async #recordedStatus(entry: Entry): Promise<ExitStatus | undefined> {
    return parseStatus(await readText(join(entry.statePath, STATUS_FILE)));
  }

  /** The shim is gone: finds out how the task ended. */
  async #settle(entry: Entry): Promise<void> {
    if (entry.status !== undefined) return;
    let status: ExitStatus;
    try {
      status = await this.#endOf(entry);
    } catch (error) {
      status = { kind: 'unknown', message: errorText(error) };
    }
    this.#end(entry, status);
  }

  #end(entry: Entry, status: ExitStatus): void {
    if (entry.group !== undefined) this.#sweep.ended(entry.group);
    entry.status ??= status;
    for (const session of entry.sessions) session.signal(constants.signals.SIGKILL);
    entry.end(entry.status);
  }

  async #endOf(entry: Entry): Promise<ExitStatus> {
    // The switchboard writes what is left of the output.
    if (hasTerminal(entry.spec)) await terminalClosed(entry.statePath);
    const recorded = await this.#recordedStatus(entry);
    if (recorded !== undefined) return recorded;
    const wasKilled = entry.isKilled === true || (await exists(join(entry.statePath, KILLED_FILE)));
    await this.#killLeftovers(entry);
    return wasKilled
      ? { kind: 'signaled', signal: constants.signals.SIGKILL }
      : { kind: 'unknown', message: 'the process that watched over the task died' };
  }

  /** What a dead shim watched over is still in its group, whose number no new process gets meanwhile. */
  async #killLeftovers(entry: Entry): Promise<void> {
    if (entry.group === undefined) return;
    const shim = await this.#shimOf(entry);
    if (shim !== undefined && (await fateOf(shim)) !== 'gone') return;
    sendToGroup(entry.group, 'SIGKILL');
  }
}
