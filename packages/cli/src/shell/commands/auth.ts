/**
 * `dcos auth`: log-in to the current cluster.
 */

import type { Command } from 'commander';
import { withConfigValue, withoutConfigValue } from '../../core/config-document.ts';
import { commandGroup, subcommand } from '../command-line.ts';
import { writeCluster } from '../data-directory.ts';
import { cliError, orThrow } from '../errors.ts';
import { logIn, requiresLogIn } from '../log-in.ts';
import type { LogInOptions } from '../log-in.ts';
import { currentCluster, openSession } from '../session.ts';
import type { Invocation } from '../terminal.ts';
import { addNotThereYet } from './not-there-yet.ts';

/** Builds the group. */
export function buildCommand(invocation: Invocation): Command {
  const { terminal } = invocation;
  const group = commandGroup('auth', 'Log in to a cluster and out of it.', invocation);
  subcommand(group, 'login', 'Log in to the current cluster.')
    .option('--username <name>', 'User to log in as.')
    .option('--password <text>', 'Password of the user.')
    .option('--password-file <file>', 'File with the password of the user.')
    .action(async (options: LogInOptions) => {
      const { client, cluster, clusterUrl } = await openSession(invocation);
      if ((await requiresLogIn(client, clusterUrl)) === undefined) {
        throw cliError('CLI_USAGE', 'authentication is disabled on this cluster');
      }
      const token = await logIn({ terminal, client, url: clusterUrl, options });
      const config = withConfigValue(cluster.config, 'core.dcos_acs_token', token);
      await writeCluster(terminal, cluster.id, orThrow(config, 'CLI_USAGE'));
    });
  subcommand(group, 'logout', 'Forget the token of the current cluster.').action(async () => {
    const cluster = await currentCluster(terminal);
    const config = withoutConfigValue(cluster.config, 'core.dcos_acs_token');
    await writeCluster(terminal, cluster.id, config);
  });
  addNotThereYet(group, ['list-providers']);
  return group;
}
