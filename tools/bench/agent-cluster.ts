/**
 * A master and a framework in this process, and an agent in another one. However a measurement ends, no container
 * is left behind.
 */

import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { silentLogger } from '@dcos/base';
import { startAgent } from '@dcos/agent';
import { startMaster, type RunningMaster } from '@dcos/master';
import { openMemoryStore } from '@dcos/store';
import { temporaryDirectory, waitFor } from '@dcos/testkit';
import { AGENT_RESOURCES, AgentProcess } from './agent-process.ts';
import { containerOf, type RuntimeName } from './agent-runtimes.ts';
import { TaskFramework, type TaskKind } from './task-framework.ts';

/** Longer than any measurement, and short enough to be gone soon after one that failed. */
export const LASTING = 'exec sleep 600';
/** How long what is left of ended containers may stay. */
const REMOVAL_TIMEOUT_MS = 60_000;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-/;

interface Scratch {
  readonly path: string;
  remove(): void;
}

export class AgentCluster {
  readonly runtime: RuntimeName;
  readonly framework: TaskFramework;
  readonly #master: RunningMaster;
  readonly #scratch: Scratch;
  #agent: AgentProcess;

  private constructor(parts: {
    readonly runtime: RuntimeName;
    readonly framework: TaskFramework;
    readonly master: RunningMaster;
    readonly scratch: Scratch;
    readonly agent: AgentProcess;
  }) {
    this.runtime = parts.runtime;
    this.framework = parts.framework;
    this.#master = parts.master;
    this.#scratch = parts.scratch;
    this.#agent = parts.agent;
  }

  static async start(
    runtime: RuntimeName,
    kind: Pick<TaskKind, 'command' | 'goal'>,
  ): Promise<AgentCluster> {
    const scratch = temporaryDirectory('bench-agent');
    const master = await startMaster(
      { port: 0 },
      { logger: silentLogger, store: openMemoryStore() },
    );
    mkdirSync(workDirOf(scratch));
    const agent = await AgentProcess.start(agentOptions(master, scratch, runtime));
    const container = containerOf(runtime);
    const framework = new TaskFramework(master.url, {
      ...kind,
      ...(container !== undefined && { container }),
    });
    return new AgentCluster({ runtime, framework, master, scratch, agent });
  }

  get agent(): AgentProcess {
    return this.#agent;
  }

  /** Names of files and directories of this agent; whatever belongs to it has them among its arguments. */
  get workDir(): string {
    return workDirOf(this.#scratch);
  }

  /** Kills the agent's process and starts it again; resolves when it is registered. */
  async restart(): Promise<void> {
    await this.#agent.kill();
    this.#agent = await AgentProcess.start(agentOptions(this.#master, this.#scratch, this.runtime));
  }

  /** Resolves when the runtime has nothing left of any container. */
  async untilRemoved(): Promise<void> {
    await waitFor('the end of all containers', () => !this.#hasContainers(), REMOVAL_TIMEOUT_MS);
  }

  async close(): Promise<void> {
    try {
      await this.#agent.close();
      if (this.#hasContainers()) await this.#endTasks();
    } finally {
      await this.framework.close();
      await this.#master.close();
      this.#scratch.remove();
    }
  }

  /** The runtime has a directory for each that it has not removed, named with its id. */
  #hasContainers(): boolean {
    const name = this.runtime === 'process' ? 'containers' : this.runtime;
    const directory = join(this.workDir, 'run', name);
    return existsSync(directory) && readdirSync(directory).some((entry) => UUID.test(entry));
  }

  /** What a measurement that failed has left. */
  async #endTasks(): Promise<void> {
    const agent = await startAgent(
      {
        masters: [this.#master.url],
        workDir: this.workDir,
        runtimes: this.runtime,
        resources: AGENT_RESOURCES,
        port: 0,
      },
      { logger: silentLogger },
    );
    await agent.registered;
    await agent.shutdown({ killTasks: true });
  }
}

function workDirOf({ path }: Scratch): string {
  return join(path, 'work');
}

function agentOptions(
  master: RunningMaster,
  scratch: Scratch,
  runtimes: RuntimeName,
): Parameters<typeof AgentProcess.start>[0] {
  return {
    master: master.url,
    workDir: workDirOf(scratch),
    runtimes,
    compileCache: join(scratch.path, 'compiled'),
  };
}
