/**
 * The changes that an update command makes: `name=value` words, or a JSON object on standard input.
 */

import { isJsonObject } from '@dcos/base';
import type { JsonObject } from '@dcos/base';
import { parseProperties } from '../core/property-arguments.ts';
import { cliError, orThrow } from './errors.ts';
import { readJsonInput } from './json-input.ts';
import type { Terminal } from './terminal.ts';

/** What the help says about the words. */
export const propertiesText =
  'name=value with JSON or text as the value, such as instances=3 or cmd="sleep 10"; ' +
  'a JSON object on standard input without any.';

/** Reads the changes. @throws OperationError CLI_USAGE, CLI_INPUT */
export async function readProperties(
  terminal: Terminal,
  words: readonly string[],
  known: readonly string[],
): Promise<JsonObject> {
  if (words.length > 0) return orThrow(parseProperties(words, known), 'CLI_USAGE');
  if (terminal.inputIsTerminal) {
    throw cliError('CLI_USAGE', 'give name=value words, or pipe a JSON object into this command');
  }
  const { value, source } = await readJsonInput(terminal, undefined);
  if (!isJsonObject(value)) throw cliError('CLI_INPUT', `${source} must hold one JSON object`);
  return value;
}
