/**
 * Takes the original's flags, from the command line and from `MESOS_*` variables, and says them in the words
 * of our settings. What it does not know is left for those who do.
 *
 * Source: how the original reads flags: `--name=value`, `--name` and `--no-name` for booleans, `file://…` in
 * place of any value, variables by the name in capitals.
 */

import { ok } from '@dcos/base';
import { readSetting } from '@dcos/telemetry';
import { ALIASES, FLAGS, isBoolean, type Flag } from './flags.ts';

export interface Given {
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface TranslatedFlags extends Given {
  /** Lines for people: which of the flags have no effect, and why. */
  readonly notes: readonly string[];
}

const PREFIX = 'MESOS_';

/** Their values name files that somebody else reads, or folders. */
const PATHS: ReadonlySet<string> = new Set([
  'acls',
  'credentials',
  'domain',
  'firewall_rules',
  'log_dir',
  'rate_limits',
  'webui_dir',
  'whitelist',
  'work_dir',
]);

/** Translates them all. Throws an error whose text names the flag that is refused. */
export function translateFlags({ flags, environment }: Given): TranslatedFlags {
  const notes: string[] = [];
  const translated: string[] = [];
  for (let index = 0; index < flags.length; index++) {
    const argument = flags[index] ?? '';
    const known = recognise(argument);
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
    const setting = settingOf(known.name, text ?? 'true', notes);
    if (setting !== undefined) translated.push(`--${kebab(setting.key)}=${setting.value}`);
  }
  const result = {
    flags: translated,
    environment: translateEnvironment(environment, notes),
    notes,
  };
  if (isGiven(result, 'ip') && isGiven(result, 'ip-discovery-command'))
    throw new Error('Only one of `--ip` or `--ip_discovery_command` should be specified');
  return result;
}

function isGiven({ flags, environment }: Given, key: string): boolean {
  const variable = PREFIX + key.replaceAll('-', '_').toUpperCase();
  return environment[variable] !== undefined || flags.some((flag) => flag.startsWith(`--${key}=`));
}

function translateEnvironment(
  environment: Given['environment'],
  notes: string[],
): Given['environment'] {
  const translated: Record<string, string | undefined> = { ...environment };
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || text === undefined) continue;
    const given = variable.slice(PREFIX.length).toLowerCase();
    const name = ALIASES[given] ?? given;
    if (FLAGS[name] === undefined) continue;
    delete translated[variable];
    const setting = settingOf(name, text, notes);
    if (setting === undefined) continue;
    translated[PREFIX + kebab(setting.key).replaceAll('-', '_').toUpperCase()] = setting.value;
  }
  return translated;
}

/** The flag that an argument gives, and its value if the argument has one. */
function recognise(
  argument: string,
): { readonly name: string; readonly text: string | undefined } | undefined {
  const match = /^--([^=]+)(?:=([\s\S]*))?$/.exec(argument);
  if (match === null) return undefined;
  const given = (match[1] ?? '').replaceAll('-', '_');
  const name = ALIASES[given] ?? given;
  if (FLAGS[name] !== undefined) return { name, text: match[2] };
  const negated = ALIASES[given.slice('no_'.length)] ?? given.slice('no_'.length);
  const flag = given.startsWith('no_') ? FLAGS[negated] : undefined;
  return flag !== undefined && isBoolean(flag) ? { name: negated, text: 'false' } : undefined;
}

function settingOf(
  name: string,
  given: string,
  notes: string[],
): { readonly key: string; readonly value: string } | undefined {
  const flag: Flag | undefined = FLAGS[name];
  if (flag === undefined) return undefined;
  if (flag.kind === 'refused') throw new Error(`--${name} is not supported: ${flag.reason}`);
  const text =
    given.startsWith('file://') && !PATHS.has(name)
      ? readSetting('FLAG_UNREADABLE', given).trim()
      : given;
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
