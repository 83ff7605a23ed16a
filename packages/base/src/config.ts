/**
 * Where a program's settings come from: default < file < environment < flag. Pure: `main.ts` reads the
 * sources and hands them in; the schema (zod in the components) is whatever can parse an object.
 */

import type { JsonValue } from './json.ts';
import { err, ok, type Result } from './result.ts';

export type Origin = 'default' | 'file' | 'environment' | 'flag';

export interface ConfigSources {
  /** Parsed content of the configuration file, if there is one. */
  readonly file?: Readonly<Record<string, unknown>>;
  /** Environment variables; those with the prefix are taken. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Prefix such as `MESOS_`; the rest is the key in upper case with underscores. */
  readonly environmentPrefix: string;
  /** Arguments after the program: `--key=value`, `--key value`, `--key`, `--no-key`. */
  readonly flags: readonly string[];
  /** Every key of the schema, camelCase. */
  readonly keys: readonly string[];
}

export interface RawConfig {
  /** Keys as the sources gave them; values from flags and the environment are JSON where they parse, else text. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly origins: Readonly<Record<string, Origin>>;
}

/** `masterPort` as it is written in a flag (`master-port`, `master_port`) and the environment (`MASTER_PORT`). */
function spellings(key: string): { readonly flag: string; readonly environment: string } {
  const flag = key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return { flag, environment: flag.replaceAll('-', '_').toUpperCase() };
}

/** Merges the sources by precedence. The error names the flag that nobody knows. */
export function mergeConfig(sources: ConfigSources): Result<RawConfig, string> {
  const values: Record<string, unknown> = {};
  const origins: Record<string, Origin> = {};
  const keyOfFlag = new Map(sources.keys.map((key) => [spellings(key).flag, key]));
  for (const [key, value] of Object.entries(sources.file ?? {})) {
    if (!sources.keys.includes(key)) return err(`unknown key '${key}' in the configuration file`);
    values[key] = value;
    origins[key] = 'file';
  }
  for (const key of sources.keys) {
    const text = sources.environment[sources.environmentPrefix + spellings(key).environment];
    if (text === undefined) continue;
    values[key] = fromText(text);
    origins[key] = 'environment';
  }
  for (let index = 0; index < sources.flags.length; index++) {
    const argument = sources.flags[index] ?? '';
    const match = /^--([^=]+)(?:=([\s\S]*))?$/.exec(argument);
    if (match === null) return err(`unexpected argument '${argument}'`);
    const name = (match[1] ?? '').replaceAll('_', '-');
    const negated = name.startsWith('no-') && !keyOfFlag.has(name);
    const key = keyOfFlag.get(negated ? name.slice('no-'.length) : name);
    if (key === undefined) return err(`unknown flag '--${match[1] ?? ''}'`);
    let text = match[2];
    const next = sources.flags[index + 1];
    if (text === undefined && !negated && next !== undefined && !next.startsWith('--')) {
      text = next;
      index += 1;
    }
    values[key] = text === undefined ? !negated : fromText(text);
    origins[key] = 'flag';
  }
  return ok({ values, origins });
}

/** JSON where the text is JSON (numbers, booleans, lists, objects), the text itself elsewhere. */
function fromText(text: string): unknown {
  if (!/^(true|false|-?\d+(\.\d+)?|[[{][\s\S]*)$/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** A value that prints as `[secret]` wherever it would be shown. */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The value itself, for the one place that needs it. */
  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): JsonValue {
    return '[secret]';
  }
}

/** The lines of `--print-config`: key, value and where it came from. */
export function describeConfig(
  config: Readonly<Record<string, unknown>>,
  origins: Readonly<Record<string, Origin>>,
): string {
  return Object.entries(config)
    .map(
      ([key, value]) =>
        `${key} = ${JSON.stringify(value) ?? 'unset'}  (${origins[key] ?? 'default'})`,
    )
    .join('\n');
}
