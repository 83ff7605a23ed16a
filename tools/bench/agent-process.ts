/** An agent as a process of its own, as it is installed; it can be killed, and its log says when it is registered. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { workspaceRoot } from '@dcos/testkit';

const MAIN = join(workspaceRoot, 'packages', 'agent', 'src', 'main.ts');
/** More than any benchmark runs at once. */
export const AGENT_RESOURCES = 'cpus:400;mem:131072;disk:131072;ports:[31000-31999]';

export interface AgentProcessOptions {
  readonly master: string;
  readonly workDir: string;
  readonly runtimes: string;
  /** Compiled code of earlier starts. */
  readonly compileCache: string;
}

interface LogLine {
  readonly event?: string;
  readonly url?: string;
}

export class AgentProcess {
  readonly pid: number;
  readonly url: string;
  /** From the start of the process until the master took it in. */
  readonly registeredMs: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string, registeredMs: number) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.url = url;
    this.registeredMs = registeredMs;
  }

  /** Resolves when the agent is registered. */
  static async start(options: AgentProcessOptions): Promise<AgentProcess> {
    const startedMs = performance.now();
    const child = spawn(
      process.execPath,
      [
        '--conditions=@dcos/source',
        MAIN,
        `--masters=${options.master}`,
        `--work-dir=${options.workDir}`,
        `--runtimes=${options.runtimes}`,
        `--resources=${AGENT_RESOURCES}`,
        '--port=0',
      ],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, NODE_COMPILE_CACHE: options.compileCache },
      },
    );
    const { promise, resolve, reject } = Promise.withResolvers<AgentProcess>();
    let url = '';
    const lines: string[] = [];
    child.on('error', reject);
    child.on('exit', (code, signal) =>
      reject(new Error(`the agent ended with ${signal ?? code}:\n${lines.join('\n')}`)),
    );
    // It is read to its end, so that the agent never waits for us.
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (lines.length < LINES_SHOWN_MAX) lines.push(line);
      if (!line.startsWith('{')) return;
      const said = JSON.parse(line) as LogLine;
      if (said.event === 'agent.listening') url = said.url ?? '';
      if (said.event === 'agent.registered')
        resolve(new AgentProcess(child, url, performance.now() - startedMs));
    });
    return await promise;
  }

  /** Ends it at once; tasks go on. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends it in good order; tasks go on. */
  async close(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    await ended;
  }
}

/** Of the log of an agent that could not start. */
const LINES_SHOWN_MAX = 50;
