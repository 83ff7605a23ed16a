/**
 * What the installer brings from `infra/`: small programs that run on hosts, and templates of units. Read when needed,
 * once.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Handlebars from 'handlebars';

const INFRA = join(import.meta.dirname, '..', '..', '..', 'infra');
const cache = new Map<string, string>();
const templates = new Map<string, Handlebars.TemplateDelegate>();

function infraFile(...path: readonly string[]): string {
  const file = join(INFRA, ...path);
  const text = cache.get(file) ?? readFileSync(file, 'utf8');
  cache.set(file, text);
  return text;
}

/** Programs that the installer brings. */
export type HostProgram =
  | 'probe.sh'
  | 'packages.sh'
  | 'reach.sh'
  | 'ready.mjs'
  | 'apply.mjs'
  | 'back.mjs'
  | 'leaders.mjs'
  | 'agents.mjs'
  | 'remove.sh';

/** The text of a program for hosts. */
export function hostProgram(name: HostProgram): string {
  return infraFile('host', name);
}

/** The list of what releases bring of ZooKeeper: another list, another ZooKeeper. */
export function zooKeeperList(): string {
  return infraFile('zookeeper', 'jars.json');
}

const TEMPLATES = {
  program: 'program.service.hbs',
  zookeeper: 'zookeeper.service.hbs',
  target: 'dcos.target.hbs',
} as const;

/** Fills a template; a value that it names and that is not given is an error. */
export function renderTemplate(
  template: keyof typeof TEMPLATES,
  values: Readonly<Record<string, string>>,
): string {
  const file = TEMPLATES[template];
  const filled =
    templates.get(file) ??
    Handlebars.compile(infraFile('units', file), { strict: true, noEscape: true });
  templates.set(file, filled);
  return filled(values);
}
