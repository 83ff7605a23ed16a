/** Secrets by reference: `env:NAME` or `file:PATH`. What they hold is in no message. */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { errorText, OperationError } from '@dcos/base';

export interface SecretSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Paths are taken from here. */
  readonly directory: string;
}

/** @throws OperationError `INSTALLER_SECRET_MISSING` */
export function readSecret(
  reference: string,
  { environment, directory }: SecretSurroundings,
): string {
  const [kind, place] = [
    reference.slice(0, reference.indexOf(':')),
    reference.slice(reference.indexOf(':') + 1),
  ];
  if (kind === 'env') {
    const value = environment[place];
    if (value !== undefined && value !== '') return value;
    throw missing(reference, `the environment has no ${place}`);
  }
  try {
    // Editors end files with a line's end, which no secret has.
    return readFileSync(resolve(directory, place), 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw missing(reference, errorText(error));
  }
}

function missing(reference: string, why: string): OperationError {
  return new OperationError('INSTALLER_SECRET_MISSING', `no secret at ${reference}: ${why}`);
}
