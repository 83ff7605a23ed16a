/**
 * The router as a process of its own: settings from file, environment (`DCOS_ROUTER_…`) and flags.
 */

import { runProgram } from '@dcos/telemetry';
import { routerConfigSchema } from './config.ts';
import { startRouter } from './start.ts';

/** Others serve meanwhile; who has a connection asks once more and is told to take another. */
const DRAIN_MS_MAX = 5_000;

await runProgram({
  name: 'router',
  schema: routerConfigSchema,
  environmentPrefix: 'DCOS_ROUTER_',
  start: async (config, { logger }) => {
    const router = await startRouter(config, { logger });
    return {
      async close() {
        await router.drain(DRAIN_MS_MAX);
        await router.close();
      },
    };
  },
});
