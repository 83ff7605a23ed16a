/**
 * The ports through which time, chance and log lines enter a program. Shells pass the real ones,
 * simulations the virtual ones; a core sees an instant as an argument and `Random`, nothing else.
 */

import type { JsonValue } from './json.ts';

/** Milliseconds since the Unix epoch; may have a fraction. */
export type Instant = number;

/** Withdraws a timer; calling it again does nothing. */
export type Cancel = () => void;

export interface Clock {
  /** Wall clock, for stamps and display only. */
  now(): Instant;
  /** Milliseconds from an arbitrary start, never going back; for time-outs and leases. */
  monotonicMs(): number;
  /** Calls back once after at least that many milliseconds. */
  setTimer(afterMs: number, callback: () => void): Cancel;
}

export interface Random {
  /** A uniformly distributed integer in [0, 2^32). */
  nextU32(): number;
}

export type LogFields = Readonly<Record<string, JsonValue | undefined>>;

/** Structured log. `fields.event` is a stable name of the form `noun.verb`. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger that adds these fields to every line. */
  child(fields: LogFields): Logger;
}

/** What `child` of a logger is that has none of its own: each line goes to that logger, with these fields. */
export function childLogger(logger: Logger, fields: LogFields): Logger {
  return {
    debug: (more, message) => logger.debug({ ...fields, ...more }, message),
    info: (more, message) => logger.info({ ...fields, ...more }, message),
    warn: (more, message) => logger.warn({ ...fields, ...more }, message),
    error: (more, message) => logger.error({ ...fields, ...more }, message),
    child: (more) => childLogger(logger, { ...fields, ...more }),
  };
}

/** Drops every line; for tests and for callers that want none. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};
