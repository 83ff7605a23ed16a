/**
 * A process that plays a part of the agents of a failover. It says when they have come as far as asked; the
 * instants are those of the machine, so that they can be compared with those of other processes.
 */

import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReturningAgents } from './failover-agents.ts';
import { instantMs } from './instant.ts';

export interface AgentsPart {
  readonly zk: string;
  readonly agents: number;
  readonly first: number;
  readonly tasksPerAgent: number;
  readonly backoffMs: number;
}

type Command = ({ readonly kind: 'begin' } & AgentsPart) | { readonly kind: 'prepare' };

type Said =
  | {
      readonly kind: 'registered';
      readonly master: string;
      readonly who: 'first' | 'all';
      readonly atMs: number;
    }
  | { readonly kind: 'settled' }
  | { readonly kind: 'prepared' };

export class FailoverPeer {
  readonly #child = fork(import.meta.filename, { execArgv: process.execArgv });
  readonly #said: Said[] = [];
  #wake = Promise.withResolvers<void>();

  constructor(part: AgentsPart) {
    this.#child.on('message', (said: Said) => {
      this.#said.push(said);
      this.#wakeUp();
    });
    this.#child.on('exit', () => this.#wakeUp());
    this.#child.send({ kind: 'begin', ...part } satisfies Command);
  }

  /** Resolves with the instant at which the first of its agents, or all, were registered with the master. */
  async registered(master: string, who: 'first' | 'all'): Promise<number> {
    return await this.#heard((said) =>
      said.kind === 'registered' && said.master === master && said.who === who
        ? said.atMs
        : undefined,
    );
  }

  /** Resolves when all its agents have their tasks, acknowledged. */
  async settled(): Promise<void> {
    await this.#heard((said) => said.kind === 'settled' || undefined);
  }

  /** Has the agents write down what they will say when they come back. */
  async prepare(): Promise<void> {
    this.#child.send({ kind: 'prepare' } satisfies Command);
    await this.#heard((said) => said.kind === 'prepared' || undefined);
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await Promise.race([ended, sleep(5_000)]);
  }

  #wakeUp(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  async #heard<T>(find: (said: Said) => T | undefined): Promise<T> {
    for (;;) {
      for (const said of this.#said) {
        const found = find(said);
        if (found !== undefined) return found;
      }
      if (this.#child.exitCode !== null) throw new Error('a process of agents has ended');
      await this.#wake.promise;
    }
  }
}

if (process.send !== undefined && import.meta.main) {
  const say = (said: Said): void => void process.send?.(said);
  let agents: ReturningAgents | undefined;
  process.on('message', (command: Command) => {
    if (command.kind === 'begin') {
      agents = new ReturningAgents({
        ...command,
        onRegistered: (master, who) => say({ kind: 'registered', master, who, atMs: instantMs() }),
        onSettled: () => say({ kind: 'settled' }),
      });
      agents.start();
    } else {
      agents?.prepare();
      say({ kind: 'prepared' });
    }
  });
  process.on('disconnect', () => process.exit());
}
