/** Masters as processes of their own that elect one of them; when each began to lead is read from their logs. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { temporaryDirectory, waitFor, workspaceRoot } from '@dcos/testkit';
import { instantMs } from './instant.ts';

const MAIN = join(workspaceRoot, 'packages', 'master', 'src', 'main.ts');
const TIMEOUT_MS = 120_000;
/** Of the kernel's account of processor time. */
const MS_PER_TICK = 10;
/** Who profiles this process means the masters. */
const PROFILING = process.execArgv.filter((flag) => flag.startsWith('--cpu-prof'));
/** Of the log of a master that ended. */
const LINES_SHOWN_MAX = 30;

interface LogLine {
  readonly event?: string;
}

export class MasterProcess {
  readonly #child: ChildProcess;
  readonly #folder = temporaryDirectory('bench-master');
  readonly #lines: string[] = [];
  #url: string | undefined;
  /** When it had read the registry and served as the leader. */
  leadsSinceMs: number | undefined;

  constructor(zk: string, sessionTimeout: string) {
    const flags = [
      '--ip=127.0.0.1',
      '--port=0',
      `--zk=${zk}`,
      `--zk_session_timeout=${sessionTimeout}`,
      `--work_dir=${this.#folder.path}`,
    ];
    const child = spawn(
      process.execPath,
      ['--conditions=@dcos/source', ...PROFILING, MAIN, ...flags],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#url ??= /master ready at (\S+)/.exec(line)?.[1];
    });
    createInterface({ input: child.stderr }).on('line', (line) => this.#logged(line));
  }

  #logged(line: string): void {
    const { event } = line.startsWith('{') ? (JSON.parse(line) as LogLine) : {};
    if (event === 'master.started') this.leadsSinceMs = instantMs();
    this.#lines.push(line);
    if (this.#lines.length > LINES_SHOWN_MAX) this.#lines.shift();
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves when it serves. */
  async serving(): Promise<string> {
    return await waitFor(
      'a master that serves',
      () => {
        if (!this.isAlive) throw new Error(`a master ended: ${this.#lines.join('\n')}`);
        return this.#url;
      },
      TIMEOUT_MS,
    );
  }

  /** A figure of `/metrics/snapshot`. */
  async metric(name: string): Promise<number> {
    const response = await fetch(`${await this.serving()}/metrics/snapshot`).catch(
      (error: unknown) => {
        throw new Error(`a master does not answer: ${this.#lines.join('\n')}`, { cause: error });
      },
    );
    const value = ((await response.json()) as Record<string, number>)[name];
    if (value === undefined) throw new Error(`the master has no metric ${name}`);
    return value;
  }

  /** Processor time of all its threads so far. */
  processorMs(): number {
    const stat = readFileSync(`/proc/${this.#child.pid ?? 0}/stat`, 'utf8');
    // The name before may have spaces; the user's and the system's ticks are fields 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
  }

  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends it with the measurement. A profile is written only by one that ends in good order. */
  async close(): Promise<void> {
    await this.#end(PROFILING.length > 0 ? 'SIGTERM' : 'SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.isAlive) {
      const ended = once(this.#child, 'exit');
      this.#child.kill(signal);
      await ended;
    }
    this.#folder.remove();
  }
}

/** Resolves with the one that leads. */
export async function leading(
  masters: readonly MasterProcess[],
): Promise<{ readonly master: MasterProcess; readonly sinceMs: number; readonly url: string }> {
  return await waitFor(
    'a leading master',
    async () => {
      for (const master of masters) {
        if (!master.isAlive) throw new Error('a master has ended');
        const sinceMs = master.leadsSinceMs;
        if (sinceMs !== undefined) return { master, sinceMs, url: await master.serving() };
      }
      return undefined;
    },
    TIMEOUT_MS,
  );
}
