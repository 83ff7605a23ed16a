/**
 * `dcos service`: the frameworks that run on the cluster.
 */

import type { Command } from 'commander';
import { textField } from '../../core/json-field.ts';
import { selectServices, serviceHeadings, serviceRows } from '../../core/mesos-services.ts';
import { commandGroup, subcommand } from '../command-line.ts';
import { fetchState } from '../documents.ts';
import { cliError } from '../errors.ts';
import { printList } from '../output.ts';
import type { OutputFlags } from '../output.ts';
import { confirm } from '../prompts.ts';
import { openSession } from '../session.ts';
import type { Invocation } from '../terminal.ts';
import { addNotThereYet } from './not-there-yet.ts';

interface ListFlags extends OutputFlags {
  readonly completed?: boolean;
  readonly inactive?: boolean;
  readonly idOnly?: boolean;
}

/** Builds the group. */
export function buildCommand(invocation: Invocation): Command {
  const group = commandGroup('service', 'Manage the services of the cluster.', invocation);
  const list = subcommand(group, 'list', 'List the services.');
  list
    .option('--json', 'Print JSON.')
    .option('-q, --quiet', 'Print names only.')
    .option('--completed', 'Show services that ended, too.')
    .option('--inactive', 'Show services that are not connected, too.')
    .addOption(list.createOption('--id-only', 'Print IDs only.').hideHelp())
    .action((flags: ListFlags) => listServices(invocation, flags));
  subcommand(group, 'shutdown', 'Shut a service down, with all of its tasks.')
    .argument('<framework-id>')
    .option('--yes', 'Do not ask.')
    .action((id: string, flags: { readonly yes?: boolean }) =>
      shutDown(invocation, id, flags.yes === true),
    );
  addNotThereYet(group, ['log']);
  return group;
}

async function listServices(invocation: Invocation, flags: ListFlags): Promise<void> {
  const session = await openSession(invocation);
  const services = selectServices(await fetchState(session), {
    completed: flags.completed === true,
    inactive: flags.inactive === true,
  });
  const key = flags.idOnly === true ? 'id' : 'name';
  await printList(
    invocation.terminal,
    { ...flags, quiet: flags.quiet === true || flags.idOnly === true },
    {
      document: services,
      identifiers: services.map((service) => textField(service, key) ?? ''),
      table: { headings: serviceHeadings, rows: serviceRows(services) },
    },
  );
}

async function shutDown(invocation: Invocation, id: string, sure: boolean): Promise<void> {
  const { terminal } = invocation;
  const session = await openSession(invocation);
  const services = selectServices(await fetchState(session), { completed: false, inactive: true });
  const service = services.find((candidate) => textField(candidate, 'id') === id);
  if (service === undefined) {
    throw cliError('CLI_NOT_FOUND', `there is no service with the ID "${id}"`);
  }
  if (!sure) {
    const name = textField(service, 'name') ?? id;
    await confirm(terminal, `Shut down "${name}" (${id}) and kill all of its tasks?`);
  }
  await session.client.request(`${session.mesosUrl}/api/v1`, {
    method: 'POST',
    json: { type: 'TEARDOWN', teardown: { framework_id: { value: id } } },
  });
}
