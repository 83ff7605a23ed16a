/**
 * The leading core between its events and its effects. Events are handled one after another; what follows from
 * them is performed in order behind its writes, which carry the lease.
 *
 * Invariant: no event is handled and no effect performed once the lease is no longer held, by the session's clock:
 * a process that was frozen may find events before it hears that its time is over. The first failure is the last
 * thing that it says.
 */

import { durationText, OperationError, type Clock } from '@dcos/base';
import type { Lease, Store, Write } from '@dcos/store';
import type { Effect, MasterEvent, RegistryWrite } from '../core/index.ts';
import { EffectQueue } from './effect-queue.ts';
import { WriteWatch } from './write-watch.ts';

export interface CoreLoopOptions {
  readonly lease: Lease;
  readonly store: Pick<Store, 'commit'>;
  readonly clock: Clock;
  /** How long writes may make no progress. */
  readonly registryStoreTimeoutMs: number;
  readonly handle: (event: MasterEvent) => readonly Effect[];
  /** Gets all effects but the writes. */
  readonly perform: (effect: Effect) => void;
  /** A batch is durable. */
  readonly written: (writes: readonly Write[], tookMs: number) => void;
  /** Called once: this master must end. */
  readonly onFailure: (error: unknown) => void;
}

export class CoreLoop {
  readonly #options: CoreLoopOptions;
  readonly #effects: EffectQueue;
  readonly #writes: WriteWatch;
  #isStopped = false;

  constructor(options: CoreLoopOptions) {
    const { clock, lease, registryStoreTimeoutMs: timeoutMs, perform } = options;
    this.#options = options;
    this.#effects = new EffectQueue({
      persist: (effect) => this.#persist(effect.writes),
      perform,
      mayPerform: () => lease.isHeld(),
      onFailure: (error) => this.#fail(error),
      monotonicMs: () => clock.monotonicMs(),
    });
    this.#writes = new WriteWatch(clock, timeoutMs, () => {
      const text = `no write to the registry was durable within ${durationText(timeoutMs)}`;
      this.#fail(new OperationError('REGISTRY_STORE_TIMEOUT', text));
    });
    void lease.lost.then(() => this.#fail(deposed()));
  }

  /** Effects that were not performed yet, writes included. */
  get effects(): number {
    return this.#effects.size;
  }

  /** Writes that are not durable yet. */
  get writes(): number {
    return this.#effects.writes;
  }

  /** Resolves when all writes so far are durable and all effects performed, or none will be any more. */
  async idle(): Promise<void> {
    await this.#effects.idle();
  }

  /** Hands an event to the core and its effects to the queue. */
  dispatch(event: MasterEvent): void {
    if (this.#isStopped) return;
    if (!this.#options.lease.isHeld()) return this.#fail(deposed());
    let effects: readonly Effect[];
    try {
      effects = this.#options.handle(event);
    } catch (error) {
      return this.#fail(error);
    }
    this.#effects.push(effects);
  }

  /** Nothing is handled, performed or told any more. */
  stop(): void {
    this.#isStopped = true;
    this.#effects.stop();
    this.#writes.stop();
  }

  async #persist(registryWrites: readonly RegistryWrite[]): Promise<void> {
    const { store, lease, clock, written } = this.#options;
    const writes = registryWrites.map(toStored);
    const since = clock.monotonicMs();
    this.#writes.begin();
    await store.commit(writes, { lease });
    this.#writes.end();
    written(writes, clock.monotonicMs() - since);
  }

  #fail(error: unknown): void {
    if (this.#isStopped) return;
    this.stop();
    this.#options.onFailure(error);
  }
}

function toStored(write: RegistryWrite): Write {
  return write.kind === 'delete'
    ? write
    : { ...write, value: Buffer.from(JSON.stringify(write.value)) };
}

function deposed(): OperationError {
  return new OperationError('MASTER_DEPOSED', 'leadership was lost');
}
