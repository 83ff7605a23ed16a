/**
 * The frame of every component that runs as a process of its own: settings from default < file <
 * environment < flag, `--print-config`, a logger, signals, exit codes. What a component does is not here.
 */

import { readFileSync } from 'node:fs';
import {
  describeConfig,
  errorText,
  mergeConfig,
  OperationError,
  type Logger,
  type RawConfig,
} from '@dcos/base';
import { createLogger, type LogLevel } from './logger.ts';

/** Exit code for settings that cannot be used, unless the original has its own. */
export const EXIT_USAGE = 2;
/** Exit code of a program that cannot go on; a supervisor starts it anew. */
export const EXIT_FAILED = 1;

/** What is needed of a configuration schema; those of zod have it. */
export interface ConfigSchema<Config> {
  readonly shape: Readonly<Record<string, unknown>>;
  safeParse(values: unknown):
    | { readonly success: true; readonly data: Config }
    | {
        readonly success: false;
        readonly error: {
          readonly issues: readonly {
            readonly path: readonly PropertyKey[];
            readonly message: string;
          }[];
        };
      };
}

export interface Running {
  close(): Promise<void>;
  /** Resolves with the reason when the program can or may not go on. */
  readonly ended?: Promise<string>;
}

export interface Program<Config> {
  /** Name of the component, for the log and for messages. */
  readonly name: string;
  readonly schema: ConfigSchema<Config>;
  /** Such as `MESOS_`; `<prefix>CONFIG_FILE` or `--config-file` names a JSON file with settings. */
  readonly environmentPrefix: string;
  /** Says flags and variables of another spelling in the schema's words. Throws for one that is refused. */
  readonly translate?: (given: GivenSettings) => TranslatedSettings;
  readonly exitCodes?: {
    readonly usage: number;
    readonly failed: number;
    /** Exit codes for errors with these codes. */
    readonly of?: Readonly<Record<string, number>>;
  };
  start(
    config: Config,
    surroundings: {
      readonly logger: Logger;
      /** Ends the process: its successor starts from what is durable. */
      readonly fail: (error: unknown) => void;
    },
  ): Promise<Running>;
}

/** Flags and environment variables as a program got them. */
export interface GivenSettings {
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface TranslatedSettings extends GivenSettings {
  /** Lines for people about flags that have no effect; `--print-config` and the log show them. */
  readonly notes: readonly string[];
}

/** Settings that every program has; components may name them in their schema. */
interface LogSettings {
  readonly logLevel?: LogLevel;
  readonly logFile?: string | undefined;
}

/** Runs a program with this process's arguments and environment until a signal or its end. */
export async function runProgram<Config extends LogSettings>(
  program: Program<Config>,
): Promise<void> {
  const exitCodes = program.exitCodes ?? { usage: EXIT_USAGE, failed: EXIT_FAILED };
  const exit = (code: number, problem: string): never => {
    process.stderr.write(`${program.name}: ${problem}\n`);
    process.exit(code);
  };
  let settings: Settings<Config>;
  try {
    settings = readSettings(program, process.argv.slice(2), process.env);
  } catch (error) {
    return exit(exitCodes.usage, errorText(error));
  }
  const { config, raw, notes } = settings;
  if (raw.values['printConfig'] === true) {
    const shown = config as Readonly<Record<string, unknown>>;
    process.stdout.write(`${[describeConfig(shown, raw.origins), ...notes].join('\n')}\n`);
    return;
  }
  const logger = createLogger({
    name: program.name,
    level: config.logLevel ?? 'info',
    ...(config.logFile === undefined ? {} : { file: config.logFile }),
  });
  for (const note of notes) logger.warn({ event: 'setting.without-effect' }, note);
  try {
    const running = await program.start(config, {
      logger,
      fail: (error) => exit(exitCodeOf(error, exitCodes), errorText(error)),
    });
    let stopping = false;
    const stop = (): void => {
      stopping = true;
      // Whoever does not want to wait for it sends a second one.
      process.off('SIGTERM', stop).off('SIGINT', stop);
      running.close().then(
        () => process.exit(0),
        (error: unknown) => exit(exitCodes.failed, errorText(error)),
      );
    };
    process.on('SIGTERM', stop).on('SIGINT', stop);
    const reason = await running.ended;
    if (reason !== undefined && !stopping) {
      await running.close();
      exit(exitCodes.failed, reason);
    }
  } catch (error) {
    exit(exitCodeOf(error, exitCodes), errorText(error));
  }
}

function exitCodeOf(
  error: unknown,
  { failed, of }: NonNullable<Program<unknown>['exitCodes']>,
): number {
  return (error instanceof OperationError ? of?.[error.code] : undefined) ?? failed;
}

interface Settings<Config> {
  readonly config: Config;
  readonly raw: RawConfig;
  readonly notes: readonly string[];
}

/** Merges and parses the settings. Throws an error whose text names the setting. */
export function readSettings<Config>(
  program: Pick<Program<Config>, 'schema' | 'environmentPrefix' | 'translate'>,
  flags: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Settings<Config> {
  const given = { flags, environment };
  const translated = program.translate?.(given) ?? { ...given, notes: [] };
  const sources = {
    environment: translated.environment,
    environmentPrefix: program.environmentPrefix,
    flags: translated.flags,
    keys: [...Object.keys(program.schema.shape), 'configFile', 'printConfig'],
  };
  const first = mergeConfig(sources);
  if (!first.ok) throw new Error(first.error);
  const path = first.value.values['configFile'];
  const merged =
    typeof path === 'string' ? mergeConfig({ ...sources, file: readFile(path) }) : first;
  if (!merged.ok) throw new Error(merged.error);
  const { configFile: _file, printConfig: _print, ...values } = merged.value.values;
  const parsed = program.schema.safeParse(values);
  if (parsed.success) return { config: parsed.data, raw: merged.value, notes: translated.notes };
  const problems = parsed.error.issues.map(
    ({ path: place, message }) => `${place.map(String).join('.')}: ${message}`,
  );
  throw new Error(problems.join('\n'));
}

function readFile(path: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    throw new Error(`the configuration file ${path} cannot be read`, { cause: error });
  }
}
