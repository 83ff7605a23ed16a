/**
 * The router as a process of its own: settings from file, environment (`DCOS_ROUTER_…`) and flags.
 */

import { runProgram } from '@dcos/telemetry';
import { routerConfigSchema } from './config.ts';
import { startRouter } from './start.ts';

await runProgram({
  name: 'router',
  schema: routerConfigSchema,
  environmentPrefix: 'DCOS_ROUTER_',
  start: async (config, { logger }) => await startRouter(config, { logger }),
});
