/**
 * The container runtime port: what an agent needs from anything that can run a container.
 *
 * Invariants that every adapter keeps, and that the contract suite checks:
 * - A started container outlives the process that started it; `recover` finds it again with its pid.
 * - The exit status is recorded where no one's memory is needed, and `wait` reports it also to a process
 *   that was not there when the container ended.
 * - Output is appended to `stdout` and `stderr` in the sandbox; none of it is lost or doubled by a restart.
 * - Nothing that a user wrote is ever pasted into the text of a shell program of ours.
 */

import type { CommandInfo, ContainerInfo } from '@dcos/wire';
import type { ContainerSession, ContainerTerminal, SessionOptions } from './session.ts';

/** What to run. The same value is given to `prepare`, `create` and, after a restart, to `recover`. */
export interface ContainerSpec {
  /** Unique for all time, such as a UUID; names directories and engine objects. */
  readonly id: string;
  /** Absolute path of an existing directory; the working directory of processes. */
  readonly sandboxPath: string;
  readonly command: CommandInfo;
  /** Image, networks, volumes; absent for a plain process. */
  readonly container?: ContainerInfo;
  /** The whole environment; nothing of the agent's own is added. */
  readonly environment: Readonly<Record<string, string>>;
  /** Account to run as; the agent's own when absent. */
  readonly user?: string;
  /** What is asked for: the share of cpus under contention, memory that is not taken back lightly. */
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Its cpus are lent: when others want theirs, they count a hundredth of that. */
  readonly isLowPriority?: boolean;
  /** Minor numbers of the NVIDIA devices that it may use; with `oci` and `docker`. */
  readonly gpus?: readonly number[];
  /** A running container whose networks, names and ipc this one shares; only with `oci`. */
  readonly parentId?: string;
  /** Sandbox of the pod or container around it, for volumes that are shared there. */
  readonly parentSandboxPath?: string;
  /** What may be used at most, apart from what is asked for; `Infinity` for no limit. */
  readonly limits?: { readonly cpus?: number; readonly memoryBytes?: number };
}

/** Of an end by lack of memory, where the adapter knows it. */
export interface MemoryAtEnd {
  readonly limitBytes?: number;
  readonly peakBytes?: number;
}

interface HowEnded {
  /** The kernel killed for lack of memory. */
  readonly outOfMemory?: boolean;
  readonly memory?: MemoryAtEnd;
}

export type ExitStatus =
  | ({ readonly kind: 'exited'; readonly code: number } & HowEnded)
  | ({ readonly kind: 'signaled'; readonly signal: number } & HowEnded)
  /** The container is gone and nobody saw how it ended. */
  | { readonly kind: 'unknown'; readonly message: string };

export interface StartedContainer {
  /** Process id on the host of the container's first process; 0 when that has ended already. */
  readonly pid: number;
  /** Addresses of the container's own; empty when it shares the host's network. */
  readonly ipAddresses: readonly string[];
  /** The same by network, in order; absent where there are no networks with names. */
  readonly networks?: readonly { readonly name: string; readonly ipAddresses: readonly string[] }[];
}

export type RecoveredContainer =
  | { readonly kind: 'running'; readonly id: string; readonly started: StartedContainer }
  | { readonly kind: 'exited'; readonly id: string; readonly status: ExitStatus }
  /** Never started as far as anyone can tell. */
  | { readonly kind: 'absent'; readonly id: string };

/** How often or how much by kind of operation; what the kernel does not tell is absent. */
export interface BlockIoCounts {
  readonly read?: number;
  readonly write?: number;
  readonly sync?: number;
  readonly async?: number;
  readonly discard?: number;
  readonly total?: number;
}

/** What was read and written on a block device; all together where there is no device. */
export interface BlockIo {
  readonly device?: { readonly major: number; readonly minor: number };
  readonly bytes: BlockIoCounts;
  readonly requests: BlockIoCounts;
}

