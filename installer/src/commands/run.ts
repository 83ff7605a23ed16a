/**
 * One run of the installer: words to command, errors to lines on standard error and an exit code. Exit codes stand in
 * `core/errors.ts`.
 */

import { Command, CommanderError } from 'commander';
import { errorText, OperationError, operationErrorCode } from '@dcos/base';
import type { ConfigurationEdit } from '../config/edit.ts';
import { EXIT_CODES, exitCodeOf } from '../core/errors.ts';
import type { InitOptions } from './init.ts';
import type { Session, CommonOptions, Surroundings } from './session.ts';

interface CommandPlan {
  readonly name: string;
  readonly description: string;
  /** Whether others are kept away meanwhile. */
  readonly isExclusive: boolean;
  /** A word that has to stand behind it: its name and what it means. */
  readonly argument?: readonly [string, string];
  /** Does what needs no cluster; true when that was all. */
  readonly withoutSession?: (options: CommonOptions, around: Surroundings) => Promise<boolean>;
  /** Beside those that all have: flag and what it means. */
  readonly flags?: readonly (readonly [string, string])[];
  /** What it changes in the configuration. */
  readonly edit?: (options: CommonOptions) => Promise<ConfigurationEdit>;
  readonly perform: (
    session: Session,
    options: CommonOptions,
    around: Surroundings,
  ) => Promise<void>;
}

const COMMANDS: readonly CommandPlan[] = [
  {
    name: 'validate',
    description: 'Look at the configuration; tells all its faults at once.',
    isExclusive: false,
    async perform({ reporter, configuration: { settings, provider } }) {
      reporter.tell(
        { event: 'configuration.valid', name: settings.name, provider },
        `the configuration of ${settings.name} is valid`,
      );
    },
  },
  {
    name: 'plan',
    description: 'Show what a deployment would change; changes nothing.',
    isExclusive: false,
    perform: async (session) => await (await import('./plan.ts')).plan(session),
  },
  {
    name: 'deploy',
    description: 'Make the cluster, or bring it into the state of the configuration.',
    isExclusive: true,
    perform: async (session, options, around) =>
      await (await import('./deploy.ts')).deploy(session, options, around),
  },
  {
    name: 'scale',
    description: 'Have more or fewer agents; those that go are drained first.',
    isExclusive: true,
    flags: [
      ['--private-agents <count>', 'how many private agents there shall be'],
      ['--public-agents <count>', 'how many public agents there shall be'],
    ],
    edit: async (options) => (await import('./scale.ts')).scaleEdit(options),
    perform: async (session, options, around) =>
      await (await import('./scale.ts')).scale(session, options, around),
  },
  {
    name: 'replace',
    description: 'Put another host in the place of one that burned or has to go.',
    isExclusive: true,
    argument: ['<host>', 'its name or address'],
    perform: async (session, options, around) =>
      await (await import('./replace.ts')).replace(session, options, around),
  },
  {
    name: 'backup',
    description: 'Put what the cluster knows, and its configuration, into a file.',
    isExclusive: true,
    argument: ['<file>', 'where to; it must not be there yet'],
    perform: async (session, options, around) =>
      await (await import('./backup.ts')).backup(session, options, around),
  },
  {
    name: 'restore',
    description: 'Put what is in a file of "backup" into a cluster that is there.',
    isExclusive: true,
    argument: ['<file>', 'written by "backup"'],
    flags: [
      ['--replace', 'also where the cluster has apps or other state, which go'],
      ['--write-config <file>', 'write the configuration that the backup has, and do nothing else'],
    ],
    withoutSession: async (options, around) =>
      await (await import('./restore.ts')).writeConfiguration(options, around),
    perform: async (session, options, around) =>
      await (await import('./restore.ts')).restore(session, options, around),
  },
  {
    name: 'upgrade',
    description: 'Bring the cluster to another release, host by host.',
    isExclusive: true,
    flags: [
      ['--back', 'to the release before, with the configuration that hosts had then'],
      ['--no-rollback', 'leave things as they are when the release does not serve'],
      ['--agents-at-a-time <count>', 'agents that are away at the same time (10)'],
      ['--soak <seconds>', 'how long a host has to stay up before the next one (30)'],
    ],
    perform: async (session, options, around) =>
      await (await import('./upgrade.ts')).upgrade(session, options, around),
  },
  {
    name: 'rotate-certificates',
    description: 'Give every host another certificate now; the cluster serves meanwhile.',
    isExclusive: true,
    flags: [
      ['--authority', 'exchange the authority itself, too'],
      ['--introduce', 'end when all trust the next authority, so that clients can be given it'],
    ],
    perform: async (session, options, around) =>
      await (await import('./rotate-certificates.ts')).rotateCertificates(session, options, around),
  },
  {
    name: 'status',
    description: 'Ask every host and every component how it is.',
    isExclusive: false,
    perform: async (session) => await (await import('./status.ts')).status(session),
  },
  {
    name: 'doctor',
    description: 'Look for what is wrong, and say how to mend it; changes nothing.',
    isExclusive: false,
    perform: async (session) => await (await import('./doctor.ts')).doctor(session),
  },
  {
    name: 'destroy',
    description: 'Remove the cluster and everything that was made for it.',
    isExclusive: true,
    perform: async (session, options, around) =>
      await (await import('./destroy.ts')).destroy(session, options, around),
  },
];

