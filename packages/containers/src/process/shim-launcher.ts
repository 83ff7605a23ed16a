/**
 * The agent's end of the launcher process (see `launcher-program.ts`): starts it when it is first needed and
 * again after its death, hands launches over and tells what becomes of each.
 *
 * Invariants:
 * - Every launch gets one last word: `failed`, `exited` or `lost`.
 * - The death of the launcher harms no running shim; its launches are `lost` to us, not ended.
 * - One launcher serves all runtimes of a process: it weighs more than what it saves for an agent alone.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { errorText, type Logger } from '@dcos/base';
import {
  LAUNCHER_MARK,
  launcherProgram,
  type LauncherReport,
  type LauncherRequest,
  type StartRequest,
  type SuperviseRequest,
  type ToolEnd,
  type ToolRequest,
} from './launcher-program.ts';
import { SHIM_PROGRAM } from './shim.ts';

/** Flags that keep it small: it holds nothing but a line per running task. */
export const NODE_FLAGS = ['--max-old-space-size=64', '--max-semi-space-size=1'];

export type LaunchRequest = Omit<StartRequest, 'kind' | 'launch'>;
export type ToolCall = Omit<ToolRequest, 'kind' | 'launch'>;
export type SuperviseCall = Omit<SuperviseRequest, 'kind' | 'launch'>;

/** What the shim left, as texts of its files. */
export interface ShimEnd {
  readonly status: string;
  readonly pid: string;
  readonly notices: string;
  /** How the shim itself ended, in words. */
  readonly how: string;
}

/** What becomes of a launch, in this order; the last three are final and exclude each other. */
export interface LaunchListener {
  /** The shim exists; its pid leads a session and a group. */
  spawned(group: number): void;
  /** The task exists. Not told when it ended at once, or when its report came too late. */
  started(pid: number): void;
  /** There is and was no shim. */
  failed(message: string): void;
  /** The shim is gone. */
  exited(end: ShimEnd): void;
  /** The launcher died. Whether a shim was started can be told only when `spawned` was. */
  lost(): void;
}

export interface ShimLauncher {
  /** Process id of the running launcher, for tests; undefined when there is none. */
  readonly pid: number | undefined;
  /** Starts the process, so that the first launch need not wait for it. */
  warmUp(): void;
  launch(request: LaunchRequest, listener: LaunchListener): void;
  /** Runs a program to its end; undefined when the launcher died and nobody knows what came of it. */
  run(call: ToolCall): Promise<ToolEnd | undefined>;
  /** Starts a program that stays; gives its answer, or undefined as above: it may be there all the same. */
  supervise(call: SuperviseCall): Promise<ToolEnd | undefined>;
  /** Removes a state directory some time soon; false when there is no launcher to do it. */
  remove(statePath: string): boolean;
  /** Lets the launcher end; shims go on, nothing is told any more. */
  close(): void;
}

interface Running {
  readonly child: ChildProcess;
  readonly input: Writable;
  readonly launches: Map<number, LaunchListener>;
  /** Who waits for programs that run. */
  readonly tools: Map<number, (end: ToolEnd | undefined) => void>;
}

