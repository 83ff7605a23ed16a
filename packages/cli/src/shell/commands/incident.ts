/**
 * `dcos incident`: what the cluster lost and got back, as the leading master tells it.
 */

import type { Command } from 'commander';
import { objectsField, textField } from '../../core/json-field.ts';
import { incidentHeadings, incidentRows } from '../../core/mesos-incidents.ts';
import { commandGroup, numberIn, subcommand } from '../command-line.ts';
import { fetchObject } from '../documents.ts';
import { printList } from '../output.ts';
import type { OutputFlags } from '../output.ts';
import { openSession } from '../session.ts';
import type { Invocation } from '../terminal.ts';

/** What the master gives in one answer at most. */
const LIMIT_MAX = 500;

interface ListFlags extends OutputFlags {
  readonly since?: string;
  readonly limit?: number;
}

/** Builds the group. */
export function buildCommand(invocation: Invocation): Command {
  const group = commandGroup('incident', 'Look at what failed and what came back.', invocation);
  subcommand(group, 'list', 'List the incidents, the newest first.')
    .option('--json', 'Print JSON.')
    .option('-q, --quiet', 'Print IDs only.')
    .option(
      '--since <time>',
      'Only those that were not over at this time, such as 2026-11-27T03:00:00Z.',
    )
    .option(
      '--limit <count>',
      'At most so many, 50 by default.',
      numberIn('--limit', { min: 1, max: LIMIT_MAX, integer: true }),
    )
    .action((flags: ListFlags) => listIncidents(invocation, flags));
  return group;
}

async function listIncidents(invocation: Invocation, flags: ListFlags): Promise<void> {
  const session = await openSession(invocation);
  const { since, limit } = flags;
  const url = `${session.clusterUrl}/system/v1/incidents`;
  const page = await fetchObject(session, url, { query: { since, limit } });
  const incidents = objectsField(page, 'incidents');
  await printList(invocation.terminal, flags, {
    document: incidents,
    identifiers: incidents.map((incident) => textField(incident, 'id') ?? ''),
    table: { headings: incidentHeadings, rows: incidentRows(incidents) },
  });
}
