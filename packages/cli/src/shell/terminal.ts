/**
 * The edges of the process that commands see: standard streams, environment, time, interruption.
 * Tests pass their own; `process-terminal.ts` has the real ones.
 */

import type { Instant } from '@dcos/base';
import type { Verbosity } from '../core/global-options.ts';

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
}
