/**
 * `dcos marathon group`: groups of apps.
 */

import type { Command } from 'commander';
import { isJsonObject } from '@dcos/base';
import type { JsonObject } from '@dcos/base';
import { textField } from '../../core/json-field.ts';
import { idPath, normaliseId } from '../../core/marathon-id.ts';
import { groupHeadings, groupRows } from '../../core/marathon-tasks.ts';
import { groupFields } from '../../core/property-arguments.ts';
import { commandGroup, numberIn, subcommand } from '../command-line.ts';
import { deploymentIdOf, fetchObject } from '../documents.ts';
import { cliError } from '../errors.ts';
import { readJsonInput } from '../json-input.ts';
import { printJson, printLines, printList } from '../output.ts';
import type { OutputFlags } from '../output.ts';
import { propertiesText, readProperties } from '../properties.ts';
import { openSession } from '../session.ts';
import type { Session } from '../session.ts';
import type { Invocation } from '../terminal.ts';

interface ForceFlag {
  readonly force?: boolean;
}

const forceText = 'Override running deployments in the group.';

/** Adds the group. */
export function addGroupCommands(marathon: Command, invocation: Invocation): void {
  const group = commandGroup('group', 'Manage groups of apps.', invocation);
  marathon.addCommand(group);
  addReading(group, invocation);
  subcommand(group, 'add', 'Create a group from a file, a URL or standard input.')
    .argument('[resource]', 'File or URL of the definition in JSON; standard input without it.')
    .option('--id <id>', 'ID of the group, in place of the one in the definition.')
    .action((resource: string | undefined, flags: { readonly id?: string }) =>
      addGroup(invocation, resource, flags.id),
    );
  subcommand(group, 'scale', 'Multiply the instances of all apps in a group.')
    .argument('<id>')
    .argument('<factor>', 'Such as 2 or 0.5.', numberIn('the factor', { min: 0, max: 1000 }))
    .option('--force', forceText)
    .action((id: string, scaleBy: number, flags: ForceFlag) =>
      putGroup(invocation, normaliseId(id), { scaleBy }, flags),
    );
  subcommand(group, 'update', 'Change fields of a group.')
    .argument('<id>')
    .argument('[properties...]', propertiesText)
    .option('--force', forceText)
    .action(async (id: string, words: readonly string[], flags: ForceFlag) => {
      const properties = await readProperties(invocation.terminal, words, groupFields);
      await putGroup(invocation, normaliseId(id), properties, flags);
    });
  subcommand(group, 'remove', 'Remove a group and everything in it.')
    .argument('<id>')
    .option('--force', forceText)
    .action(async (id: string, flags: ForceFlag) => {
      const session = await openSession(invocation);
      await session.client.request(groupUrl(session, normaliseId(id)), {
        method: 'DELETE',
        query: forceQuery(flags),
      });
    });
}

function addReading(group: Command, invocation: Invocation): void {
  const { terminal } = invocation;
  subcommand(group, 'list', 'List groups.')
    .option('--json', 'Print JSON.')
    .action(async (flags: OutputFlags) => {
      const session = await openSession(invocation);
      const root = await fetchObject(session, `${session.marathonUrl}/v2/groups`);
      await printList(terminal, flags, {
        document: root,
        identifiers: [],
        table: { headings: groupHeadings, rows: groupRows(root), indent: 0 },
        jsonIndent: 2,
      });
    });
  subcommand(group, 'show', 'Show the definition of a group.')
    .argument('<id>')
    .option('--group-version <version>', 'A version of the group.')
    .action(async (id: string, flags: { readonly groupVersion?: string }) => {
      const session = await openSession(invocation);
      const version = flags.groupVersion;
      const below = version === undefined ? '' : `/versions/${encodeURIComponent(version)}`;
      const url = `${groupUrl(session, normaliseId(id))}${below}`;
      await printJson(terminal, await session.client.json(url), 2);
    });
}

function groupUrl(session: Session, id: string): string {
  return `${session.marathonUrl}/v2/groups${id === '/' ? '' : idPath(id)}`;
}

async function addGroup(
  invocation: Invocation,
  resource: string | undefined,
  override: string | undefined,
): Promise<void> {
  const { value, source } = await readJsonInput(invocation.terminal, resource);
  if (!isJsonObject(value)) throw cliError('CLI_INPUT', `${source} must hold one JSON object`);
  const id = override ?? textField(value, 'id');
  if (id === undefined) throw cliError('CLI_INPUT', `${source} has no "id"; give one with --id`);
  const session = await openSession(invocation);
  const url = groupUrl(session, normaliseId(id));
  const existing = await session.client.request(url, { accept: [404] });
  if (existing.status !== 404) {
    throw cliError('CLI_INPUT', `the group "${normaliseId(id)}" exists already`);
  }
  const reply = await session.client.json(`${session.marathonUrl}/v2/groups`, {
    method: 'POST',
    json: { ...value, id },
  });
  await printLines(invocation.terminal, [`Created deployment ${deploymentIdOf(reply)}`]);
}

async function putGroup(
  invocation: Invocation,
  id: string,
  json: JsonObject,
  flags: ForceFlag,
): Promise<void> {
  const session = await openSession(invocation);
  const url = groupUrl(session, id);
  await session.client.request(url);
  const reply = await session.client.json(url, { method: 'PUT', json, query: forceQuery(flags) });
  await printLines(invocation.terminal, [`Created deployment ${deploymentIdOf(reply)}`]);
}

function forceQuery(flags: ForceFlag): { readonly force?: boolean } {
  return flags.force === true ? { force: true } : {};
}