/** Usage of one container at one instant; what an adapter cannot tell is absent. */
export interface ContainerStats {
  /** Epoch milliseconds of the reading. */
  readonly at: number;
  readonly cpuUserSeconds: number;
  readonly cpuSystemSeconds: number;
  /** Memory of the processes' own, without the file cache. */
  readonly memoryResidentBytes: number;
  readonly processes?: number;
  /** Threads, those of single-threaded processes included. */
  readonly threads?: number;
  /** Scheduling periods that have passed, and those of them in which the quota was used up. */
  readonly cpuPeriods?: number;
  readonly cpuThrottledPeriods?: number;
  readonly cpuThrottledSeconds?: number;
  /** Microseconds of cpu time for each 100 ms. */
  readonly cpuQuotaUs?: number;
  readonly memoryTotalBytes?: number;
  /** With what is swapped out. */
  readonly memoryAndSwapBytes?: number;
  /** Of the kernel for the container, and of that for its TCP connections. */
  readonly memoryKernelBytes?: number;
  readonly memoryTcpBytes?: number;
  readonly memoryCacheBytes?: number;
  readonly memorySwapBytes?: number;
  readonly memoryMappedFileBytes?: number;
  readonly memoryUnevictableBytes?: number;
  /** The hard limit. */
  readonly memoryLimitBytes?: number;
  readonly memorySoftLimitBytes?: number;
  readonly blockIo?: readonly BlockIo[];
}

export interface ExecOptions {
  readonly command: CommandInfo;
  /** Added to the container's environment. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface ExecResult {
  /** Exit code; undefined when it was killed by a signal or by the time-out. */
  readonly exitCode: number | undefined;
  readonly timedOut: boolean;
  /** First bytes of both outputs, at most {@link EXEC_OUTPUT_BYTES_MAX}. */
  readonly output: string;
}

/** Output of `exec` that is kept; the rest is read and dropped. */
export const EXEC_OUTPUT_BYTES_MAX = 16 * 1024;

export type OutputStream = 'stdout' | 'stderr';

/** Stops what was started; calling it again does nothing. */
export type Detach = () => void;

export type ContainerSignal = NodeJS.Signals;

export interface ContainerRuntime {
  readonly name: 'process' | 'docker' | 'oci';

  /** Why no container can be run now, in words for a person; undefined when all is well. */
  unavailable(): Promise<string | undefined>;

  /** Does what takes long and leaves nothing running: checks the description, fetches the image. */
  prepare(spec: ContainerSpec, abort?: AbortSignal): Promise<void>;

  /** Makes the container; a crash after it leaves something that `recover` reports as absent. */
  create(spec: ContainerSpec): Promise<void>;

  /** Starts a created container. Resolves when its first process exists. */
  start(id: string): Promise<StartedContainer>;

  /** Sends a signal to all processes of the container; to a container that has ended it does nothing. */
  signal(id: string, signal: ContainerSignal): Promise<void>;

  /** Resolves when the container has ended and all its output is in the sandbox. */
  wait(id: string): Promise<ExitStatus>;

  /** Usage now; undefined for a container that is not running. */
  stats(id: string): Promise<ContainerStats | undefined>;

  /** Runs a second command in the surroundings of a running container. */
  exec(id: string, options: ExecOptions): Promise<ExecResult>;

  /** Opens a session in the surroundings of a running container; it is killed when the container ends. */
  openSession(id: string, options: SessionOptions): Promise<ContainerSession>;

  /**
   * The terminal of a running container, whose description asks for one (`tty_info`): all its output is `stdout`.
   * Throws CONTAINER_UNKNOWN for one without, or one that has ended.
   */
  openTerminal(id: string): Promise<ContainerTerminal>;

  /** Hands over output from now on. Detaching does not touch the container. */
  attach(id: string, onOutput: (stream: OutputStream, bytes: Uint8Array) => void): Promise<Detach>;

  /** Forgets an ended container and frees what it holds; a running one is killed. Idempotent. */
  remove(id: string): Promise<void>;

  /**
   * Takes over what an earlier process of this agent left. Containers of this agent that are not in the
   * list are orphans: they are killed and removed.
   * @returns one entry per spec, in order.
   */
  recover(known: readonly ContainerSpec[]): Promise<readonly RecoveredContainer[]>;

  /** Lets go of everything; containers go on running. */
  close(): Promise<void>;
}
