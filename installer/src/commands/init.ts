/**
 * `init`: writes a `cluster.yaml` in which every key is explained, with its default, ready to be changed; or one made from
 * the original's `config.yaml`, and says what became of each key of that.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { OperationError } from '@dcos/base';
import { readDocument } from '../config/configuration.ts';
import { explainedConfiguration } from '../config/explained.ts';
import { readOriginal } from '../config/original.ts';
import { PROVIDERS, type ProviderName } from '../config/schema.ts';
import { Reporter } from './reporter.ts';
import { DEFAULT_FILE, faultsText, type CommonOptions, type Surroundings } from './session.ts';

export interface InitOptions extends CommonOptions {
  /** The original's `config.yaml`. */
  readonly from?: string;
}

/** @throws OperationError `INSTALLER_USAGE` or `INSTALLER_CONFIGURATION`; nothing is written then. */
export function init(options: InitOptions, surroundings: Surroundings): void {
  const reporter = new Reporter(surroundings.streams, {
    json: options.json ?? false,
    verbose: false,
  });
  const file = resolve(surroundings.directory, options.config ?? DEFAULT_FILE);
  if (options.from === undefined) {
    const provider = providerOf(options.provider ?? 'docker');
    write(file, explainedConfiguration(provider, { name: options.name ?? 'dcos' }));
  } else {
    write(file, explainedConfiguration('ssh', documentFrom(options.from, surroundings, reporter)));
  }
  reporter.tell(
    { event: 'configuration.written', file },
    `wrote ${file}; look through it, then: npx installer deploy`,
  );
}

function providerOf(name: string): ProviderName {
  const found = PROVIDERS.find((known) => known === name);
  if (found !== undefined) return found;
  throw new OperationError(
    'INSTALLER_USAGE',
    `there is no provider ${name}; there are ${PROVIDERS.join(', ')}`,
  );
}

function documentFrom(
  from: string,
  { directory }: Pick<Surroundings, 'directory'>,
  reporter: Reporter,
): Readonly<Record<string, unknown>> {
  const read = readOriginal(textOf(resolve(directory, from)));
  if (!read.ok) throw new OperationError('INSTALLER_CONFIGURATION', faultsText(from, read.error));
  const { document, report } = read.value;
  for (const { key, fate, text } of report) {
    reporter.tell(
      { event: 'original.key', key, fate, text },
      `  ${key.padEnd(32)} ${fate.padEnd(14)} ${text}`,
    );
  }
  const checked = readDocument(document);
  if (checked.ok) return document;
  throw new OperationError('INSTALLER_CONFIGURATION', faultsText(from, checked.error));
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new OperationError('INSTALLER_USAGE', `${file} cannot be read`, { cause: error });
  }
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    if ((error as { readonly code?: string }).code !== 'EEXIST') throw error;
    throw new OperationError(
      'INSTALLER_USAGE',
      `${file} is there already; remove it, or name another one with --config`,
    );
  }
}
