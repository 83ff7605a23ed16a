/**
 * `dcos node`: the machines of the cluster.
 */

import type { Command } from 'commander';
import { textField } from '../../core/json-field.ts';
import { nodeDocuments, nodeHeadings, nodeRows } from '../../core/mesos-nodes.ts';
import { collect, commandGroup, subcommand } from '../command-line.ts';
import { fetchObject, fetchObjects, fetchState } from '../documents.ts';
import { printLines, printList } from '../output.ts';
import type { OutputFlags } from '../output.ts';
import { openSession } from '../session.ts';
import type { Session } from '../session.ts';
import type { Invocation } from '../terminal.ts';
import { addNotThereYet } from './not-there-yet.ts';

interface ListFlags extends OutputFlags {
  readonly field?: readonly string[];
  readonly mesosId?: boolean;
}

/** Builds the group. */
export function buildCommand(invocation: Invocation): Command {
  const group = commandGroup('node', 'Look at the nodes of the cluster.', invocation);
  subcommand(group, 'list', 'List the nodes.')
    .option('--json', 'Print JSON.')
    .option('--field <path>', 'Add a column with this field of a node; may be repeated.', collect)
    .option('--mesos-id', 'Print the IDs of the agents only.')
    .action((flags: ListFlags) => listNodes(invocation, flags));
  addNotThereYet(group, [
    'log',
    'list-components',
    'metrics',
    'dns',
    'drain',
    'deactivate',
    'reactivate',
    'decommission',
    'diagnostics',
    'ssh',
  ]);
  return group;
}

async function listNodes(invocation: Invocation, flags: ListFlags): Promise<void> {
  const { terminal } = invocation;
  const session = await openSession(invocation);
  const [state, summary, network, masters] = await Promise.all([
    fetchState(session),
    fetchObject(session, `${session.mesosUrl}/master/state-summary`),
    optionalObjects(session, '/net/v1/nodes'),
    fetchObjects(session, `${session.clusterUrl}/mesos_dns/v1/hosts/master.mesos`),
  ]);
  const nodes = nodeDocuments({ state, summary, network, masters });
  if (flags.mesosId === true) {
    const agents = nodes.filter((node) => textField(node, 'type')?.startsWith('agent') === true);
    await printLines(
      terminal,
      agents.map((agent) => textField(agent, 'id') ?? ''),
    );
    return;
  }
  const fields = flags.field ?? [];
  await printList(terminal, flags, {
    document: nodes,
    identifiers: [],
    table: {
      headings: [...nodeHeadings, ...fields.map((field) => field.toUpperCase())],
      rows: nodeRows(nodes, fields),
    },
  });
}

// Only clusters with their own network know public addresses; the list is complete without them.
async function optionalObjects(
  session: Session,
  path: string,
): Promise<Awaited<ReturnType<typeof fetchObjects>>> {
  const reply = await session.client.request(`${session.clusterUrl}${path}`, {
    accept: [400, 401, 403, 404, 500, 501, 502, 503, 504],
  });
  if (reply.status !== 200) return [];
  const { objectsOf } = await import('../../core/json-field.ts');
  const { parseReply } = await import('../http-client.ts');
  return objectsOf(parseReply(reply, 'GET'));
}
