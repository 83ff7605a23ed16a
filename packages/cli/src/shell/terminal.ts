/**
 * The edges of the process that commands see: standard streams, environment, time, interruption.
 * Tests pass their own; `process-terminal.ts` has the real ones.
 */

import type { Instant } from '@dcos/base';
import type { Verbosity } from '../core/global-options.ts';

/** Rows and columns, in characters. */
export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
}

export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  readonly homeDirectory: string;
  readonly inputIsTerminal: boolean;
  readonly outputIsTerminal: boolean;
  /** Writes to standard output and waits while the reader is slow. */
  print(text: string): Promise<void>;
  /** Writes a line to standard error. */
  notice(text: string): void;
  /** All of standard input. @throws OperationError CLI_INPUT when it is too long */
  readInput(): Promise<string>;
  /** Standard input piece by piece, as it comes. The signal ends it, and nobody can read any more then. */
  inputBytes(ended: AbortSignal): AsyncIterable<Uint8Array>;
  /** Writes bytes as they are and waits while the reader is slow. */
  printBytes(stream: 'stdout' | 'stderr', bytes: Uint8Array): Promise<void>;
  /** Hands every key on as it is pressed, Ctrl-C too, until the returned function is called. */
  takeKeys(): () => void;
  /** Undefined when standard output is no terminal. */
  windowSize(): WindowSize | undefined;
  /** Told whenever the size of the window changes, until the returned function is called. */
  onResize(changed: () => void): () => void;
  /** Asks on standard output and gives one line of standard input, undefined at its end. */
  ask(question: string, options?: { readonly hidden: boolean }): Promise<string | undefined>;
  now(): Instant;
  /** Waits; ends at once when the signal fires. */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>;
  /** From now on Ctrl-C fires this signal and no longer ends the process. */
  catchInterrupt(): AbortSignal;
}

/** What every command gets. */
export interface Invocation {
  readonly terminal: Terminal;
  readonly verbosity: Verbosity;
  /** What the process ends with when nothing failed; a command sets it that ran another one. */
  readonly exit: { code: number };
}
