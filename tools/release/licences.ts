/** The licences of what others made: the texts that its packages bring, one file for each package. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReleaseFile } from '@dcos/installer/release';
import { textFile } from './files.ts';
import type { NpmPackage } from './packages.ts';

const TEXT = /^(licen[cs]e|copying|notice)/i;

/** Packages may come twice. */
export function licenceFiles(packages: readonly NpmPackage[]): readonly ReleaseFile[] {
  const files = new Map<string, ReleaseFile>();
  for (const of of packages) {
    const path = `licences/${of.name.replace('/', '+')}@${of.version}.txt`;
    files.set(path, textFile(path, licenceText(of)));
  }
  return [...files.values()];
}

function licenceText({ name, version, licence, folder }: NpmPackage): string {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && TEXT.test(entry.name))
    .map((entry) => entry.name)
    .sort();
  const texts = names.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  const head = `${name} ${version}: ${licence}`;
  if (texts.length === 0) return `${head}\n\nThe package brings no text of it.\n`;
  return `${[head, ...texts].join('\n\n')}\n`;
}
