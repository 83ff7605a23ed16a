/**
 * A session: a second process in the surroundings of a running container, with its streams at hand. It is there
 * for its caller only: it is not found again after a restart of the agent, and it ends with its container.
 */

import type { CommandInfo } from '@dcos/wire';
import type { ContainerSpec, ExitStatus, OutputStream } from './runtime.ts';

/** Rows and columns of a terminal, in characters. */
export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
}

/** What a terminal has before anybody tells its size. */
export const DEFAULT_WINDOW: WindowSize = { rows: 24, columns: 80 };

/** What ends input at a terminal. */
export const END_OF_TRANSMISSION = Uint8Array.of(4);

/** The size that was asked for, where a terminal can have it. */
export function windowOf(size: WindowSize | undefined): WindowSize {
  return size !== undefined && size.rows > 0 && size.columns > 0 ? size : DEFAULT_WINDOW;
}

/** Whether the first process of a container has a terminal. */
export function hasTerminal({ container }: Pick<ContainerSpec, 'container'>): boolean {
  return container?.tty_info !== undefined;
}

export interface SessionOptions {
  readonly command: CommandInfo;
  /** Added to the container's environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Present for a terminal, whose output is all `stdout`; pipes otherwise. */
  readonly terminal?: WindowSize;
  /** Takes output. No more of that stream comes until what it returns has resolved: a slow reader slows the process. */
  readonly onOutput: (stream: OutputStream, bytes: Uint8Array) => Promise<void>;
}

export interface ContainerSession {
  /** Process id on the host. */
  readonly pid: number;
  /** Resolves when the session has taken the bytes, or will take none any more. */
  write(bytes: Uint8Array): Promise<void>;
  /** Tells the process that no input follows. Idempotent. */
  endInput(): void;
  /** Does nothing without a terminal. */
  resize(size: WindowSize): void;
  /** Sends a signal, by its number, to all processes of the session; to one that has ended it does nothing. */
  signal(signal: number): void;
  /** Resolves when the process has ended and all its output was handed over. */
  readonly ended: Promise<ExitStatus>;
}

/** The terminal of a container's first process, for one who types; its output is in the sandbox. */
export interface ContainerTerminal extends Pick<ContainerSession, 'write' | 'endInput' | 'resize'> {
  /** Lets go of it; the container goes on. */
  close(): void;
}
