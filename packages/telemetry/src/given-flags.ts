/**
 * Takes the original's flags, from the command line and from `MESOS_*` variables, and says them in the words
 * of our settings. What it does not know is left for those who do.
 *
 * Invariant: nothing is silently taken. A flag whose value would change something that the program does not do is
 * refused; one without effect is accepted and named.
 *
 * Source: how the original reads flags: `--name=value`, `--name` and `--no-name` for booleans, `file://…` in
 * place of any value, variables by the name in capitals.
 */

import { ok, type Result } from '@dcos/base';
import type { GivenSettings, TranslatedSettings } from './run-program.ts';
import { readSetting } from './setting-files.ts';

/** What becomes of a flag of the original. */
export type OriginalFlag =
  | {
      readonly kind: 'setting';
      /** Ours that it sets. */
      readonly key: string;
      /** Its value as ours is written; as it stands when absent. */
      readonly read?: (text: string) => Result<string, string>;
    }
  | {
      readonly kind: 'without-effect';
      readonly reason: string;
      /** What holds in fact, as `/flags` shows it. */
      readonly value?: string;
      /** Values that say no more than that; any other is refused. All will do when absent. */
      readonly only?: readonly string[];
    }
  | { readonly kind: 'refused'; readonly reason: string };

export interface OriginalFlags {
  /** By the original's name. */
  readonly flags: Readonly<Record<string, OriginalFlag>>;
  /** Old spellings, and the names that they stand for. */
  readonly aliases: Readonly<Record<string, string>>;
  /** Their values name files that somebody else reads, or folders. */
  readonly paths: ReadonlySet<string>;
  /** Variables of our settings begin with it. */
  readonly settingsPrefix: string;
}

const PREFIX = 'MESOS_';
const BOOLEANS = ['true', 'false'] as const;

/** Translates them all. Throws an error whose text names the flag that is refused. */
export function translateFlags(
  table: OriginalFlags,
  { flags, environment }: GivenSettings,
): TranslatedSettings {
  const notes: string[] = [];
  const translated: string[] = [];
  for (let index = 0; index < flags.length; index++) {
    const argument = flags[index] ?? '';
    const known = recognise(table, argument);
    if (known === undefined) {
      translated.push(argument);
      continue;
    }
    let { text } = known;
    const next = flags[index + 1];
    if (text === undefined && next !== undefined && !next.startsWith('--')) {
      text = next;
      index += 1;
    }
    const setting = settingOf(table, { name: known.name, text: text ?? 'true' }, notes);
    if (setting !== undefined) translated.push(`--${kebab(setting.key)}=${setting.value}`);
  }
  return { flags: translated, environment: translateEnvironment(table, environment, notes), notes };
}

function translateEnvironment(
  table: OriginalFlags,
  environment: GivenSettings['environment'],
  notes: string[],
): GivenSettings['environment'] {
  const { aliases, flags, settingsPrefix } = table;
  const translated: Record<string, string | undefined> = { ...environment };
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || text === undefined) continue;
    const given = variable.slice(PREFIX.length).toLowerCase();
    const name = aliases[given] ?? given;
    if (flags[name] === undefined) continue;
    delete translated[variable];
    const setting = settingOf(table, { name, text }, notes);
    if (setting === undefined) continue;
    translated[settingsPrefix + kebab(setting.key).replaceAll('-', '_').toUpperCase()] =
      setting.value;
  }
  return translated;
}

/** The flag that an argument gives, and its value if the argument has one. */
function recognise(
  { flags, aliases }: OriginalFlags,
  argument: string,
): { readonly name: string; readonly text: string | undefined } | undefined {
  const match = /^--([^=]+)(?:=([\s\S]*))?$/.exec(argument);
  if (match === null) return undefined;
  const given = (match[1] ?? '').replaceAll('-', '_');
  const name = aliases[given] ?? given;
  if (flags[name] !== undefined) return { name, text: match[2] };
  const negated = aliases[given.slice('no_'.length)] ?? given.slice('no_'.length);
  const flag = given.startsWith('no_') ? flags[negated] : undefined;
  return flag !== undefined && isBoolean(flag) ? { name: negated, text: 'false' } : undefined;
}

/** Flags of which only booleans are values, so that they may stand alone. */
function isBoolean(flag: OriginalFlag): boolean {
  if (flag.kind === 'refused') return false;
  if (flag.kind === 'without-effect') return BOOLEANS.some((value) => value === flag.value);
  return flag.read === undefined;
}

function settingOf(
  { flags, paths }: OriginalFlags,
  given: { readonly name: string; readonly text: string },
  notes: string[],
): { readonly key: string; readonly value: string } | undefined {
  const { name } = given;
  const flag = flags[name];
  if (flag === undefined) return undefined;
  if (flag.kind === 'refused') throw new Error(`--${name} is not supported: ${flag.reason}`);
  const text =
    given.text.startsWith('file://') && !paths.has(name)
      ? readSetting('FLAG_UNREADABLE', given.text).trim()
      : given.text;
  if (flag.kind === 'without-effect') {
    if (flag.only?.includes(text) === false)
      throw new Error(`--${name}=${text} is not supported: ${flag.reason}`);
    notes.push(`--${name}=${text} has no effect: ${flag.reason}`);
    return undefined;
  }
  const value = flag.read?.(text) ?? ok(text);
  if (!value.ok)
    throw new Error(
      `Failed to load flag '${name}': Failed to load value '${text}': ${value.error}`,
    );
  return { key: flag.key, value: value.value };
}

function kebab(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
