/**
 * Mesos-DNS as a process of its own: settings from file, environment (`MESOS_DNS_…`) and flags.
 */

import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { describeConfig, errorText, mergeConfig } from '@dcos/base';
import { createLogger } from '@dcos/telemetry';
import { mesosDnsConfigSchema } from './config.ts';
import { startMesosDns } from './start.ts';

/** Exit code for settings that cannot be used. */
const EXIT_USAGE = 2;

function problemText(error: z.ZodError | undefined): string {
  return error === undefined ? 'the settings cannot be used' : z.prettifyError(error);
}

async function main(): Promise<void> {
  const printConfig = process.argv.includes('--print-config');
  const flags = process.argv.slice(2).filter((flag) => flag !== '--print-config');
  const path = process.env['MESOS_DNS_CONFIG_FILE'];
  const merged = mergeConfig({
    ...(path === undefined
      ? {}
      : { file: JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown> }),
    environment: process.env,
    environmentPrefix: 'MESOS_DNS_',
    flags,
    keys: Object.keys(mesosDnsConfigSchema.shape),
  });
  const parsed = merged.ok ? mesosDnsConfigSchema.safeParse(merged.value.values) : undefined;
  if (!merged.ok || parsed?.success !== true) {
    process.stderr.write(`${merged.ok ? problemText(parsed?.error) : merged.error}\n`);
    process.exitCode = EXIT_USAGE;
    return;
  }
  const config = parsed.data;
  if (printConfig) {
    process.stdout.write(`${describeConfig(config, merged.value.origins)}\n`);
    return;
  }
  const running = await startMesosDns(config, {
    logger: createLogger({ name: 'mesos-dns', level: config.logLevel }),
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void running.close());
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${errorText(error)}\n`);
  process.exitCode = 1;
});
