/**
 * `dcos marathon deployment`: changes that are under way.
 */

import type { Command } from 'commander';
import { textField } from '../../core/json-field.ts';
import { formatTimestamp, toJsonOutput } from '../../core/format.ts';
import {
  deploymentHeadings,
  deploymentRows,
  selectDeployments,
} from '../../core/marathon-deployments.ts';
import { normaliseId } from '../../core/marathon-id.ts';
import { commandGroup, numberIn, subcommand } from '../command-line.ts';
import { fetchObjects } from '../documents.ts';
import { cliError } from '../errors.ts';
import { isForPeople, printJson, printList } from '../output.ts';
import type { OutputFlags } from '../output.ts';
import { openSession } from '../session.ts';
import type { Session } from '../session.ts';
import type { Invocation } from '../terminal.ts';

interface WatchFlags {
  readonly maxCount?: number;
  readonly interval: number;
}

const secondMs = 1000;
const clearScreen = '\u001b[2J\u001b[H';

/** Adds the group. */
export function addDeploymentCommands(marathon: Command, invocation: Invocation): void {
  const group = commandGroup('deployment', 'Manage deployments.', invocation);
  marathon.addCommand(group);
  subcommand(group, 'list', 'List running deployments.')
    .argument('[id]', 'An app or pod; all without it.')
    .option('--json', 'Print JSON.')
    .option('-q, --quiet', 'Print IDs only.')
    .action((id: string | undefined, flags: OutputFlags) =>
      listDeployments(invocation, id === undefined ? undefined : normaliseId(id), flags),
    );
  subcommand(group, 'stop', 'End a deployment and leave everything as it is.')
    .argument('<id>')
    .action(async (id: string) => {
      const session = await openSession(invocation);
      await session.client.request(deploymentUrl(session, id), {
        method: 'DELETE',
        query: { force: true },
      });
    });
  subcommand(group, 'rollback', 'Undo a deployment with a new one.')
    .argument('<id>')
    .action(async (id: string) => {
      const session = await openSession(invocation);
      const reply = await session.client.json(deploymentUrl(session, id), { method: 'DELETE' });
      await printJson(invocation.terminal, reply, 2);
    });
  subcommand(group, 'watch', 'Show a deployment until it is finished.')
    .argument('<id>')
    .option(
      '--max-count <number>',
      'Look at most this many times.',
      numberIn('--max-count', { min: 1, max: 1_000_000, integer: true }),
    )
    .option(
      '--interval <seconds>',
      'Time between two looks.',
      numberIn('--interval', { min: 0.1, max: 3600 }),
      1,
    )
    .action((id: string, flags: WatchFlags) => watchDeployment(invocation, id, flags));
}

function deploymentUrl(session: Session, id: string): string {
  return `${session.marathonUrl}/v2/deployments/${encodeURIComponent(id)}`;
}

async function listDeployments(
  invocation: Invocation,
  id: string | undefined,
  flags: OutputFlags,
): Promise<void> {
  const session = await openSession(invocation);
  const all = await fetchObjects(session, `${session.marathonUrl}/v2/deployments`);
  const deployments = selectDeployments(all, id);
  if (deployments.length === 0 && isForPeople(flags)) {
    const where = id === undefined ? '' : ` for "${id}"`;
    throw cliError('CLI_NOT_FOUND', `there are no deployments${where}`);
  }
  await printList(invocation.terminal, flags, {
    document: deployments,
    identifiers: deployments.map((deployment) => textField(deployment, 'id') ?? ''),
    table: { headings: deploymentHeadings, rows: deploymentRows(deployments), indent: 0 },
    jsonIndent: 2,
  });
}

async function watchDeployment(
  invocation: Invocation,
  id: string,
  flags: WatchFlags,
): Promise<void> {
  const { terminal } = invocation;
  const session = await openSession(invocation);
  const signal = terminal.catchInterrupt();
  const looksMax = flags.maxCount ?? Number.POSITIVE_INFINITY;
  for (let looks = 0; looks < looksMax && !signal.aborted; looks += 1) {
    if (looks > 0) await terminal.sleep(flags.interval * secondMs, signal);
    if (signal.aborted) return;
    const all = await fetchObjects(session, `${session.marathonUrl}/v2/deployments`);
    const found = all.find((deployment) => textField(deployment, 'id') === id);
    if (found === undefined) {
      if (looks > 0) return;
      throw cliError('CLI_NOT_FOUND', `there is no running deployment "${id}"`);
    }
    const clear = terminal.outputIsTerminal ? clearScreen : '';
    const time = formatTimestamp(terminal.now());
    await terminal.print(`${clear}Deployment update time: ${time}\n${toJsonOutput(found, 2)}`);
  }
}
