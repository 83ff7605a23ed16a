/**
 * A master of its own: settings from defaults, a file, `MESOS_*` variables and flags, the registry in a
 * SQLite file of its data directory. Ends with 1 when it cannot go on, so that a supervisor starts it anew.
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { openSqliteStore } from '@dcos/store';
import { runProgram } from '@dcos/telemetry';
import { masterConfigSchema } from './shell/config.ts';
import { startMaster } from './shell/start-master.ts';

const processSchema = masterConfigSchema.extend({
  /** Where the registry is kept. */
  dataDir: z.string().min(1).default('.dcos/master'),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

await runProgram({
  name: 'master',
  schema: processSchema,
  environmentPrefix: 'MESOS_',
  async start({ dataDir, logLevel: _logLevel, ...config }, { logger, fail }) {
    mkdirSync(dataDir, { recursive: true });
    const store = openSqliteStore(join(dataDir, 'registry.sqlite'));
    const master = await startMaster(config, { logger, store, onFatal: fail });
    process.stdout.write(`master ready at ${master.url}\n`);
    return {
      async close() {
        await master.close();
        await store.close();
      },
    };
  },
});
