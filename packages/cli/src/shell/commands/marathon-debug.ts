/**
 * `dcos marathon debug`: why apps wait.
 */

import type { Command } from 'commander';
import type { JsonObject } from '@dcos/base';
import { normaliseId } from '../../core/marathon-id.ts';
import {
  detailHeadings,
  detailRows,
  queueHeadings,
  queueItemId,
  queueRows,
  selectQueueItems,
  summaryHeadings,
  summaryRows,
  waitingSentences,
} from '../../core/marathon-queue.ts';
import { commandGroup, subcommand } from '../command-line.ts';
import { fetchQueue } from '../documents.ts';
import { cliError } from '../errors.ts';
import { isForPeople, printList } from '../output.ts';
import type { OutputFlags } from '../output.ts';
import { openSession } from '../session.ts';
import type { Invocation } from '../terminal.ts';

/** Adds the group. */
export function addDebugCommands(marathon: Command, invocation: Invocation): void {
  const group = commandGroup('debug', 'Find out why apps wait.', invocation);
  marathon.addCommand(group);
  subcommand(group, 'list', 'List what waits to be started.')
    .option('--json', 'Print JSON.')
    .action(async (flags: OutputFlags) => {
      const queue = await fetchQueue(await openSession(invocation));
      await printList(invocation.terminal, flags, {
        document: queue,
        identifiers: queue.map(queueItemId),
        table: { headings: queueHeadings, rows: queueRows(queue) },
      });
      if (isForPeople(flags)) explain(invocation, queue);
    });
  subcommand(group, 'summary', 'Show which requirement turned down how many offers.')
    .argument('<id>')
    .option('--json', 'Print JSON.')
    .action((id: string, flags: OutputFlags) => showItem(invocation, normaliseId(id), flags, true));
  subcommand(group, 'details', 'Show the last unused offers, one by one.')
    .argument('<id>')
    .option('--json', 'Print JSON.')
    .action((id: string, flags: OutputFlags) =>
      showItem(invocation, normaliseId(id), flags, false),
    );
}

async function showItem(
  invocation: Invocation,
  id: string,
  flags: OutputFlags,
  summary: boolean,
): Promise<void> {
  const session = await openSession(invocation);
  const items = selectQueueItems(await fetchQueue(session, { embed: 'lastUnusedOffers' }), id);
  // A service that waits in several roles has a row for each: the one that saw most offers tells most.
  const [item] = items;
  if (item === undefined) {
    throw cliError('CLI_NOT_FOUND', `"${id}" is not waiting: the launch queue does not hold it`);
  }
  await printList(invocation.terminal, flags, {
    document: item,
    identifiers: [id],
    table: summary
      ? { headings: summaryHeadings, rows: summaryRows(item), alignment: 'left' }
      : { headings: detailHeadings, rows: detailRows(item), alignment: 'left' },
  });
  if (isForPeople(flags)) explain(invocation, items);
}

function explain(invocation: Invocation, items: readonly JsonObject[]): void {
  for (const sentence of waitingSentences(items)) invocation.terminal.notice(sentence);
}
