/**
 * The last lines of the master's log, for operators who read it over HTTP (`/master/log`), and the level
 * that they can raise for a while. Lines go on to the logger that the master was given.
 *
 * Bound: when the kept text is full its older half goes, so the file seems to begin anew, as one that is
 * rotated does; readers that ask beyond its end get nothing and its size.
 */

import { childLogger, type Clock, type LogFields, type Logger } from '@dcos/base';

import { Timers } from './timers.ts';

/** Characters of log that are kept. */
const KEPT_LENGTH_MAX = 1024 * 1024;
/** The most that one read returns: 16 pages of memory, as the original. */
export const READ_BYTES_MAX = 64 * 1024;

export class MasterLog implements Logger {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #timers: Timers;
  #kept: Buffer = Buffer.alloc(0);
  #lines: string[] = [];
  #linesLength = 0;
  /** 0 for the state changes that are always logged; from 1 on every event too. */
  #level = 0;

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
    this.#timers = new Timers(clock, () => {
      this.#level = 0;
    });
  }

  get level(): number {
    return this.#level;
  }

  /** Whether message flow is logged. */
  get isVerbose(): boolean {
    return this.#level > 0;
  }

  /** Sets the level; it goes back to 0 after the given time. */
  setLevel(level: number, durationMs: number): void {
    this.#level = level;
    this.#timers.set('level', Math.max(0, durationMs));
  }

  debug(fields: LogFields, message: string): void {
    if (!this.isVerbose) {
      this.#logger.debug(fields, message);
      return;
    }
    this.#keep('D', fields, message);
    this.#logger.info(fields, message);
  }

  info(fields: LogFields, message: string): void {
    this.#keep('I', fields, message);
    this.#logger.info(fields, message);
  }

  warn(fields: LogFields, message: string): void {
    this.#keep('W', fields, message);
    this.#logger.warn(fields, message);
  }

  error(fields: LogFields, message: string): void {
    this.#keep('E', fields, message);
    this.#logger.error(fields, message);
  }

  child(fields: LogFields): Logger {
    return childLogger(this, fields);
  }

  close(): void {
    this.#timers.cancelAll();
  }

  /** All that is kept. */
  content(): Buffer {
    if (this.#lines.length > 0) {
      this.#kept = Buffer.concat([this.#kept, Buffer.from(this.#lines.join(''))]);
      this.#lines = [];
      this.#linesLength = 0;
      if (this.#kept.length > KEPT_LENGTH_MAX) this.#kept = this.#newerHalf();
    }
    return this.#kept;
  }

  /** From the start of a line, so that what is read first is whole. */
  #newerHalf(): Buffer {
    const from = this.#kept.length - KEPT_LENGTH_MAX / 2;
    return Buffer.from(this.#kept.subarray(this.#kept.indexOf('\n', from) + 1));
  }

  #keep(level: string, fields: LogFields, message: string): void {
    const time = new Date(this.#clock.now()).toISOString();
    const { event = '-', ...more } = fields;
    const known = Object.entries(more).filter(([, value]) => value !== undefined);
    const details = known.length === 0 ? '' : ` ${JSON.stringify(Object.fromEntries(known))}`;
    const line = `${level} ${time} ${JSON.stringify(event)} ${message}${details}\n`;
    this.#lines.push(line);
    this.#linesLength += line.length;
    // Lines are joined when somebody reads, or now and then.
    if (this.#linesLength > KEPT_LENGTH_MAX / 4) this.content();
  }
}
