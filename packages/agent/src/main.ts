/** The agent as a process of its own. Tasks outlive it, whichever way it ends. */

import { runProgram } from '@dcos/telemetry';
import { agentConfigSchema } from './config.ts';
import { startAgent } from './shell/start-agent.ts';

await runProgram({
  name: 'agent',
  schema: agentConfigSchema,
  environmentPrefix: 'DCOS_AGENT_',
  async start(config, { logger }) {
    const agent = await startAgent(config, { logger });
    logger.info({ event: 'agent.listening', url: agent.url }, `agent listens on ${agent.url}`);
    return agent;
  },
});
