/** Settings that stand for themselves or name a file: the original's `/path` and `file:///path`. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { errorText, OperationError } from '@dcos/base';

/** JSON stands for itself, everything else names a file. Throws the code when that cannot be read. */
export function textOfSetting(code: string, setting: string): string {
  return setting.trimStart().startsWith('{') ? setting : readSetting(code, setting);
}

/** The text of a file, named by its path or `file://…`. Throws the code when it cannot be read. */
export function readSetting(code: string, name: string): string {
  try {
    return readFileSync(pathOfSetting(name), 'utf8');
  } catch (error) {
    throw new OperationError(code, `${name} cannot be read: ${errorText(error)}`, { cause: error });
  }
}

/** The path that a setting names. */
export function pathOfSetting(name: string): string {
  return name.startsWith('file://') ? fileURLToPath(name) : name;
}
