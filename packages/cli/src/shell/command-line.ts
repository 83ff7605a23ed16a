/**
 * What all commands share on top of the parser: groups that explain themselves, help in our layout,
 * errors as exceptions with the words of this product, and the options `--json` and `--quiet`.
 */

import { Command, CommanderError } from 'commander';
import type { Argument, Option } from 'commander';
import { renderHelp } from '../core/help-text.ts';
import { nearestWord } from '@dcos/base';
import { cliError } from './errors.ts';
import type { Invocation } from './terminal.ts';

/** A group of commands: alone it explains itself, an unknown word below it is an error. */
export function commandGroup(name: string, description: string, invocation: Invocation): Command {
  const group = newCommand(name, description);
  group.argument('[words...]').action(async (words: readonly string[]) => {
    const [word] = words;
    if (word === undefined) {
      await invocation.terminal.print(group.helpInformation());
      return;
    }
    const names = group.commands.map((command) => command.name());
    const near = nearestWord(word, names);
    const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
    throw cliError(
      'CLI_USAGE',
      `"${word}" is not a command of "${pathOf(group)}".${hint}\n` +
        `Run "${pathOf(group)} --help" for the list.`,
    );
  });
  return group;
}

/** A command, with help and errors set up; `parent.addCommand` takes it. */
export function newCommand(name: string, description: string): Command {
  const command = new Command(name).description(description);
  command.exitOverride().showSuggestionAfterError(true).allowExcessArguments(false);
  command.helpCommand(false).helpOption('-h, --help', 'Show this help.');
  command.configureOutput({ writeErr: () => undefined, outputError: () => undefined });
  command.configureHelp({ formatHelp: (subject) => formatHelp(subject) });
  return command;
}

/** A command of a group. */
export function subcommand(group: Command, name: string, description: string): Command {
  const command = newCommand(name, description);
  group.addCommand(command);
  return command;
}

/** Runs the words behind the name of a top-level command. */
export async function runCommand(command: Command, words: readonly string[]): Promise<void> {
  try {
    await command.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    throw cliError('CLI_USAGE', sentence(error.message), { cause: error });
  }
}

/** The numbers that an option or argument may have. */
export interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly integer?: boolean;
}

/** A parser of numbers for options and arguments. */
export function numberIn(name: string, range: NumberRange): (text: string) => number {
  return (text) => {
    const value = Number(text);
    const valid =
      /^-?\d+(\.\d+)?$/.test(text) &&
      value >= range.min &&
      value <= range.max &&
      (range.integer !== true || Number.isInteger(value));
    if (valid) return value;
    const kind = range.integer === true ? 'a whole number' : 'a number';
    const text2 = `${name} must be ${kind} from ${range.min} to ${range.max}, not "${text}"`;
    throw cliError('CLI_USAGE', text2);
  };
}

/** Collects the values of an option that may be given more than once. */
export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

/** The words that lead to a command. */
export function pathOf(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) names.unshift(at.name());
  return ['dcos', ...names].join(' ');
}

function formatHelp(command: Command): string {
  const isGroup = command.commands.length > 0;
  const words = isGroup
    ? ['<command>']
    : command.registeredArguments.map((argument) => argumentWord(argument));
  const options = command.options.filter((option) => !option.hidden);
  const usage = [pathOf(command), ...words, ...(options.length > 0 ? ['[options]'] : [])];
  return renderHelp({
    description: command.description(),
    usage: usage.join(' '),
    commands: command.commands.map((child) => ({
      name: child.name(),
      description: child.description(),
    })),
    arguments: isGroup
      ? []
      : command.registeredArguments
          .filter((argument) => argument.description !== '')
          .map((argument) => ({
            name: argumentWord(argument),
            description: argument.description,
          })),
    options: [
      ...options.map((option: Option) => ({ name: option.flags, description: option.description })),
      { name: '-h, --help', description: 'Show this help.' },
    ],
    path: pathOf(command),
  });
}

function argumentWord(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

// The parser says "error: unknown option '--x'\n(Did you mean --y?)".
function sentence(message: string): string {
  return message
    .replace(/^error: /, '')
    .replaceAll("'", '"')
    .replace('\n(', ' (');
}
