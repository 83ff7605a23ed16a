/** `init`: writes a `cluster.yaml` in which every key is explained, with its default, ready to be changed. */

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { OperationError } from '@dcos/base';
import { explainedConfiguration } from '../config/explained.ts';
import { PROVIDERS, type ProviderName } from '../config/schema.ts';
import { Reporter } from './reporter.ts';
import { DEFAULT_FILE, type CommonOptions, type Surroundings } from './session.ts';

/** @throws OperationError `INSTALLER_USAGE` for a provider that nobody knows, and for a file that is there. */
export function init(options: CommonOptions, surroundings: Surroundings): void {
  const provider = options.provider ?? 'docker';
  if (!isProvider(provider)) {
    throw new OperationError(
      'INSTALLER_USAGE',
      `there is no provider ${provider}; there are ${PROVIDERS.join(', ')}`,
    );
  }
  if (provider !== 'docker') {
    throw new OperationError(
      'INSTALLER_NOT_THERE_YET',
      `the provider ${provider} is not there yet in this version; docker is`,
    );
  }
  const file = resolve(surroundings.directory, options.config ?? DEFAULT_FILE);
  const name = options.name ?? 'dcos';
  try {
    writeFileSync(file, explainedConfiguration(provider, name), { flag: 'wx' });
  } catch (error) {
    if ((error as { readonly code?: string }).code !== 'EEXIST') throw error;
    throw new OperationError(
      'INSTALLER_USAGE',
      `${file} is there already; remove it, or name another one with --config`,
    );
  }
  new Reporter(surroundings.streams, { json: options.json ?? false, verbose: false }).tell(
    { event: 'configuration.written', file },
    `wrote ${file}; look through it, then: npx installer deploy`,
  );
}

function isProvider(name: string): name is ProviderName {
  return PROVIDERS.some((known) => known === name);
}
