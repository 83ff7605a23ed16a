/**
 * `dcos config`: settings of the current cluster.
 */

import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import {
  configKeys,
  configText,
  configValue,
  listConfig,
  parseConfigValue,
  withConfigValue,
  withoutConfigValue,
} from '../../core/config-document.ts';
import { commandGroup, subcommand } from '../command-line.ts';
import { writeCluster } from '../data-directory.ts';
import { cliError, orThrow } from '../errors.ts';
import { printLines } from '../output.ts';
import { currentCluster } from '../session.ts';
import type { Invocation } from '../terminal.ts';

/** Builds the group. */
export function buildCommand(invocation: Invocation): Command {
  const { terminal } = invocation;
  const group = commandGroup('config', 'Manage the settings of a cluster.', invocation);
  subcommand(group, 'set', 'Set a value.')
    .argument('<name>')
    .argument('<value>')
    .action((name: string, value: string) => setValue(invocation, name, value));
  subcommand(group, 'show', 'Show all settings, or the value of one.')
    .argument('[name]')
    .action(async (name: string | undefined) => {
      const { config } = await currentCluster(terminal);
      if (name === undefined) return printLines(terminal, listConfig(config));
      const value = configValue(config, name);
      if (value === undefined) throw cliError('CLI_NOT_FOUND', `the setting "${name}" is not set`);
      return printLines(terminal, [configText(value)]);
    });
  subcommand(group, 'unset', 'Remove a value.')
    .argument('<name>')
    .action(async (name: string) => {
      const cluster = await currentCluster(terminal);
      await writeCluster(terminal, cluster.id, withoutConfigValue(cluster.config, name));
    });
  subcommand(group, 'keys', 'List the settings that there are.')
    .option('-q, --quiet', 'Print names only.')
    .action(async (options: { readonly quiet?: boolean }) => {
      const lines = configKeys.map((key) =>
        options.quiet === true ? key.name : `${key.name} : ${key.description}`,
      );
      await printLines(terminal, lines);
    });
  return group;
}

async function setValue(invocation: Invocation, name: string, text: string): Promise<void> {
  const { terminal } = invocation;
  const cluster = await currentCluster(terminal);
  if (name === 'core.ssl_verify' && !/^(true|false)$/i.test(text)) await requireFile(text);
  const value = orThrow(parseConfigValue(name, text), 'CLI_USAGE');
  const config = orThrow(withConfigValue(cluster.config, name, value), 'CLI_USAGE');
  await writeCluster(terminal, cluster.id, config);
}

async function requireFile(path: string): Promise<void> {
  try {
    await stat(path);
  } catch (error) {
    const text = `core.ssl_verify must be true, false or the path of a file; there is no file ${path}`;
    throw cliError('CLI_USAGE', text, { cause: error });
  }
}
