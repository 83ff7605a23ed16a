/**
 * A master of its own: settings from defaults, a file, `MESOS_*` variables and flags (the original's and ours),
 * the registry in a SQLite file of its data directory, or in memory. Ends with 1 when it cannot go on, so that a supervisor starts it anew.
 */

import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { translateLibprocessTls } from '@dcos/http';
import { openMemoryStore, openSqliteStore } from '@dcos/store';
import { runProgram } from '@dcos/telemetry';
import { masterConfigSchema } from './shell/config.ts';
import { translateFlags } from './shell/given-flags.ts';
import { discoverIp } from './shell/ip-discovery.ts';
import { startMaster } from './shell/start-master.ts';

const processSchema = masterConfigSchema.extend({
  /** Where the registry is kept. */
  dataDir: z.string().min(1).default('.dcos/master'),
  /** A command that prints the address to listen on, in place of `ip`. */
  ipDiscoveryCommand: z.string().min(1).optional(),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** Standard error when absent. */
  logFile: z.string().min(1).optional(),
});

/** What the original calls them; it has none below INFO. */
const LEVELS = {
  debug: 'INFO',
  info: 'INFO',
  warn: 'WARNING',
  error: 'ERROR',
  silent: 'ERROR',
} as const;

await runProgram({
  name: 'master',
  schema: processSchema,
  environmentPrefix: 'MESOS_',
  translate({ flags, environment }) {
    const tls = translateLibprocessTls(environment, 'MESOS_');
    const translated = translateFlags({ flags, environment: tls.environment });
    return { ...translated, notes: [...tls.notes, ...translated.notes] };
  },
  async start({ dataDir, logLevel, logFile, ipDiscoveryCommand, ...config }, { logger, fail }) {
    const ip = ipDiscoveryCommand === undefined ? config.ip : await discoverIp(ipDiscoveryCommand);
    mkdirSync(dataDir, { recursive: true });
    const store =
      config.registry === 'in_memory'
        ? openMemoryStore()
        : openSqliteStore(join(dataDir, 'registry.sqlite'));
    const flags = {
      work_dir: dataDir,
      logging_level: LEVELS[logLevel],
      ...(ipDiscoveryCommand !== undefined && { ip_discovery_command: ipDiscoveryCommand }),
      ...(logFile !== undefined && { log_dir: dirname(logFile) }),
    };
    const master = await startMaster({ ...config, ip }, { logger, store, flags, onFatal: fail });
    process.stdout.write(`master ready at ${master.url}\n`);
    return {
      async close() {
        await master.close();
        await store.close();
      },
    };
  },
});
