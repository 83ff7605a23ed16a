/**
 * What only the shell can measure, since cores know no clock and no bytes: how long runs, reads and writes
 * take, what waits in its queues, and how big the registry is. Names are the original's.
 *
 * Invariant: every number is measured. Queues that we have no counterpart of (messages of agents are handled
 * as they arrive) are always empty.
 */

import type { Write } from '@dcos/store';
import type { Metrics } from '@dcos/telemetry';
import type { RegistryReading } from './registry-reading.ts';
import { ALLOCATE_ALL_TIMER, ALLOCATE_TIMER } from '../core/offers.ts';

export interface Queues {
  /** Effects that were not performed yet. */
  readonly effects: () => number;
  /** Writes that are not durable yet. */
  readonly writes: () => number;
  /** Calls that were not answered yet. */
  readonly requests: () => number;
}

export class Instruments {
  readonly #metrics: Metrics;
  readonly #monotonicMs: () => number;
  /** When each requested run of the allocator is due. */
  readonly #runsDueMs = new Map<string, number>();
  /** Bytes of each key with its value. */
  readonly #registry = new Map<string, number>();
  #registryBytes = 0;

  constructor(metrics: Metrics, monotonicMs: () => number, queues: Queues) {
    this.#metrics = metrics;
    this.#monotonicMs = monotonicMs;
    const runs = (): number => (this.#runsDueMs.has(ALLOCATE_TIMER) ? 1 : 0);
    metrics.gauge('master/event_queue_messages', () => 0);
    metrics.gauge('master/event_queue_dispatches', queues.effects);
    metrics.gauge('master/event_queue_http_requests', queues.requests);
    metrics.gauge('allocator/event_queue_dispatches', runs);
    metrics.gauge('allocator/mesos/event_queue_dispatches', runs);
    metrics.gauge('registrar/queued_operations', queues.writes);
    metrics.gauge('registrar/registry_size_bytes', () => this.#registryBytes);
  }

  /** The registry was read. */
  registryRead({ sizes, tookMs }: Pick<RegistryReading, 'sizes' | 'tookMs'>): void {
    for (const { key, bytes } of sizes) this.#setSize(key, bytes);
    this.#metrics.gauge('registrar/state_fetch_ms', () => tookMs);
  }

  /** The registry was written. */
  registryWritten(writes: readonly Write[], tookMs: number): void {
    for (const write of writes)
      this.#setSize(write.key, write.kind === 'put' ? write.value.byteLength : undefined);
    this.#metrics.timer('registrar/state_store').observe(tookMs);
  }

  /** The core set a timer; those of the allocator ask for a run. */
  timerSet(timer: string, afterMs: number): void {
    if (isRun(timer)) this.#runsDueMs.set(timer, this.#monotonicMs() + afterMs);
  }

  /** A timer fired and is handled now; returns what is to be called when it was. */
  timerFired(timer: string): () => void {
    if (!isRun(timer)) return () => undefined;
    const startedMs = this.#monotonicMs();
    const dueMs = this.#runsDueMs.get(timer) ?? startedMs;
    this.#runsDueMs.delete(timer);
    // Timers may fire a fraction of a millisecond early.
    this.#metrics
      .timer('allocator/mesos/allocation_run_latency')
      .observe(Math.max(0, startedMs - dueMs));
    return () =>
      this.#metrics
        .timer('allocator/mesos/allocation_run')
        .observe(this.#monotonicMs() - startedMs);
  }

  #setSize(key: string, valueBytes: number | undefined): void {
    const before = this.#registry.get(key) ?? 0;
    const after = valueBytes === undefined ? 0 : Buffer.byteLength(key) + valueBytes;
    if (valueBytes === undefined) this.#registry.delete(key);
    else this.#registry.set(key, after);
    this.#registryBytes += after - before;
  }
}

function isRun(timer: string): boolean {
  return timer === ALLOCATE_TIMER || timer === ALLOCATE_ALL_TIMER;
}
