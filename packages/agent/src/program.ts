/** What the agent's process does. Tasks outlive it, whichever way it ends. */

import { flushCompileCache } from 'node:module';
import { translateLibprocessTls } from '@dcos/http';
import { runProgram } from '@dcos/telemetry';
import { agentConfigSchema } from './config.ts';
import { startAgent } from './shell/start-agent.ts';

/** Runs an agent with this process's arguments and environment until a signal or its end. */
export async function runAgent(): Promise<void> {
  await runProgram({
    name: 'agent',
    schema: agentConfigSchema,
    environmentPrefix: 'DCOS_AGENT_',
    translate: ({ flags, environment }) => ({
      flags,
      ...translateLibprocessTls(environment, 'DCOS_AGENT_'),
    }),
    async start(config, { logger }) {
      const agent = await startAgent(config, { logger });
      logger.info({ event: 'agent.listening', url: agent.url }, `agent listens on ${agent.url}`);
      // Node keeps it at the end of the process, which one that is killed does not see.
      void agent.registered.then(() => flushCompileCache());
      return agent;
    },
  });
}
