/**
 * Mesos-DNS as a process of its own: settings from file, environment (`MESOS_DNS_…`) and flags.
 */

import { runProgram } from '@dcos/telemetry';
import { mesosDnsConfigSchema } from './config.ts';
import { startMesosDns } from './start.ts';

await runProgram({
  name: 'mesos-dns',
  schema: mesosDnsConfigSchema,
  environmentPrefix: 'MESOS_DNS_',
  start: async (config, { logger }) => await startMesosDns(config, { logger }),
});
