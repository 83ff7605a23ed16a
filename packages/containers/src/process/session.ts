/**
 * Sessions beside tasks of the `process` runtime: a child of the agent that leads a session of its own, with
 * pipes, or with a terminal by node-pty. Who it is stands in a state directory like that of a task, so that a
 * process whose agent was killed is ended as an orphan by the next one.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Duplex, Writable } from 'node:stream';
import type { IPty } from '@lydell/node-pty';
import { containerError } from '../errors.ts';
import type { ExitStatus } from '../runtime.ts';
import { END_OF_TRANSMISSION, type ContainerSession, type SessionOptions } from '../session.ts';
import type { Account } from './accounts.ts';
import { sendToGroup } from './process-group.ts';
import { identityTextOf } from './process-table.ts';
import { commandVector } from './run-command.ts';
import { SHIM_FILE } from './shim.ts';

export interface ProcessSessionOptions extends SessionOptions {
  /** Directory that is this session's alone; made and removed here. */
  readonly statePath: string;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly account: Account | undefined;
}

/** Starts one. Throws CONTAINER_LAUNCH_FAILED when the program cannot be started. */
export async function openProcessSession(
  options: ProcessSessionOptions,
): Promise<ContainerSession> {
  const vector = commandVector(options.command);
  await mkdir(options.statePath, { recursive: true });
  try {
    const opened =
      options.terminal === undefined
        ? await withPipes(options, vector)
        : await withTerminal(options, vector, options.terminal);
    await writeFile(join(options.statePath, SHIM_FILE), await identityTextOf(opened.pid));
    const ended = (async (): Promise<ExitStatus> => {
      const status = await opened.ended;
      await rm(options.statePath, { recursive: true, force: true });
      return status;
    })();
    return { ...opened, ended };
  } catch (error) {
    await rm(options.statePath, { recursive: true, force: true });
    throw error;
  }
}

type Vector = readonly [string, ...string[]];

async function withPipes(
  options: ProcessSessionOptions,
  [file, ...vector]: Vector,
): Promise<ContainerSession> {
  const child = spawn(file, vector, {
    cwd: options.directory,
    env: options.environment,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...options.account,
  });
  const pid = await spawned(child, file);
  const { stdin, stdout, stderr } = child;
  // A process that reads no input any more says so by closing; that is no failure.
  stdin.on('error', () => undefined);
  const output = Promise.all([
    carried(stdout, async (bytes) => await options.onOutput('stdout', bytes)),
    carried(stderr, async (bytes) => await options.onOutput('stderr', bytes)),
  ]);
  let hasEnded = false;
  const exited = new Promise<ExitStatus>((resolve) => {
    child.once('exit', (code, signal) => {
      hasEnded = true;
      // What the command left behind would hold the pipes open.
      sendToGroup(pid, 'SIGKILL');
      resolve(
        signal === null
          ? { kind: 'exited', code: code ?? 0 }
          : { kind: 'signaled', signal: constants.signals[signal] },
      );
    });
  });
  const ended = (async () => {
    await output;
    return await exited;
  })();
  return {
    pid,
    write: async (bytes) => await written(stdin, bytes),
    endInput: () => void stdin.end(),
    resize: () => undefined,
    signal: (signal) => {
      if (!hasEnded) sendToGroup(pid, signal);
    },
    ended,
  };
}

async function spawned(child: ChildProcess, file: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) =>
      reject(containerError('CONTAINER_LAUNCH_FAILED', `cannot start '${file}'`, error)),
    );
  });
  if (child.pid === undefined) throw containerError('CONTAINER_LAUNCH_FAILED', `no '${file}'`);
  return child.pid;
}

/** Resolves when there is room for more, or when nothing is taken any more. */
async function written(input: Writable, bytes: Uint8Array): Promise<void> {
  if (input.destroyed || input.writableEnded || input.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      input.off('drain', settle).off('close', settle);
      resolve();
    };
    input.on('drain', settle).on('close', settle);
  });
}

async function carried(
  output: AsyncIterable<Uint8Array>,
  take: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  for await (const bytes of output) await take(bytes);
}

/** Its own `write` takes text only, and never says that it is full. */
interface TerminalInput {
  readonly _socket: Duplex;
}

async function withTerminal(
  options: ProcessSessionOptions,
  [file, ...vector]: Vector,
  size: NonNullable<SessionOptions['terminal']>,
): Promise<ContainerSession> {
  // Native code, which few agents ever need.
  const { spawn: spawnTerminal } = await import('@lydell/node-pty');
  let terminal: IPty;
  try {
    terminal = spawnTerminal(file, vector, {
      name: 'xterm',
      rows: size.rows,
      cols: size.columns,
      cwd: options.directory,
      env: { ...options.environment },
      encoding: null,
      ...options.account,
    });
  } catch (error) {
    throw containerError('CONTAINER_LAUNCH_FAILED', `cannot start '${file}' at a terminal`, error);
  }
  const { pid } = terminal;
  const { _socket: input } = terminal as unknown as TerminalInput;
  let hasEnded = false;
  let output = Promise.resolve();
  // Bytes, whatever its type says: no encoding is set, since a piece may end within a character.
  terminal.onData((data: Uint8Array | string) => {
    terminal.pause();
    output = output
      .then(async () => await options.onOutput('stdout', Buffer.from(data)))
      .finally(() => terminal.resume());
  });
  const exited = new Promise<ExitStatus>((resolve) => {
    terminal.onExit(({ exitCode, signal }) => {
      hasEnded = true;
      sendToGroup(pid, 'SIGKILL');
      const isSignaled = signal !== undefined && signal > 0;
      resolve(isSignaled ? { kind: 'signaled', signal } : { kind: 'exited', code: exitCode });
    });
  });
  const ended = (async () => {
    const status = await exited;
    await output;
    return status;
  })();
  return {
    pid,
    write: async (bytes) => await written(input, bytes),
    endInput: () => void written(input, END_OF_TRANSMISSION),
    // A client that knows no size says zero, which no terminal has.
    resize: ({ rows, columns }) => {
      if (!hasEnded && rows > 0 && columns > 0) terminal.resize(columns, rows);
    },
    signal: (signal) => {
      if (!hasEnded) sendToGroup(pid, signal);
    },
    ended,
  };
}
