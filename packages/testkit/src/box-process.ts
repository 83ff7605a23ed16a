/**
 * Starts the box as a process of its own, as `npm start` does, and reads its progress lines. For tests
 * that kill it, and for benchmarks.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const workspaceRoot = join(import.meta.dirname, '..', '..', '..');
const boxMain = join(workspaceRoot, 'packages', 'box', 'src', 'main.ts');
/** How long a start may take before the test gives up. */
const READY_TIMEOUT_MS = 60_000;

export interface ReadyLine {
  readonly event: 'ready';
  readonly url: string;
  readonly master: string;
  readonly marathon: string;
  /** `host:port` of the DNS server. */
  readonly dns: string;
  readonly readyMs: number;
}

export interface BoxProcess {
  readonly ready: ReadyLine;
  readonly pid: number;
  signal(signal: NodeJS.Signals): void;
  /** Sends a signal and waits for the end; resolves with the exit code, or null when a signal ended it. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
  /** What it wrote to standard error so far. */
  errorOutput(): string;
}

export interface BoxExit {
  readonly code: number | null;
  readonly output: string;
  readonly errorOutput: string;
}

/** What starts a box. */
export interface BoxProgram {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

/** The box of the checkout. */
const SOURCES: BoxProgram = {
  file: process.execPath,
  args: ['--conditions=@dcos/source', boxMain],
  environment: process.env,
};

/** Starts a box on a free port and waits until it is ready. */
export async function startBoxProcess(
  dataDirectory: string,
  flags: readonly string[] = [],
  program = SOURCES,
): Promise<BoxProcess> {
  const all = ['--port', '0', '--data-dir', dataDirectory, '--json', ...flags];
  const child = launch(all, program);
  let errorOutput = '';
  child.stderr?.on('data', (chunk) => (errorOutput += String(chunk)));
  const exited = new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code)));
  const ready = await new Promise<ReadyLine>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the box was not ready after ${READY_TIMEOUT_MS} ms: ${errorOutput}`));
    }, READY_TIMEOUT_MS);
    if (child.stdout === null) throw new Error('the box has no standard output');
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line) as { readonly event: string };
      if (event.event !== 'ready') return;
      clearTimeout(timer);
      resolve(event as ReadyLine);
    });
    void exited.then((code) => {
      clearTimeout(timer);
      reject(new Error(`the box ended with ${code}: ${errorOutput}`));
    });
  });
  return {
    ready,
    pid: child.pid ?? 0,
    signal: (signal) => void child.kill(signal),
    async stop(signal) {
      child.kill(signal);
      return await exited;
    },
    errorOutput: () => errorOutput,
  };
}

/** Runs a box that is expected to end by itself, such as one with wrong flags. */
export async function runBoxToExit(flags: readonly string[]): Promise<BoxExit> {
  const child = launch(flags);
  let output = '';
  let errorOutput = '';
  child.stdout?.on('data', (chunk) => (output += String(chunk)));
  child.stderr?.on('data', (chunk) => (errorOutput += String(chunk)));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output, errorOutput };
}

function launch(
  flags: readonly string[],
  { file, args, environment }: BoxProgram = SOURCES,
): ChildProcess {
  return spawn(file, [...args, ...flags], { stdio: ['ignore', 'pipe', 'pipe'], env: environment });
}
