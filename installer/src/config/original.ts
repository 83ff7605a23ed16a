/**
 * Reads the original's `config.yaml` and says what became of each of its keys: nothing is passed over in silence. What
 * comes out is a document of `cluster.yaml` for hosts that are there (provider ssh), which is checked like any other.
 */

import { err, nearestWord, ok, type Result } from '@dcos/base';
import { parseDocument } from 'yaml';
import type { Fault } from './faults.ts';
import { KEYS_WITHOUT_EFFECT, withoutEffect, type Fate } from './original-keys.ts';

export interface KeyReport {
  readonly key: string;
  readonly fate: Fate;
  /** What became of it, or why nothing did. Values are not shown: some are secrets. */
  readonly text: string;
}

export interface OriginalConfiguration {
  readonly document: Readonly<Record<string, unknown>>;
  readonly report: readonly KeyReport[];
}

interface Taken {
  /** Place in the document. */
  readonly path: readonly string[];
  readonly value: unknown;
  readonly report: Omit<KeyReport, 'key'>;
}

type Take = (value: unknown) => Taken | Omit<KeyReport, 'key'>;

const NAME_CHARACTERS_MAX = 30;

/** @returns faults where the text is no group of keys. */
export function readOriginal(text: string): Result<OriginalConfiguration, readonly Fault[]> {
  const yaml = parseDocument(text);
  const [broken] = yaml.errors;
  if (broken !== undefined) {
    const reason = `it is no YAML: ${broken.message.split('\n')[0] ?? ''}`;
    return err([{ key: '', reason, remedy: 'mend that line' }]);
  }
  const values: unknown = yaml.toJS({ maxAliasCount: 100 });
  if (typeof values !== 'object' || values === null || Array.isArray(values))
    return err([{ key: '', reason: 'it is no group of keys', remedy: 'is it the right file?' }]);
  const document: Record<string, unknown> = { name: 'dcos', provider: 'ssh' };
  const report: KeyReport[] = [];
  for (const [key, value] of Object.entries(values)) {
    const taken = TAKEN[key]?.(value) ?? withoutAnyEffect(key);
    if (!('path' in taken)) {
      report.push({ key, ...taken });
      continue;
    }
    put(document, taken.path, taken.value);
    report.push({ key, ...taken.report });
  }
  return ok({ document, report });
}

function withoutAnyEffect(key: string): Omit<KeyReport, 'key'> {
  const known = withoutEffect(key);
  if (known !== undefined) return { fate: known.fate, text: known.why };
  const near = nearestWord(key, [...Object.keys(TAKEN), ...KEYS_WITHOUT_EFFECT]);
  return {
    fate: 'unknown',
    text: near === undefined ? 'the original has no such key' : `did you mean ${near}?`,
  };
}

function put(document: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [first = '', second] = path;
  if (second === undefined) document[first] = value;
  else document[first] = { ...(document[first] as object | undefined), [second]: value };
}

function moved(...path: readonly string[]): Take {
  return (value) => ({
    path,
    value: fromText(value),
    report: { fate: 'taken', text: `is ${path.join('.')}` },
  });
}

/** The original takes lists and numbers as text, too. */
function fromText(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const text = value.trim();
  if (/^\d+$/.test(text)) return Number(text);
  if (!text.startsWith('[')) return value;
  const parsed = parseDocument(text);
  return parsed.errors.length === 0 ? (parsed.toJS() as unknown) : value;
}

const TAKEN: Readonly<Record<string, Take>> = {
  cluster_name: takeName,
  master_list: moved('hosts', 'masters'),
  agent_list: moved('hosts', 'privateAgents'),
  public_agent_list: moved('hosts', 'publicAgents'),
  resolvers: moved('resolvers'),
  ssh_user: moved('ssh', 'user'),
  ssh_port: moved('ssh', 'port'),
  ssh_key_path: moved('ssh', 'keyFile'),
  ssh_parallelism: moved('ssh', 'parallel'),
  master_discovery: (value) =>
    value === 'static'
      ? { fate: 'taken', text: 'masters are those of the list' }
      : {
          fate: 'refused',
          text: 'masters behind a load balancer are not there: everybody finds them in ZooKeeper',
        },
};

function takeName(value: unknown): Taken | Omit<KeyReport, 'key'> {
  const given = String(value);
  const name = given
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, NAME_CHARACTERS_MAX)
    .replace(/-+$/, '');
  if (name === '') return { fate: 'refused', text: `no name can be made of '${given}'` };
  return {
    path: ['name'],
    value: name,
    report:
      name === given
        ? { fate: 'taken', text: 'is name' }
        : {
            fate: 'changed',
            text: `is name, as ${name}: names are small letters, digits, hyphens`,
          },
  };
}
