/** The scheduler as a process of its own. */

import { readFileSync } from 'node:fs';
import { describeConfig, errorText, mergeConfig } from '@dcos/base';
import { openMemoryStore, openSqliteStore } from '@dcos/store';
import { createLogger } from '@dcos/telemetry';
import { marathonConfigSchema } from './shell/config.ts';
import { startMarathon } from './shell/start-marathon.ts';

/** The command line or the configuration is wrong. */
const EXIT_CONFIG = 112;
/** The scheduler cannot go on. */
const EXIT_FAILED = 107;

async function main(): Promise<void> {
  const flags = process.argv.slice(2);
  const printsConfig = flags.includes('--print-config');
  const configFile = process.env.MARATHON_CONFIG_FILE;
  const raw = mergeConfig({
    ...(configFile === undefined
      ? {}
      : { file: JSON.parse(readFileSync(configFile, 'utf8')) as Record<string, unknown> }),
    environment: process.env,
    environmentPrefix: 'MARATHON_',
    flags: flags.filter((flag) => flag !== '--print-config'),
    keys: Object.keys(marathonConfigSchema.shape),
  });
  if (!raw.ok) return exit(EXIT_CONFIG, raw.error);
  const parsed = marathonConfigSchema.safeParse(raw.value.values);
  if (!parsed.success) return exit(EXIT_CONFIG, parsed.error.message);
  const config = parsed.data;
  if (printsConfig) {
    process.stdout.write(`${describeConfig(config, raw.value.origins)}\n`);
    return;
  }
  const logger = createLogger({ name: 'marathon', level: config.logLevel });
  const store =
    config.storePath === undefined ? openMemoryStore() : openSqliteStore(config.storePath);
  const marathon = await startMarathon(config, {
    logger,
    store,
    onFailure: (error) => exit(EXIT_FAILED, errorText(error)),
  });
  logger.info({ event: 'marathon.ready', url: marathon.url }, `marathon serves at ${marathon.url}`);
  const stop = (): void => {
    void marathon
      .close()
      .then(async () => await store.close())
      .then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

function exit(code: number, problem: string): void {
  process.stderr.write(`${problem}\n`);
  process.exit(code);
}

await main().catch((error: unknown) => exit(EXIT_FAILED, errorText(error)));