class LauncherProcess implements ShimLauncher {
  readonly #logger: Logger;
  #running: Running | undefined;
  #next = 1;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get pid(): number | undefined {
    return this.#running?.child.pid;
  }

  warmUp(): void {
    this.#running ??= this.#start();
  }

  launch(request: LaunchRequest, listener: LaunchListener): void {
    this.#running ??= this.#start();
    const launch = this.#next++;
    this.#running.launches.set(launch, listener);
    send(this.#running, { kind: 'start', launch, ...request });
  }

  async run(call: ToolCall): Promise<ToolEnd | undefined> {
    return await this.#ask({ kind: 'tool', launch: this.#next++, ...call });
  }

  async supervise(call: SuperviseCall): Promise<ToolEnd | undefined> {
    return await this.#ask({ kind: 'supervise', launch: this.#next++, ...call });
  }

  async #ask(request: ToolRequest | SuperviseRequest): Promise<ToolEnd | undefined> {
    const { launch } = request;
    const running = (this.#running ??= this.#start());
    // Unlike a waiting launcher, an answer that is awaited is a reason to live on.
    running.child.ref();
    try {
      return await new Promise((resolve) => {
        running.tools.set(launch, resolve);
        send(running, request);
      });
    } finally {
      running.tools.delete(launch);
      if (running.tools.size === 0) running.child.unref();
    }
  }

  remove(statePath: string): boolean {
    if (this.#running === undefined) return false;
    send(this.#running, { kind: 'remove', statePath });
    return true;
  }

  close(): void {
    const running = this.#running;
    this.#running = undefined;
    running?.launches.clear();
    running?.input.end();
  }

  #start(): Running {
    const source = `(${launcherProgram.toString()})()`;
    const vector = [SHIM_PROGRAM, LAUNCHER_MARK, String(process.pid)];
    const child = spawn(process.execPath, [...NODE_FLAGS, '-e', source, '--', ...vector], {
      cwd: '/',
      env: {},
      // A session of its own: Ctrl-C on the terminal is for the agent, which decides what it means.
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
    });
    const [input, reports, , starts] = child.stdio as unknown as [
      Writable,
      Readable,
      null,
      Readable,
    ];
    const running: Running = { child, input, launches: new Map(), tools: new Map() };
    const gone = (reason: string): void => this.#gone(running, reason);
    child.on('error', (error) => gone(errorText(error)));
    // The end of the process says the same, and more.
    for (const stream of [input, reports, starts]) stream.on('error', () => undefined);
    // The end of its output, which nobody else holds, comes after all that it had to tell.
    createInterface({ input: reports })
      .on('line', (line) => this.#report(running, line))
      .on('close', () => gone('its output ended'));
    createInterface({ input: starts }).on('line', (line) => started(running, line));
    // A waiting launcher is no reason for a process to live on.
    child.unref();
    for (const stream of [input, reports, starts]) {
      if ('unref' in stream && typeof stream.unref === 'function') stream.unref();
    }
    return running;
  }

  #report(running: Running, line: string): void {
    const report = JSON.parse(line) as LauncherReport;
    if (report.kind === 'ended') {
      running.tools.get(report.launch)?.(report);
      return;
    }
    const listener = running.launches.get(report.launch);
    if (listener === undefined) return;
    switch (report.kind) {
      case 'spawned':
        return listener.spawned(report.pid);
      case 'failed':
        running.launches.delete(report.launch);
        return listener.failed(report.message);
      case 'exited':
        running.launches.delete(report.launch);
        return listener.exited({ ...report, how: report.signal ?? `status ${report.code}` });
      default:
        return report satisfies never;
    }
  }

  #gone(running: Running, reason: string): void {
    if (this.#running === running) {
      this.#running = undefined;
      this.#logger.warn({ event: 'launcher.lost', reason }, 'the launcher of tasks is gone');
    }
    const lost = [...running.launches.values()];
    running.launches.clear();
    for (const listener of lost) listener.lost();
    for (const answer of running.tools.values()) answer(undefined);
  }
}

function send({ input }: Running, request: LauncherRequest): void {
  input.write(`${JSON.stringify(request)}\n`);
}

/** The task of a launch exists: `<launch> <pid>`, written by its shim. */
function started(running: Running, line: string): void {
  const [launch, pid] = line.split(' ').map(Number);
  if (launch !== undefined && pid !== undefined) running.launches.get(launch)?.started(pid);
}

let shared: LauncherProcess | undefined;
let borrowers = 0;

/** The launcher of this process; every borrower gives it back once, the last one ends it. */
export function borrowShimLauncher(logger: Logger): ShimLauncher {
  shared ??= new LauncherProcess(logger);
  borrowers += 1;
  const launcher = shared;
  let isOpen = true;
  return {
    get pid() {
      return launcher.pid;
    },
    warmUp: () => launcher.warmUp(),
    launch: (request, listener) => launcher.launch(request, listener),
    // One that was given back is not started again.
    run: async (call) => (isOpen ? await launcher.run(call) : undefined),
    supervise: async (call) => (isOpen ? await launcher.supervise(call) : undefined),
    remove: (statePath) => launcher.remove(statePath),
    close() {
      if (!isOpen) return;
      isOpen = false;
      borrowers -= 1;
      if (borrowers > 0) return;
      launcher.close();
      shared = undefined;
    },
  };
}
