/**
 * The operator's file of host names whose agents may be offered, one a line. It is looked at every 5 s, as
 * the original does; the core hears of it when it has changed. `*` in place of a file means all.
 *
 * A file that cannot be read keeps the master from starting; later, what it said last stays.
 */

import { readFile } from 'node:fs/promises';
import { errorText, type Cancel, type Clock, type Logger } from '@dcos/base';
import { pathOfSetting, readSetting } from '@dcos/telemetry';

const INTERVAL_MS = 5_000;

export interface WhitelistOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onChange: (hostnames: ReadonlySet<string>) => void;
}

/** The file of a setting; undefined when all agents may be offered. Throws `WHITELIST_UNREADABLE`. */
export function whitelistOf(
  setting: string | undefined,
  options: WhitelistOptions,
): Whitelist | undefined {
  return setting === undefined || setting === '*' ? undefined : new Whitelist(setting, options);
}

export class Whitelist {
  readonly #path: string;
  readonly #options: WhitelistOptions;
  #text: string | undefined;
  #cancel: Cancel = () => undefined;
  #stopped = false;

  /** Reads the file a first time. Throws `WHITELIST_UNREADABLE`. */
  constructor(setting: string, options: WhitelistOptions) {
    this.#path = pathOfSetting(setting);
    this.#options = options;
    readSetting('WHITELIST_UNREADABLE', setting);
  }

  /** Says what the file says now, and from now on what it says anew. */
  start(): void {
    this.#use(readSetting('WHITELIST_UNREADABLE', this.#path));
    this.#wait();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #wait(): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.setTimer(INTERVAL_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    try {
      const text = await readFile(this.#path, 'utf8');
      if (!this.#stopped) this.#use(text);
    } catch (error) {
      this.#options.logger.warn(
        { event: 'whitelist.unreadable', path: this.#path, error: errorText(error) },
        'the whitelist cannot be read; what it said last stays',
      );
    }
    this.#wait();
  }

  #use(text: string): void {
    if (text === this.#text) return;
    this.#text = text;
    const names = text.split('\n').map((line) => line.trim());
    this.#options.onChange(new Set(names.filter((name) => name !== '')));
  }
}
