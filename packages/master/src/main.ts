/**
 * A master of its own: settings from defaults, a file, `MESOS_*` variables and flags, the registry in a
 * SQLite file of its data directory. Ends with 1 when it cannot go on, so that a supervisor starts it anew.
 */

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { describeConfig, errorText, mergeConfig, type RawConfig } from '@dcos/base';
import { openSqliteStore } from '@dcos/store';
import { createLogger } from '@dcos/telemetry';
import { masterConfigSchema } from './shell/config.ts';
import { startMaster } from './shell/start-master.ts';

const processSchema = masterConfigSchema.extend({
  /** Where the registry is kept. */
  dataDir: z.string().min(1).default('.dcos/master'),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** A JSON file with settings. */
  config: z.string().optional(),
  /** Shows every setting with its origin and ends. */
  printConfig: z.boolean().default(false),
});

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** Reads the settings; a problem is a text for the person who started the program. */
function readConfig(): {
  readonly raw: RawConfig;
  readonly config: z.output<typeof processSchema>;
} {
  const sources = {
    environment: process.env,
    environmentPrefix: 'MESOS_',
    flags: process.argv.slice(2),
    keys: Object.keys(processSchema.shape),
  };
  const first = mergeConfig(sources);
  if (!first.ok) throw new Error(first.error);
  const path = first.value.values['config'];
  const file =
    typeof path === 'string'
      ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>)
      : {};
  const merged = mergeConfig({ ...sources, file });
  if (!merged.ok) throw new Error(merged.error);
  const parsed = processSchema.safeParse(merged.value.values);
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  return { raw: merged.value, config: parsed.data };
}

async function main(): Promise<void> {
  let settings: ReturnType<typeof readConfig>;
  try {
    settings = readConfig();
  } catch (error) {
    process.stderr.write(`${errorText(error)}\n`);
    process.exitCode = EXIT_USAGE;
    return;
  }
  const { raw, config } = settings;
  if (config.printConfig) {
    process.stdout.write(`${describeConfig(config, raw.origins)}\n`);
    return;
  }
  const { dataDir, logLevel, config: _file, printConfig: _print, ...masterConfig } = config;
  mkdirSync(dataDir, { recursive: true });
  const store = openSqliteStore(join(dataDir, 'registry.sqlite'));
  const logger = createLogger({ name: 'master', level: logLevel });
  const master = await startMaster(masterConfig, {
    logger,
    store,
    onFatal: () => process.exit(EXIT_FAILED),
  });
  const stop = (): void => {
    void master.close().then(() => store.close());
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.stdout.write(`master ready at ${master.url}\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${errorText(error)}\n`);
  process.exitCode = EXIT_FAILED;
}
