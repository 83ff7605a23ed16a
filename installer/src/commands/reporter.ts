/**
 * What a run tells: lines for people or, with `--json`, one JSON object a line, both on standard output; problems on
 * standard error; all of it in the log file of the run.
 */

import { appendFileSync } from 'node:fs';
import type { JsonValue } from '@dcos/base';

export interface RunEvent {
  /** `noun.verb`, stable. */
  readonly event: string;
  readonly [key: string]: JsonValue;
}

export interface Streams {
  out(text: string): void;
  err(text: string): void;
}

export class Reporter {
  readonly #streams: Streams;
  readonly #json: boolean;
  readonly #verbose: boolean;
  #logFile: string | undefined;

  constructor(streams: Streams, options: { readonly json: boolean; readonly verbose: boolean }) {
    this.#streams = streams;
    this.#json = options.json;
    this.#verbose = options.verbose;
  }

  set logFile(path: string) {
    this.#logFile = path;
  }

  /** Something that happened. Without a text it is for `--json` and the log only. */
  tell(event: RunEvent, text?: string): void {
    this.#log(event, text);
    if (this.#json) this.#streams.out(`${JSON.stringify(event)}\n`);
    else if (text !== undefined) this.#streams.out(`${text}\n`);
  }

  /** For the log only. */
  note(event: RunEvent): void {
    this.#log(event, undefined);
  }

  /** A small step that people see with `--verbose` only. */
  detail(event: RunEvent, text: string): void {
    if (this.#verbose || this.#json) this.tell(event, text);
    else this.#log(event, text);
  }

  /** A problem; more lines of it are indented. */
  problem(event: RunEvent, text: string): void {
    this.#log(event, text);
    if (this.#json) this.#streams.out(`${JSON.stringify(event)}\n`);
    else this.#streams.err(`${text.replaceAll('\n', '\n    ')}\n`);
  }

  #log(event: RunEvent, text: string | undefined): void {
    if (this.#logFile === undefined) return;
    const line = { time: new Date().toISOString(), ...event, ...(text !== undefined && { text }) };
    appendFileSync(this.#logFile, `${JSON.stringify(line)}\n`, { mode: 0o600 });
  }
}
