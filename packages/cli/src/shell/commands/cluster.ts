/**
 * `dcos cluster`: the clusters that this machine knows, and which of them is the current one.
 */

import type { Command } from 'commander';
import type { JsonValue } from '@dcos/base';
import { findCluster } from '../../core/cluster-choice.ts';
import { withConfigValue } from '../../core/config-document.ts';
import { commandGroup, subcommand } from '../command-line.ts';
import { setupCluster } from '../cluster-setup.ts';
import type { SetupOptions } from '../cluster-setup.ts';
import { probeClusters } from '../cluster-status.ts';
import type { ClusterStatus } from '../cluster-status.ts';
import { attachCluster, readClusters, removeCluster, writeCluster } from '../data-directory.ts';
import type { StoredCluster } from '../data-directory.ts';
import { cliError, orThrow } from '../errors.ts';
import { printLines, printList } from '../output.ts';
import { currentCluster } from '../session.ts';
import type { Invocation, Terminal } from '../terminal.ts';

interface ListFlags {
  readonly attached?: boolean;
  readonly json?: boolean;
  readonly names?: boolean;
}

interface RemoveFlags {
  readonly all?: boolean;
  readonly unavailable?: boolean;
}

/** Builds the group. */
export function buildCommand(invocation: Invocation): Command {
  const group = commandGroup('cluster', 'Manage the clusters that you work with.', invocation);
  addSetup(group, invocation);
  addList(group, invocation);
  addChanges(group, invocation);
  return group;
}

function addSetup(group: Command, invocation: Invocation): void {
  subcommand(group, 'setup', 'Set up a cluster and attach it.')
    .argument('<url>')
    .option('--name <name>', 'Name of the cluster on this machine.')
    .option('--insecure', 'Connect without verifying certificates.')
    .option('--ca-certs <file>', 'File with the certificate authorities of the cluster.')
    .option('--no-check', 'Accept the certificate authority of the cluster without a question.')
    .option('--no-timeout', 'Wait for answers without a limit.')
    .option('--username <name>', 'User to log in as.')
    .option('--password <text>', 'Password of the user.')
    .option('--password-file <file>', 'File with the password of the user.')
    .action((url: string, options: SetupOptions) => setupCluster(invocation, url, options));
}

function addList(group: Command, invocation: Invocation): void {
  subcommand(group, 'list', 'List the clusters that are set up.')
    .option('--attached', 'Show the attached cluster only.')
    .option('--json', 'Print JSON.')
    .addOption(hiddenFlag(group, '--names', 'Print names only.'))
    .action((flags: ListFlags) => listClusters(invocation.terminal, flags));
}

function addChanges(group: Command, { terminal }: Invocation): void {
  subcommand(group, 'attach', 'Make a cluster the current one.')
    .argument('<cluster>')
    .action(async (argument: string) => {
      await attachCluster(terminal, (await findStored(terminal, argument)).id);
    });
  subcommand(group, 'rename', 'Rename a cluster on this machine.')
    .argument('<cluster>')
    .argument('<name>')
    .action(async (argument: string, name: string) => {
      if (name.trim() === '') throw cliError('CLI_USAGE', 'the new name must not be empty');
      const cluster = await findStored(terminal, argument);
      const config = orThrow(withConfigValue(cluster.config, 'cluster.name', name), 'CLI_USAGE');
      await writeCluster(terminal, cluster.id, config);
    });
  subcommand(group, 'remove', 'Forget clusters; they themselves are left alone.')
    .argument('[cluster]')
    .option('--all', 'Forget all clusters.')
    .option('--unavailable', 'Forget the clusters that cannot be reached.')
    .action((argument: string | undefined, flags: RemoveFlags) =>
      removeClusters(terminal, argument, flags),
    );
  subcommand(group, 'open', 'Print the address of the web interface.')
    .argument('[cluster]')
    .action(async (argument: string | undefined) => {
      const cluster =
        argument === undefined
          ? await currentCluster(terminal)
          : await findStored(terminal, argument);
      await printLines(terminal, [cluster.url]);
    });
}

async function listClusters(terminal: Terminal, flags: ListFlags): Promise<void> {
  const stored = await readClusters(terminal);
  if (flags.names === true) {
    await printLines(
      terminal,
      stored.map((cluster) => cluster.name),
    );
    return;
  }
  const marked = await markCurrent(terminal, stored);
  const shown = flags.attached === true ? marked.filter((cluster) => cluster.attached) : marked;
  if (flags.attached === true && shown.length === 0) {
    throw cliError('CLI_NOT_CONFIGURED', 'no cluster is attached');
  }
  const statuses = await probeClusters(terminal, shown);
  await printList(terminal, flags, {
    document: statuses.map(toDocument),
    identifiers: [],
    table: {
      headings: ['', 'NAME', 'ID', 'STATUS', 'VERSION', 'URL'],
      rows: statuses.map(toRow),
      alignment: 'left',
    },
  });
}

// The only cluster is the current one, whether it bears the marker or not; so is the one that the
// environment names.
async function markCurrent(
  terminal: Terminal,
  stored: readonly StoredCluster[],
): Promise<readonly StoredCluster[]> {
  const requested = terminal.environment['DCOS_CLUSTER'] ?? '';
  if (stored.length === 0 || (stored.length > 1 && requested === '')) return stored;
  const current = await currentCluster(terminal);
  return stored.map((cluster) => ({ ...cluster, attached: cluster.id === current.id }));
}

function toDocument(status: ClusterStatus): JsonValue {
  const { cluster } = status;
  return {
    attached: cluster.attached,
    cluster_id: cluster.id,
    name: cluster.name,
    status: status.status,
    url: cluster.url,
    version: status.version,
  };
}

function toRow(status: ClusterStatus): readonly string[] {
  const { cluster } = status;
  const marker = cluster.attached ? '*' : '';
  return [marker, cluster.name, cluster.id, status.status, status.version, cluster.url];
}

async function removeClusters(
  terminal: Terminal,
  argument: string | undefined,
  flags: RemoveFlags,
): Promise<void> {
  const given = [argument !== undefined, flags.all === true, flags.unavailable === true];
  if (given.filter(Boolean).length !== 1) {
    throw cliError('CLI_USAGE', 'give the name of a cluster, or --all, or --unavailable');
  }
  if (argument !== undefined) {
    await removeCluster(await findStored(terminal, argument));
    return;
  }
  const stored = await readClusters(terminal);
  const doomed =
    flags.all === true
      ? stored
      : (await probeClusters(terminal, stored))
          .filter((status) => status.status === 'UNAVAILABLE')
          .map((status) => status.cluster);
  for (const cluster of doomed) await removeCluster(cluster);
}

async function findStored(terminal: Terminal, argument: string): Promise<StoredCluster> {
  return orThrow(findCluster(await readClusters(terminal), argument), 'CLI_NOT_CONFIGURED');
}

function hiddenFlag(
  group: Command,
  flags: string,
  description: string,
): ReturnType<Command['createOption']> {
  return group.createOption(flags, description).hideHelp();
}
