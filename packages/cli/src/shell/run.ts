/**
 * One run of the command: global options, then the module of the command that was asked for, which
 * alone is loaded. Every error becomes lines on standard error and an exit code.
 */

import type { Command } from 'commander';
import { errorText, nearestWord, operationErrorCode } from '@dcos/base';
import { parseGlobalOptions, verbosityFromEnvironment } from '../core/global-options.ts';
import { renderHelp } from '../core/help-text.ts';
import { cliError, orThrow } from './errors.ts';
import type { Invocation, Terminal } from './terminal.ts';

interface TopLevelCommand {
  readonly name: string;
  readonly description: string;
  readonly load: () => Promise<{
    buildCommand(invocation: Invocation): Command;
  }>;
  /** The word alone once meant its `list`. */
  readonly listByDefault?: boolean;
}

const commands: readonly TopLevelCommand[] = [
  {
    name: 'auth',
    description: 'Log in to a cluster and out of it.',
    load: () => import('./commands/auth.ts'),
  },
  {
    name: 'cluster',
    description: 'Manage the clusters that you work with.',
    load: () => import('./commands/cluster.ts'),
  },
  {
    name: 'config',
    description: 'Manage the settings of a cluster.',
    load: () => import('./commands/config.ts'),
  },
  {
    name: 'incident',
    description: 'Look at what failed and what came back.',
    load: () => import('./commands/incident.ts'),
  },
  {
    name: 'marathon',
    description: 'Deploy and manage apps.',
    load: () => import('./commands/marathon.ts'),
  },
  {
    name: 'node',
    description: 'Look at the nodes of the cluster.',
    load: () => import('./commands/node.ts'),
    listByDefault: true,
  },
  {
    name: 'service',
    description: 'Manage the services of the cluster.',
    load: () => import('./commands/service.ts'),
    listByDefault: true,
  },
  {
    name: 'task',
    description: 'Look at tasks, their logs and their files.',
    load: () => import('./commands/task.ts'),
    listByDefault: true,
  },
];

/** Commands of the original that this version does not have. */
const notThereYet = ['calico', 'completion', 'diagnostics', 'job', 'package', 'plugin', 'quota'];

/** Runs the words behind `dcos` and gives the exit code: 1 for every reported error, else 0 or the command's own. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await dispatch(argv, terminal);
  } catch (error) {
    if (operationErrorCode(error) === undefined) throw error;
    terminal.notice(`Error: ${errorLine(error)}`);
    return 1;
  }
}

async function dispatch(argv: readonly string[], terminal: Terminal): Promise<number> {
  const options = orThrow(parseGlobalOptions(argv), 'CLI_USAGE');
  for (const text of options.deprecations) deprecated(terminal, text);
  const environment = verbosityFromEnvironment(terminal.environment['DCOS_VERBOSITY']);
  const verbosity = options.verbosity === 0 ? environment : options.verbosity;
  const exit = { code: 0 };
  const invocation: Invocation = { terminal, verbosity, exit };
  if (options.version) {
    const { printVersion } = await import('./version.ts');
    await printVersion(terminal);
    return exit.code;
  }
  const [word, ...words] = options.rest;
  if (options.help || word === undefined) {
    await terminal.print(topLevelHelp());
  } else if (word === 'help') {
    const [topic, ...rest] = words;
    if (topic === undefined) await terminal.print(topLevelHelp());
    else await runTopLevel(invocation, topic, [...rest, '--help']);
  } else {
    await runTopLevel(invocation, word, words);
  }
  return exit.code;
}

async function runTopLevel(
  invocation: Invocation,
  word: string,
  words: readonly string[],
): Promise<void> {
  const found = commands.find((command) => command.name === word);
  if (found === undefined) throw unknownCommand(word);
  const [module, commandLine] = await Promise.all([found.load(), import('./command-line.ts')]);
  const command = module.buildCommand(invocation);
  const [first] = words;
  const isBare = first === undefined || /^-(?!h$|-help$)/.test(first);
  if (found.listByDefault === true && isBare) {
    const text = `"dcos ${word}" is deprecated, use "dcos ${word} list".`;
    deprecated(invocation.terminal, text);
    await commandLine.runCommand(command, ['list', ...words]);
  } else {
    await commandLine.runCommand(command, words);
  }
}

function unknownCommand(word: string): Error {
  if (notThereYet.includes(word)) {
    return cliError('CLI_NOT_THERE_YET', `"dcos ${word}" is not there yet in this version`);
  }
  const names = commands.map((command) => command.name);
  const near = nearestWord(word, names);
  const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
  return cliError(
    'CLI_USAGE',
    `"${word}" is not a command of "dcos".${hint}\nRun "dcos help" for the list.`,
  );
}

function deprecated(terminal: Terminal, text: string): void {
  if ((terminal.environment['DCOS_CLI_STRICT_DEPRECATIONS'] ?? '') !== '') {
    throw cliError('CLI_USAGE', text);
  }
  terminal.notice(text);
}

// The cause adds something only where the message does not say it already.
function errorLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isStream = operationErrorCode(error) === 'CLI_STREAM_LOST';
  return isStream ? errorText(error) : error.message;
}

function topLevelHelp(): string {
  return renderHelp({
    description: 'The command line of DC/OS.',
    usage: 'dcos [options] <command>',
    examples: [
      'dcos cluster setup http://127.0.0.1:8180',
      'dcos marathon app add app.json',
      'dcos task log --follow <task>',
    ],
    commands: [
      ...commands.map(({ name, description }) => ({ name, description })),
      { name: 'help', description: 'Show help for a command.' },
    ],
    options: [
      { name: '--version', description: 'Print the versions of this command and of the cluster.' },
      { name: '-v, -vv', description: 'Log requests, with -vv their bodies too.' },
      { name: '-h, --help', description: 'Show this help.' },
    ],
    path: 'dcos',
  });
}
