/**
 * Commands of the original that this version does not have: they say so, rather than being unknown.
 */

import type { Command } from 'commander';
import { newCommand, pathOf } from '../command-line.ts';
import { cliError } from '../errors.ts';

/** Adds hidden commands which answer that they are not there yet. */
export function addNotThereYet(group: Command, names: readonly string[]): void {
  for (const name of names) {
    const command = newCommand(name, 'Not there yet.');
    command.argument('[words...]').allowUnknownOption(true);
    command.action(() => {
      throw cliError('CLI_NOT_THERE_YET', `"${pathOf(command)}" is not there yet in this version`);
    });
    group.addCommand(command, { hidden: true });
  }
}
