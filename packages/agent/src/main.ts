/** The agent as a program: settings from flags, environment and file, signals, exit codes. */

import { readFileSync } from 'node:fs';
import process from 'node:process';
import { describeConfig, errorText, mergeConfig } from '@dcos/base';
import { createLogger } from '@dcos/telemetry';
import { agentConfigSchema } from './config.ts';
import { startAgent } from './shell/start-agent.ts';

const EXIT_USAGE = 2;

const argv = process.argv.slice(2);
const printOnly = argv.includes('--print-config');
const configFile = argv
  .find((argument) => argument.startsWith('--config='))
  ?.slice('--config='.length);

function fail(message: string, code: number): never {
  process.stderr.write(`dcos-agent: ${message}\n`);
  process.exit(code);
}

const merged = mergeConfig({
  ...(configFile === undefined
    ? {}
    : { file: JSON.parse(readFileSync(configFile, 'utf8')) as Record<string, unknown> }),
  environment: process.env,
  environmentPrefix: 'DCOS_AGENT_',
  flags: argv.filter(
    (argument) => argument !== '--print-config' && !argument.startsWith('--config='),
  ),
  keys: Object.keys(agentConfigSchema.shape),
});
if (!merged.ok) fail(merged.error, EXIT_USAGE);
const parsed = agentConfigSchema.safeParse(merged.value.values);
if (!parsed.success) {
  const [issue] = parsed.error.issues;
  fail(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`, EXIT_USAGE);
}
const config = parsed.data;
if (printOnly) {
  process.stdout.write(`${describeConfig(config, merged.value.origins)}\n`);
  process.exit(0);
}

const logger = createLogger({
  name: 'agent',
  level: config.logLevel,
  ...(config.logFile === undefined ? {} : { file: config.logFile }),
});
try {
  const agent = await startAgent(config, { logger });
  logger.info({ event: 'agent.listening', url: agent.url }, `agent listens on ${agent.url}`);
  // Tasks outlive the agent, whichever way it ends.
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => void agent.close());
  const reason = await agent.ended;
  await agent.close();
  process.exit(reason === 'closed' ? 0 : 1);
} catch (error) {
  fail(errorText(error), 1);
}
