/** An agent with a fake master for each test of a file. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { silentLogger } from '@dcos/base';
import type { AgentConfigInput } from '../config.ts';
import { startAgent, type RunningAgent, type StartOptions } from '../shell/start-agent.ts';
import { startFakeMaster, type FakeMaster } from './fake-master.ts';

export interface AgentScene {
  readonly master: FakeMaster;
  readonly workDir: string;
  /** Starts an agent and waits until it is registered; it is shut down after the test. */
  readonly start: (
    more?: AgentConfigInput,
    options?: Partial<StartOptions>,
  ) => Promise<RunningAgent>;
  /** Ends all tasks and agents now. */
  readonly stop: () => Promise<void>;
}

/** Declares what makes and removes the scene. Returns the one of the test that runs. */
export function agentScene(): () => AgentScene {
  let master: FakeMaster;
  let workDir = '';
  const agents: RunningAgent[] = [];
  beforeEach(async () => {
    master = await startFakeMaster();
    workDir = await mkdtemp(join(tmpdir(), 'dcos-agent-'));
  });
  const stop = async (): Promise<void> => {
    for (const agent of agents.splice(0)) await agent.shutdown({ killTasks: true });
  };
  afterEach(async () => {
    await stop();
    await master.close();
    // Launchers may still put away what ended last.
    await rm(workDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  });
  return () => ({
    master,
    workDir,
    stop,
    async start(more = {}, options = {}) {
      const agent = await startAgent(
        {
          masters: [master.url],
          port: 0,
          workDir,
          resources: 'cpus:4;mem:1024;disk:1024;ports:[31000-31099]',
          attributes: 'rack:r1;slots:3',
          registrationBackoffMs: 10,
          registrationBackoffMaxMs: 50,
          ...more,
        },
        { logger: silentLogger, ...options },
      );
      agents.push(agent);
      await agent.registered;
      return agent;
    },
  });
}
