/** The scheduler as a process of its own; exit codes are the original's. */

import { openMemoryStore, openSqliteStore } from '@dcos/store';
import { runProgram } from '@dcos/telemetry';
import { marathonConfigSchema } from './shell/config.ts';
import { startMarathon } from './shell/start-marathon.ts';

await runProgram({
  name: 'marathon',
  schema: marathonConfigSchema,
  environmentPrefix: 'MARATHON_',
  exitCodes: { usage: 112, failed: 107 },
  async start(config, { logger, fail }) {
    const store =
      config.storePath === undefined ? openMemoryStore() : openSqliteStore(config.storePath);
    const marathon = await startMarathon(config, { logger, store, onFailure: fail });
    logger.info({ event: 'marathon.ready', url: marathon.url }, `serves at ${marathon.url}`);
    return {
      async close() {
        await marathon.close();
        await store.close();
      },
    };
  },
});
