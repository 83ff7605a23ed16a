/** The text of a `cluster.yaml` with every key explained, made from the schema, so that it cannot lag behind. */

import { z } from 'zod';
import { stringify } from 'yaml';
import { clusterSchema, speaksTls, type ProviderName } from './schema.ts';

/** Groups that a provider has. */
const GROUPS: Readonly<Record<ProviderName, readonly string[]>> = {
  docker: ['docker'],
  ssh: ['ssh', 'hosts'],
  aws: ['aws'],
};
const ALL_GROUPS = Object.values(GROUPS).flat();
const WIDTH = 96;

/** Hosts cannot be guessed; these show the form. */
const EXAMPLES: Readonly<Record<string, unknown>> = {
  'aws.region': 'eu-central-1',
  'aws.adminLocations': ['203.0.113.7/32'],
  'hosts.masters': ['10.0.0.10'],
  'hosts.privateAgents': ['10.0.0.20', '10.0.0.21'],
  'hosts.publicAgents': ['10.0.0.30'],
};

/** @param given values by key, those of groups below the group's. */
export function explainedConfiguration(
  provider: ProviderName,
  given: Readonly<Record<string, unknown>>,
): string {
  const lines = [
    '# A cluster; made by "installer init". Keys that are commented out have no default.',
    '',
  ];
  const chosen: Readonly<Record<string, unknown>> = { provider, tls: speaksTls({ provider }) };
  for (const [key, schema] of Object.entries(clusterSchema.shape)) {
    if (ALL_GROUPS.includes(key)) {
      if (GROUPS[provider].includes(key)) lines.push(...groupLines(key, schema, given[key]));
      continue;
    }
    lines.push(...keyLines(key, schema, given[key] ?? chosen[key] ?? defaultOf(schema)), '');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

function groupLines(group: string, schema: z.ZodType, given: unknown): readonly string[] {
  const values = (given ?? {}) as Readonly<Record<string, unknown>>;
  const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  if (!(inner instanceof z.ZodObject)) return [];
  const keys = Object.entries(inner.shape);
  const lines = keys.flatMap(([key, one]) =>
    keyLines(
      key,
      one,
      values[key] ??
        (given === undefined ? EXAMPLES[`${group}.${key}`] : undefined) ??
        defaultOf(one),
    ),
  );
  return [...comment(schema.description), `${group}:`, ...lines.map((line) => `  ${line}`), ''];
}

/** A key without a value is shown, and has no effect. */
function keyLines(key: string, schema: z.ZodType, value: unknown): readonly string[] {
  const text = stringify({ [key]: value ?? null }, { lineWidth: 0 }).trimEnd();
  const lines = text.split('\n');
  const shown = value === undefined ? [`# ${key}:`] : lines;
  return [...comment(schema.description), ...shown];
}

function defaultOf(schema: z.ZodType): unknown {
  const parsed = schema.safeParse(undefined);
  return parsed.success ? parsed.data : undefined;
}

function comment(text: string | undefined): readonly string[] {
  const lines: string[] = [];
  for (const word of (text ?? '').split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > WIDTH) lines.push(`# ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
