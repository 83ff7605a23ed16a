/**
 * Keeps the proof that a candidate's session is alive for the servers, by asking all the time. Candidates that wait ask
 * for little; the leader asks what a majority must agree on, whether its node is still there.
 *
 * A server that does not answer is left early, while the lease that is proven lasts. Without a server nothing is asked:
 * with the next one the proof begins anew, and at once.
 */

import type { Cancel, Clock } from '@dcos/base';
import { failedOperation, LeaseProof, type Operation } from '../core/zookeeper/index.ts';
import type { ZooKeeperClient } from './client.ts';
import { isReason } from './nodes.ts';

/** Parts of the session's time: between two questions, and how long an answer may take. */
const ASK_PART = 1 / 20;
const PATIENCE_PART = 1 / 5;

export interface LeaseKeeperOptions {
  readonly client: Pick<
    ZooKeeperClient,
    'isConnected' | 'beganMs' | 'timeoutMs' | 'listen' | 'reconnect' | 'request'
  >;
  readonly clock: Clock;
  /** Of the servers, where it is known ({@link LeaseProof}). */
  readonly tickMs?: number | undefined;
  /** The candidate's node. */
  readonly path: string;
}

export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #proof: LeaseProof;
  #leads = false;
  #isStopped = false;
  /** Connections so far: an answer counts only on the one that it was asked on. */
  #connection = 0;
  #proven: () => void = () => undefined;
  #lapsed: (() => void) | undefined;
  #cancelWait: Cancel = () => undefined;
  #cancelLapse: Cancel = () => undefined;
  readonly #unlisten: () => void;

  constructor(options: LeaseKeeperOptions) {
    const { client } = options;
    this.#options = options;
    this.#proof = new LeaseProof(options.tickMs);
    this.#proof.connected(client.beganMs);
    this.#unlisten = client.listen({
      onState: (state) => {
        this.#connection += 1;
        if (state !== 'connected') return;
        this.#proof.connected(client.beganMs);
        this.#cancelWait();
        this.#wake();
      },
    });
    void this.#run();
  }

  /** Whether the servers have certainly not ended the session. */
  isProven(): boolean {
    const { client, clock } = this.#options;
    return clock.monotonicMs() < this.#proof.endsMs(client.timeoutMs);
  }

  /** From now on for a leader. Resolves when it is proven that it may be one. */
  async lead(): Promise<void> {
    this.#leads = true;
    const proven = new Promise<void>((resolve) => (this.#proven = resolve));
    // What was found while it waited needs but one more answer.
    this.#cancelWait();
    this.#wake();
    await proven;
  }

  /** Calls back once, when it is not proven any more. */
  onLapse(lapsed: () => void): void {
    this.#lapsed = lapsed;
    this.#watchLapse();
  }

  stop(): void {
    this.#isStopped = true;
    this.#unlisten();
    this.#cancelWait();
    this.#cancelLapse();
    this.#wake();
  }

  #wake: () => void = () => undefined;

  async #run(): Promise<void> {
    const { client, clock } = this.#options;
    while (!this.#isStopped) {
      const [isAgreed, connection] = [this.#leads, this.#connection];
      if (client.isConnected) await this.#ask(isAgreed);
      if (this.#leads && this.isProven()) this.#proven();
      if (this.#isStopped) return;
      // What happened meanwhile woke nobody.
      if (this.#leads !== isAgreed || this.#connection !== connection) continue;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#cancelWait = clock.setTimer(client.timeoutMs * ASK_PART, resolve);
      });
    }
  }

  async #ask(isAgreed: boolean): Promise<void> {
    const { client, clock } = this.#options;
    const connection = this.#connection;
    const askedMs = clock.monotonicMs();
    const cancel = this.#whenLate(() => client.reconnect('it does not answer in time'));
    try {
      if (!(await this.#request(isAgreed)) || connection !== this.#connection) return;
      const answeredMs = clock.monotonicMs();
      this.#proof.answered({ askedMs, answeredMs, isAgreed }, client.timeoutMs);
    } catch (error) {
      // Whether the session is over is told to whoever listens to it; until then it is asked on.
      if (isReason(error, 'CLOSED', 'AUTHFAILED')) this.stop();
    } finally {
      cancel();
    }
  }

  /** False when the node is gone. */
  async #request(isAgreed: boolean): Promise<boolean> {
    const { client, path } = this.#options;
    const check = { kind: 'check', path, version: -1 } as const;
    const question: Operation = isAgreed
      ? { kind: 'multi', operations: [check] }
      : { kind: 'sync', path };
    const reply = await client.request(question);
    return !Array.isArray(reply) || failedOperation(reply) === undefined;
  }

  /** In two steps: a process that was busy for long reads what has come in between. */
  #whenLate(act: () => void): Cancel {
    const { client, clock } = this.#options;
    let cancel = clock.setTimer(client.timeoutMs * PATIENCE_PART, () => {
      cancel = clock.setTimer(client.timeoutMs * ASK_PART, act);
    });
    return () => cancel();
  }

  #watchLapse(): void {
    const { client, clock } = this.#options;
    const leftMs = this.#proof.endsMs(client.timeoutMs) - clock.monotonicMs();
    this.#cancelLapse = clock.setTimer(Math.max(1, Math.ceil(leftMs)), () => {
      if (this.isProven()) this.#watchLapse();
      else this.#lapsed?.();
    });
  }
}
