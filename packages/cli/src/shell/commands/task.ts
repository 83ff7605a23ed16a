/**
 * `dcos task`: running and ended tasks, their logs and files.
 */

import type { Command } from 'commander';
import { selectTasks, taskHeadings, taskRows } from '../../core/mesos-tasks.ts';
import type { TaskScope } from '../../core/mesos-tasks.ts';
import { commandGroup, numberIn, subcommand } from '../command-line.ts';
import { fetchState } from '../documents.ts';
import { cliError } from '../errors.ts';
import { printList } from '../output.ts';
import type { OutputFlags } from '../output.ts';
import { openSession } from '../session.ts';
import { downloadFiles, listFiles } from '../task-files.ts';
import type { ListFilesFlags } from '../task-files.ts';
import { defaultLogFile, printTaskLog } from '../task-log.ts';
import { attachToTask, execInTask } from '../task-session.ts';
import type { Invocation } from '../terminal.ts';
import { addNotThereYet } from './not-there-yet.ts';

/** Flags that choose between living and ended tasks. */
export interface ScopeFlags {
  readonly all?: boolean;
  readonly completed?: boolean;
}

interface ListFlags extends OutputFlags, ScopeFlags {
  readonly agentId?: string;
}

interface LogFlags extends ScopeFlags {
  readonly follow?: boolean;
  readonly lines: number;
}

interface ExecFlags {
  readonly interactive?: boolean;
  readonly tty?: boolean;
  readonly user?: string;
}

const linesMax = 1_000_000;

/** Builds the group. */
export function buildCommand(invocation: Invocation): Command {
  const group = commandGroup('task', 'Look at tasks, their logs and their files.', invocation);
  // So that the words of `exec` are not taken for options of ours.
  group.enablePositionalOptions();
  withScope(subcommand(group, 'list', 'List tasks.'))
    .argument('[filter]', 'Part of an ID, or a shell pattern.')
    .option('--json', 'Print JSON.')
    .option('-q, --quiet', 'Print IDs only.')
    .option('--agent-id <id>', 'Show the tasks of one agent only.')
    .action((filter: string | undefined, flags: ListFlags) => listTasks(invocation, filter, flags));
  withScope(subcommand(group, 'log', 'Print the log of a task.'))
    .argument('<task>', 'Part of an ID, or a shell pattern.')
    .argument('[file]', 'File in the sandbox, stdout without it.', defaultLogFile)
    .option('--follow', 'Go on printing what is added.')
    .option(
      '--lines <number>',
      'Print this many lines from the end.',
      numberIn('--lines', { min: 0, max: linesMax, integer: true }),
      10,
    )
    .action((filter: string, file: string, flags: LogFlags) =>
      printTaskLog(invocation, {
        filter,
        file,
        scope: toScope(flags),
        lines: flags.lines,
        follow: flags.follow === true,
      }),
    );
  withScope(subcommand(group, 'ls', 'List the files in the sandbox of a task.'))
    .argument('<task>', 'Part of an ID, or a shell pattern.')
    .argument('[path]', 'Folder in the sandbox.', '')
    .option('--long', 'Show sizes, owners and times, too.')
    .option('--json', 'Print JSON.')
    .action((filter: string, path: string, flags: ListFilesFlags & ScopeFlags) =>
      listFiles(invocation, { filter, path, scope: toScope(flags), flags }),
    );
  withScope(subcommand(group, 'download', 'Copy files from the sandbox of a task.'))
    .argument('<task>', 'Part of an ID, or a shell pattern.')
    .argument('[pattern]', 'Shell pattern of the files, all without it.', '*')
    .option('--target-dir <folder>', 'Where to put the files.', '.')
    .action((filter: string, pattern: string, flags: ScopeFlags & { targetDir: string }) =>
      downloadFiles(invocation, {
        filter,
        pattern,
        scope: toScope(flags),
        targetDirectory: flags.targetDir,
      }),
    );
  subcommand(group, 'exec', 'Run a command beside a running task, with its files and environment.')
    .argument('<task>', 'Part of an ID, or a shell pattern.')
    .argument('<command>', 'Program to run.')
    .argument('[arguments...]', 'Its arguments.')
    .option('-i, --interactive', 'Send standard input to the command.')
    .option('-t, --tty', 'Give the command a terminal.')
    .option('-u, --user <name>', 'Run it as this user.')
    // What follows the task belongs to the command.
    .passThroughOptions()
    .action((filter: string, program: string, words: readonly string[], flags: ExecFlags) =>
      execInTask(invocation, {
        filter,
        command: commandOf(program, words),
        interactive: flags.interactive === true,
        tty: flags.tty === true,
        user: flags.user,
      }),
    );
  subcommand(group, 'attach', 'Follow the streams of a running task that has a terminal.')
    .argument('<task>', 'Part of an ID, or a shell pattern.')
    .option('--no-stdin', 'Do not send standard input to the task.')
    .action((filter: string, flags: { readonly stdin: boolean }) =>
      attachToTask(invocation, { filter, input: flags.stdin }),
    );
  addNotThereYet(group, ['metrics']);
  return group;
}

/** Two dashes before the command say only that options end there. */
function commandOf(program: string, words: readonly string[]): readonly [string, ...string[]] {
  const [first, ...rest] = words;
  return program === '--' && first !== undefined ? [first, ...rest] : [program, ...words];
}

function withScope(command: Command): Command {
  return command
    .option('--all', 'Take running and completed tasks.')
    .option('--completed', 'Take completed tasks only.');
}

function toScope(flags: ScopeFlags): TaskScope {
  if (flags.all === true && flags.completed === true) {
    throw cliError('CLI_USAGE', '--all and --completed exclude each other');
  }
  return flags.all === true ? 'all' : flags.completed === true ? 'completed' : 'active';
}

async function listTasks(
  invocation: Invocation,
  filter: string | undefined,
  flags: ListFlags,
): Promise<void> {
  const scope = toScope(flags);
  const session = await openSession(invocation);
  const { agentId } = flags;
  const tasks = selectTasks(await fetchState(session), { scope, filter, agentId });
  await printList(invocation.terminal, flags, {
    document: tasks.map((task) => task.document),
    identifiers: tasks.map((task) => task.id),
    table: { headings: taskHeadings, rows: taskRows(tasks) },
  });
}
