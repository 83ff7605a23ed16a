/**
 * A session: a second process in the surroundings of a running container, with its streams at hand. It is there
 * for its caller only: it is not found again after a restart of the agent, and it ends with its container.
 */

import type { CommandInfo } from '@dcos/wire';
import type { ExitStatus, OutputStream } from './runtime.ts';

/** Rows and columns of a terminal, in characters. */
export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
}

/** What a terminal has before anybody tells its size. */
export const DEFAULT_WINDOW: WindowSize = { rows: 24, columns: 80 };

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
