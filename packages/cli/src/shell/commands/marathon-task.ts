/**
 * `dcos marathon task`: the instances that Marathon runs.
 */

import type { Command } from 'commander';
import type { JsonObject } from '@dcos/base';
import { isJsonObject } from '@dcos/base';
import { objectsField, textField } from '../../core/json-field.ts';
import { normaliseId } from '../../core/marathon-id.ts';
import {
  marathonTaskHeadings,
  marathonTaskRows,
  selectMarathonTasks,
} from '../../core/marathon-tasks.ts';
import { commandGroup, subcommand } from '../command-line.ts';
import { deploymentIdOf, fetchObject } from '../documents.ts';
import { cliError } from '../errors.ts';
import { printJson, printLines, printList } from '../output.ts';
import type { OutputFlags } from '../output.ts';
import { openSession } from '../session.ts';
import type { Session } from '../session.ts';
import type { Invocation } from '../terminal.ts';

interface KillFlags {
  readonly scale?: boolean;
  readonly wipe?: boolean;
  readonly json?: boolean;
}

/** Adds the group. */
export function addTaskCommands(marathon: Command, invocation: Invocation): void {
  const { terminal } = invocation;
  const group = commandGroup('task', 'Manage the tasks of apps.', invocation);
  marathon.addCommand(group);
  subcommand(group, 'list', 'List tasks.')
    .argument('[app]')
    .option('--json', 'Print JSON.')
    .option('-q, --quiet', 'Print IDs only.')
    .action(async (app: string | undefined, flags: OutputFlags) => {
      const all = await fetchTasks(await openSession(invocation));
      const tasks = selectMarathonTasks(all, app === undefined ? undefined : normaliseId(app));
      await printList(terminal, flags, {
        document: tasks,
        identifiers: tasks.map((task) => textField(task, 'id') ?? ''),
        table: { headings: marathonTaskHeadings, rows: marathonTaskRows(tasks), indent: 0 },
        jsonIndent: 2,
      });
    });
  subcommand(group, 'show', 'Show a task.')
    .argument('<id>')
    .action(async (id: string) => {
      const tasks = await fetchTasks(await openSession(invocation));
      const task = tasks.find((candidate) => textField(candidate, 'id') === id);
      if (task === undefined) throw noTask(id);
      await printJson(terminal, task, 2);
    });
  subcommand(group, 'stop', 'Kill a task; Marathon starts a new one.')
    .argument('<id>')
    .option('--wipe', 'Give up its reservations and volumes, too.')
    .action(async (id: string, flags: KillFlags) => {
      const reply = await deleteTasks(await openSession(invocation), [id], flags);
      const [task] = objectsField(reply, 'tasks');
      if (task === undefined) throw noTask(id);
      await printJson(terminal, task, 2);
    });
  subcommand(group, 'kill', 'Kill tasks; Marathon starts new ones.')
    .argument('<id...>')
    .option('--scale', 'Do not start new ones.')
    .option('--wipe', 'Give up reservations and volumes, too.')
    .option('--json', 'Print JSON.')
    .action((ids: readonly string[], flags: KillFlags) => killTasks(invocation, ids, flags));
}

async function killTasks(
  invocation: Invocation,
  ids: readonly string[],
  flags: KillFlags,
): Promise<void> {
  const { terminal } = invocation;
  const reply = await deleteTasks(await openSession(invocation), ids, flags);
  const killed = objectsField(reply, 'tasks');
  if (flags.scale !== true && killed.length === 0) {
    throw cliError('CLI_NOT_FOUND', `no task was killed: none has the ID ${ids.join(', ')}`);
  }
  if (flags.json === true) await printJson(terminal, reply, 2);
  else if (flags.scale === true) {
    await printLines(terminal, [`Created deployment ${deploymentIdOf(reply)}`]);
  } else {
    await printLines(
      terminal,
      killed.map((task) => `Killed task ${textField(task, 'id') ?? ''}`),
    );
  }
}

async function fetchTasks(session: Session): Promise<readonly JsonObject[]> {
  return objectsField(await fetchObject(session, `${session.marathonUrl}/v2/tasks`), 'tasks');
}

async function deleteTasks(
  session: Session,
  ids: readonly string[],
  flags: KillFlags,
): Promise<JsonObject> {
  const reply = await session.client.json(`${session.marathonUrl}/v2/tasks/delete`, {
    method: 'POST',
    json: { ids },
    query: {
      ...(flags.scale === true ? { scale: true } : {}),
      ...(flags.wipe === true ? { wipe: true } : {}),
    },
  });
  return isJsonObject(reply) ? reply : {};
}

function noTask(id: string): Error {
  return cliError('CLI_NOT_FOUND', `the task "${id}" does not exist`);
}
