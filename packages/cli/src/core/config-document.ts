/**
 * The configuration of one cluster: which keys are known, how a value is checked, how the document
 * is changed. A document is `{ section: { key: value } }`; every change gives a new document.
 */

import { compareText, err, isJsonObject, ok } from '@dcos/base';
import type { JsonObject, JsonValue, Result } from '@dcos/base';

export interface ConfigKey {
  readonly name: string;
  readonly kind: 'text' | 'boolean' | 'integer' | 'booleanOrPath';
  readonly description: string;
}

/** Every key that the command acts on or that older clients knew. */
export const configKeys: readonly ConfigKey[] = [
  { name: 'cluster.name', kind: 'text', description: 'name of the cluster on this machine' },
  { name: 'core.dcos_acs_token', kind: 'text', description: 'authentication token' },
  { name: 'core.dcos_url', kind: 'text', description: 'URL of the cluster' },
  { name: 'core.mesos_master_url', kind: 'text', description: 'URL of the Mesos master' },
  { name: 'core.pagination', kind: 'boolean', description: 'accepted for older clients, unused' },
  { name: 'core.prompt_login', kind: 'boolean', description: 'accepted for older clients, unused' },
  { name: 'core.reporting', kind: 'boolean', description: 'accepted for older clients, unused' },
  { name: 'core.ssh_proxy_ip', kind: 'text', description: 'address of the SSH proxy' },
  { name: 'core.ssh_user', kind: 'text', description: 'user for SSH connections to nodes' },
  {
    name: 'core.ssl_verify',
    kind: 'booleanOrPath',
    description: 'whether to verify certificates, or the path of a file of authorities',
  },
  { name: 'core.timeout', kind: 'integer', description: 'time limit of a request in seconds' },
  { name: 'job.service_name', kind: 'text', description: 'name of the job service' },
  { name: 'job.url', kind: 'text', description: 'URL of the job service' },
  { name: 'marathon.url', kind: 'text', description: 'URL of Marathon' },
  { name: 'package.cosmos_url', kind: 'text', description: 'URL of the package service' },
];

export type ConfigDocument = JsonObject;

const timeoutSecondsMax = 86_400;
const tokenKey = 'core.dcos_acs_token';
const maskedToken = '********';

/** Turns the text of an argument into the value of a key; the error is a sentence for a person. */
export function parseConfigValue(name: string, text: string): Result<JsonValue, string> {
  const kind = configKeys.find((key) => key.name === name)?.kind ?? 'text';
  if (kind === 'boolean') {
    if (/^(true|false)$/i.test(text)) return ok(text.toLowerCase() === 'true');
    return err(`"${text}" is no value for ${name}: expected true or false`);
  }
  if (kind === 'integer') {
    const number = Number(text);
    if (/^\d+$/.test(text) && number <= timeoutSecondsMax) return ok(number);
    return err(`"${text}" is no value for ${name}: expected 0 to ${timeoutSecondsMax} seconds`);
  }
  return ok(text);
}

/** Splits `section.key`; the section is everything before the first dot. */
export function splitConfigName(name: string): Result<readonly [string, string], string> {
  const dot = name.indexOf('.');
  if (dot <= 0 || dot === name.length - 1) {
    return err(`"${name}" is no name of a setting: expected section.key, such as core.timeout`);
  }
  return ok([name.slice(0, dot), name.slice(dot + 1)]);
}

/** The value of a setting, undefined when it is not set. */
export function configValue(document: ConfigDocument, name: string): JsonValue | undefined {
  const split = splitConfigName(name);
  if (!split.ok) return undefined;
  const [section, key] = split.value;
  const table = document[section];
  return isJsonObject(table) && Object.hasOwn(table, key) ? table[key] : undefined;
}

/** Sets one value. A new cluster URL drops the token, which belongs to the old one. */
export function withConfigValue(
  document: ConfigDocument,
  name: string,
  value: JsonValue,
): Result<ConfigDocument, string> {
  const split = splitConfigName(name);
  if (!split.ok) return split;
  const [section, key] = split.value;
  const changesUrl = name === 'core.dcos_url' && configValue(document, name) !== value;
  const base = changesUrl ? withoutValue(document, tokenKey) : document;
  const table = base[section];
  return ok({ ...base, [section]: { ...(isJsonObject(table) ? table : {}), [key]: value } });
}

/** Removes one value, and the token with the URL; absent ones are no error. */
export function withoutConfigValue(document: ConfigDocument, name: string): ConfigDocument {
  const without = withoutValue(document, name);
  return name === 'core.dcos_url' ? withoutValue(without, tokenKey) : without;
}

/** `key value` lines sorted by key, the token masked. */
export function listConfig(document: ConfigDocument): readonly string[] {
  return flatten(document, '')
    .map(
      ([name, value]) => [name, name === tokenKey && value !== '' ? maskedToken : value] as const,
    )
    .toSorted((left, right) => compareText(left[0], right[0]))
    .map(([name, value]) => `${name} ${value}`);
}

/** A setting as text. */
export function configText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function withoutValue(document: ConfigDocument, name: string): ConfigDocument {
  const split = splitConfigName(name);
  if (!split.ok) return document;
  const [section, key] = split.value;
  const table = document[section];
  if (!isJsonObject(table)) return document;
  const rest = Object.fromEntries(Object.entries(table).filter(([other]) => other !== key));
  return { ...document, [section]: rest };
}

function flatten(document: ConfigDocument, prefix: string): readonly (readonly [string, string])[] {
  return Object.entries(document).flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (isJsonObject(value)) return flatten(value, `${prefix}${name}.`);
    return [[`${prefix}${name}`, configText(value)] as const];
  });
}
