/**
 * Options before the first command word. Parsing stops at the first word that is none of them, so
 * the same letters may mean something else behind a command.
 */

import { err, ok } from '@dcos/base';
import type { Result } from '@dcos/base';

/** 0 says errors only, 1 each request, 2 requests with their bodies. */
export type Verbosity = 0 | 1 | 2;

export interface GlobalOptions {
  readonly verbosity: Verbosity;
  readonly version: boolean;
  readonly help: boolean;
  /** Uses of deprecated options, one sentence each. */
  readonly deprecations: readonly string[];
  /** The command and everything behind it. */
  readonly rest: readonly string[];
}

/** Reads the options before the command; the error is a sentence for a person. */
export function parseGlobalOptions(argv: readonly string[]): Result<GlobalOptions, string> {
  let verbosity: Verbosity = 0;
  let version = false;
  let help = false;
  const deprecations: string[] = [];
  let index = 0;
  for (; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (word === '-v') verbosity = verbosity === 0 ? 1 : 2;
    else if (word === '-vv' || word === '-vvv') verbosity = 2;
    else if (word === '--version') version = true;
    else if (word === '-h' || word === '--help') help = true;
    else if (word === '--debug') {
      verbosity = 2;
      deprecations.push('The --debug option is deprecated. Use -vv instead.');
    } else if (word === '--log-level' || word.startsWith('--log-level=')) {
      const separate = word === '--log-level';
      const level = separate ? argv[index + 1] : word.slice('--log-level='.length);
      if (level === undefined) return err('the option --log-level needs a value');
      if (separate) index += 1;
      verbosity = toVerbosity(level);
      deprecations.push('The --log-level option is deprecated. Use -v or -vv instead.');
    } else if (word.startsWith('-')) {
      return err(`unknown option "${word}"`);
    } else break;
  }
  return ok({ verbosity, version, help, deprecations, rest: argv.slice(index) });
}

/** The verbosity that `DCOS_VERBOSITY` asks for. */
export function verbosityFromEnvironment(value: string | undefined): Verbosity {
  return value === '1' ? 1 : value === '2' ? 2 : 0;
}

function toVerbosity(level: string): Verbosity {
  const name = level.toLowerCase();
  return name === 'debug' ? 2 : name === 'info' ? 1 : 0;
}