/** Runs the words behind `installer` and gives the exit code. */
export async function run(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const json = argv.includes('--json');
  try {
    await programOf(surroundings).parseAsync([...argv], { from: 'user' });
    return EXIT_CODES.done;
  } catch (error) {
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? EXIT_CODES.done : EXIT_CODES.usage;
    const code = operationErrorCode(error);
    if (code === undefined) throw error;
    const text = errorText(error);
    if (json) {
      const details = error instanceof OperationError ? error.details : {};
      surroundings.streams.out(
        `${JSON.stringify({ event: 'run.failed', code, text, ...details })}\n`,
      );
    } else surroundings.streams.err(`Error: ${text.replaceAll('\n', '\n  ')}\n`);
    return exitCodeOf(code);
  }
}

function programOf(surroundings: Surroundings): Command {
  const program = new Command('installer')
    .description('From a configuration to a cluster on hosts.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => surroundings.streams.out(text),
      writeErr: (text) => surroundings.streams.err(text),
    });
  program
    .command('init')
    .description('Write an explained cluster.yaml.')
    .option('--config <file>', 'where to (cluster.yaml)')
    .option('--provider <name>', 'docker, ssh or aws (docker)')
    .option('--from <file>', "the original's config.yaml; says what became of each key")
    .option('--name <name>', 'name of the cluster')
    .option('--json', 'one JSON object a line')
    .action(async (options: InitOptions) =>
      (await import('./init.ts')).init(options, surroundings),
    );
  for (const plan of COMMANDS) {
    const command = program.command(plan.name).description(plan.description);
    if (plan.argument !== undefined) command.argument(...plan.argument);
    for (const [flag, meaning] of plan.flags ?? []) command.option(flag, meaning);
    command
      .option('--config <file>', 'the configuration (cluster.yaml, if it is there)')
      .option('--provider <name>', 'docker: a demo on this machine, without a file')
      .option('--name <name>', 'a cluster that was deployed from here')
      .option('--release <file>', 'the archive to install; that of this checkout when absent')
      .option('--release-key <file>', 'public key of who made it')
      .option('--json', 'one JSON object a line')
      .option('--yes', 'ask no questions')
      .option('--verbose', 'tell small steps, too')
      .action(async () => {
        const [argument] = command.args;
        const options = {
          ...command.opts<CommonOptions>(),
          ...(argument !== undefined && { argument }),
        };
        if ((await plan.withoutSession?.(options, surroundings)) === true) return;
        await perform(plan, options, surroundings);
      });
  }
  return program;
}

async function perform(
  plan: CommandPlan,
  options: CommonOptions,
  surroundings: Surroundings,
): Promise<void> {
  const { openSession } = await import('./session.ts');
  const session = await openSession(options, surroundings, await plan.edit?.(options));
  if (!plan.isExclusive) {
    await plan.perform(session, options, surroundings);
    return;
  }
  const unlock = session.folder.lock();
  session.reporter.logFile = session.folder.newLogFile(plan.name, new Date());
  try {
    await plan.perform(session, options, surroundings);
  } catch (error) {
    session.reporter.note({ event: 'run.failed', text: errorText(error) });
    throw error;
  } finally {
    unlock();
  }
}
