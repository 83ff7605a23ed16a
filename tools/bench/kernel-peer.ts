/**
 * A process that plays everybody whom a master talks to: agents over WebSockets, and a scheduler over HTTP. It
 * is another process so that what it costs is not what the master costs.
 */

import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { FakeAgents } from './kernel-agents.ts';
import type { Fill } from './kernel-master.ts';
import { FakeScheduler } from './kernel-scheduler.ts';
import { FakeSubscribers } from './kernel-subscribers.ts';

export type PeerCommand =
  /** Connects agents and waits until all are registered; with a fill they come with its tasks. */
  | { readonly kind: 'connect'; readonly agents: number; readonly fill?: Fill }
  /** Subscribes a framework, launches as many tasks on each offer, and waits until all are acknowledged. */
  | { readonly kind: 'launch'; readonly agents: number; readonly tasksPerAgent: number }
  /** Subscribes operators. */
  | { readonly kind: 'subscribe'; readonly subscribers: number }
  /** Waits until all operators have seen the last event. */
  | { readonly kind: 'follow' }
  /** Subscribes a framework that exists and asks for that many of its tasks, by name. */
  | { readonly kind: 'reconcile'; readonly framework: string; readonly tasks: readonly string[] };

export type PeerRequest = PeerCommand & { readonly url: string };

/** How long it took, seen from the peer. */
export interface PeerAnswer {
  readonly elapsedMs: number;
}

export class BenchPeer {
  readonly #child = fork(import.meta.filename, { execArgv: process.execArgv });

  async run(request: PeerRequest): Promise<PeerAnswer> {
    const answer = Promise.withResolvers<PeerAnswer>();
    const onExit = (): void => answer.reject(new Error('the peer has ended'));
    this.#child.once('exit', onExit);
    this.#child.once('message', (message) => answer.resolve(message as PeerAnswer));
    this.#child.send(request);
    try {
      return await answer.promise;
    } finally {
      this.#child.off('exit', onExit);
    }
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill();
    await Promise.race([ended, sleep(5_000)]);
  }
}

/** Whom the peer plays. */
interface Cast {
  readonly agents: FakeAgents;
  readonly subscribers: FakeSubscribers;
}

async function perform({ agents, subscribers }: Cast, request: PeerRequest): Promise<void> {
  switch (request.kind) {
    case 'connect':
      await agents.connect(request);
      return;
    case 'subscribe':
      await subscribers.subscribe(request.url, request.subscribers);
      return;
    case 'follow':
      await subscribers.untilLast();
      return;
    case 'launch': {
      const tasks = request.agents * request.tasksPerAgent;
      const scheduler = new FakeScheduler(request.url);
      await scheduler.launch(tasks, request.tasksPerAgent);
      await agents.acknowledged(tasks);
      return;
    }
    default: {
      const scheduler = new FakeScheduler(request.url);
      await scheduler.reconcile(request.framework, request.tasks);
      scheduler.close();
    }
  }
}

if (process.send !== undefined && import.meta.main) {
  const cast: Cast = { agents: new FakeAgents(), subscribers: new FakeSubscribers() };
  process.on('message', (request: PeerRequest) => {
    const startedMs = performance.now();
    void perform(cast, request).then(() =>
      process.send?.({ elapsedMs: performance.now() - startedMs } satisfies PeerAnswer),
    );
  });
  process.on('disconnect', () => process.exit());
}
