/**
 * The agent's side of a switchboard (see `switchboard-program.ts`): has the launcher start one, and connects to the
 * one of a running container, whoever started that.
 */

import { open, type FileHandle } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { execPath, platform } from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { containerError } from '../errors.ts';
import { windowOf, type ContainerTerminal, type WindowSize } from '../session.ts';
import type { ToolEnd } from './launcher-program.ts';
import { NODE_FLAGS, type ShimLauncher } from './shim-launcher.ts';
import {
  switchboardProgram,
  TERMINAL_SOCKET,
  VARIABLE_PREFIX,
  type SwitchboardRequest,
  type TerminalRequest,
} from './switchboard-program.ts';

/** How long the container may take to be there on a busy host. */
const START_TIMEOUT_MS = 60_000;
/** How long output may take to arrive after the end of a container. */
const DRAIN_TIMEOUT_MS = 10_000;
/** Input is sent in pieces, so that no line is long. */
const PIECE_BYTES = 16 * 1024;

export interface SwitchboardCall extends Omit<SwitchboardRequest, 'from' | 'rows' | 'columns'> {
  readonly size: WindowSize | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly sandboxPath: string;
  /** Whom the sandbox files belong to. */
  readonly owner: { readonly uid: number; readonly gid: number };
  /** Words that tell the process among those of the host. */
  readonly marks: readonly string[];
}

/** What a program that runs at a terminal says of its start: the pid, or why there is none. */
export type TerminalStart =
  | { readonly kind: 'started'; readonly pid: number }
  | { readonly kind: 'failed'; readonly message: string }
  /** The launcher died; it may be there all the same. */
  | { readonly kind: 'lost' };

/** Resolves when the container is there, or will not be. */
export async function startAtTerminal(
  call: SwitchboardCall,
  launcher: Pick<ShimLauncher, 'supervise'>,
): Promise<TerminalStart> {
  const { size, environment, sandboxPath, owner, marks, ...rest } = call;
  const { rows, columns } = windowOf(size);
  const request: SwitchboardRequest = { ...rest, from: import.meta.filename, rows, columns };
  const source = `(${switchboardProgram.toString()})()`;
  const words = [JSON.stringify(request), VARIABLE_PREFIX, TERMINAL_SOCKET, ...marks];
  return startOf(
    await launcher.supervise({
      file: execPath,
      vector: [...NODE_FLAGS, '-e', source, '--', ...words],
      environment: Object.fromEntries(
        Object.entries(environment).map(([name, value]) => [VARIABLE_PREFIX + name, value]),
      ),
      directory: '/',
      sandboxPath,
      account: owner,
      timeoutMs: START_TIMEOUT_MS,
    }),
  );
}

function startOf(end: ToolEnd | undefined): TerminalStart {
  if (end === undefined) return { kind: 'lost' };
  const pid = /^\{"data":(\d+)\}/.exec(end.stdout)?.[1];
  if (pid !== undefined) return { kind: 'started', pid: Number(pid) };
  const error = /^\{"error":(".*")\}/.exec(end.stdout)?.[1];
  if (error !== undefined) return { kind: 'failed', message: JSON.parse(error) as string };
  return { kind: 'failed', message: end.stderr || 'its switchboard ended without a word' };
}

/** Connects to the terminal of a container. Throws CONTAINER_UNKNOWN when nobody holds one. */
export async function connectTerminal(statePath: string): Promise<ContainerTerminal> {
  const socket = await connect(statePath);
  if (socket === undefined)
    throw containerError('CONTAINER_UNKNOWN', 'nobody holds the terminal of the container');
  const send = async (request: TerminalRequest): Promise<void> => {
    if (socket.destroyed || socket.write(`${JSON.stringify(request)}\n`)) return;
    await new Promise<void>((resolve) => {
      const settle = (): void => {
        socket.off('drain', settle).off('close', settle);
        resolve();
      };
      socket.on('drain', settle).on('close', settle);
    });
  };
  return {
    async write(bytes) {
      for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
        const piece = Buffer.from(bytes.subarray(start, start + PIECE_BYTES));
        await send({ kind: 'data', base64: piece.toString('base64') });
      }
    },
    endInput: () => void send({ kind: 'end' }),
    resize: ({ rows, columns }) => void send({ kind: 'resize', rows, columns }),
    close: () => void socket.end(),
  };
}

/** Resolves when the switchboard has written all that there was, which it tells by its end. */
export async function terminalClosed(statePath: string): Promise<void> {
  const socket = await connect(statePath);
  if (socket === undefined) return;
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()).resume());
  await Promise.race([closed, delay(DRAIN_TIMEOUT_MS, undefined, { ref: false })]);
  socket.destroy();
}

/** Undefined when nobody listens. */
async function connect(statePath: string): Promise<Socket | undefined> {
  // The names of sockets are limited: on Linux the directory is named by a descriptor.
  const directory = platform === 'linux' ? await opened(statePath) : undefined;
  if (platform === 'linux' && directory === undefined) return undefined;
  const at = directory === undefined ? statePath : `/proc/self/fd/${directory.fd}`;
  try {
    return await new Promise<Socket | undefined>((resolve) => {
      const socket = createConnection(join(at, TERMINAL_SOCKET));
      socket.once('connect', () => resolve(socket));
      socket.on('error', () => resolve(undefined));
    });
  } finally {
    await directory?.close();
  }
}

/** A directory; undefined when it is not there. */
async function opened(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
