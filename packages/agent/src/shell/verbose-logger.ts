/**
 * A logger whose message flow (`debug`) an operator can have logged for a while: SET_LOGGING_LEVEL and
 * `/logging/toggle`. Level 0 is as the settings say; from 1 on message flow is logged as well.
 */

import { childLogger, type LogFields, type Logger } from '@dcos/base';

/** What a timer can wait for. */
const DURATION_MS_MAX = 2 ** 31 - 1;

export class VerboseLogger implements Logger {
  readonly #logger: Logger;
  #level = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get level(): number {
    return this.#level;
  }

  /** Sets the level; it goes back to 0 after the given time. */
  setLevel(level: number, durationMs: number): void {
    clearTimeout(this.#timer);
    this.#level = level;
    this.#timer = setTimeout(
      () => (this.#level = 0),
      Math.min(Math.max(0, durationMs), DURATION_MS_MAX),
    );
    this.#timer.unref();
  }

  debug(fields: LogFields, message: string): void {
    if (this.#level > 0) this.#logger.info(fields, message);
    else this.#logger.debug(fields, message);
  }

  info(fields: LogFields, message: string): void {
    this.#logger.info(fields, message);
  }

  warn(fields: LogFields, message: string): void {
    this.#logger.warn(fields, message);
  }

  error(fields: LogFields, message: string): void {
    this.#logger.error(fields, message);
  }

  child(fields: LogFields): Logger {
    return childLogger(this, fields);
  }
}
