/**
 * A master in this process under random input from outside: everybody who may speak to it, saying anything.
 * Stops at the first violation: an invariant, an answer with a status that nobody documents, silence, an
 * unhandled rejection, memory that only grows.
 */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorText, silentLogger } from '@dcos/base';
import { startMaster, type RunningMaster } from '@dcos/master';
import { openMemoryStore } from '@dcos/store';
import { act, type Scene } from './actions.ts';
import { checkSnapshot, checkStatus } from './checks.ts';
import { exchange } from './exchange.ts';
import { Inputs } from './inputs.ts';
import { Parties } from './parties.ts';

/** Actions under way at a time. */
const CONCURRENCY = 8;
/** Actions between two looks at the state. */
const CHECK_EVERY = 25;
/** How much the heap may grow between its first measure and its last, after collecting garbage. */
const HEAP_GROWTH_BYTES_MAX = 192 * 1024 * 1024;

export interface FuzzOptions {
  readonly seed: number;
  readonly durationMs: number;
  /** Actions that are taken even when the time is up: a busy machine is slow. */
  readonly actionsMin?: number;
  /** Bound on actions per second. */
  readonly rateMax: number;
  /** Hears how it goes, about every ten seconds. */
  readonly progress?: (result: FuzzResult) => void;
}

export interface FuzzResult {
  readonly seed: number;
  readonly actions: number;
  readonly checks: number;
  /** Answers by status. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Kinds of requests that were sent at least once. */
  readonly kinds: number;
  readonly heapGrowthBytes: number;
  readonly violation: string | undefined;
}

/** Runs until the time is up or something is violated. */
export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const run = new Run(options);
  return await run.run();
}

class Run {
  readonly #options: FuzzOptions;
  readonly #inputs: Inputs;
  readonly #statuses = new Map<number, number>();
  readonly #kinds = new Set<string>();
  #actions = 0;
  #checks = 0;
  #violation: string | undefined;
  #heapAtFirstBytes = 0;
  #heapGrowthBytes = 0;

  constructor(options: FuzzOptions) {
    this.#options = options;
    this.#inputs = new Inputs(options.seed);
  }

  async run(): Promise<FuzzResult> {
    const onRejection = (reason: unknown): void => this.#found(`unhandled: ${errorText(reason)}`);
    process.on('unhandledRejection', onRejection);
    const master = await startMaster(
      // Short periods, so that what is due comes within the run.
      { port: 0, allocationIntervalMs: 50, heartbeatIntervalMs: 500, agentPingIntervalMs: 500 },
      {
        logger: silentLogger,
        store: openMemoryStore(),
        onFatal: (error) =>
          this.#found(`the master ended: ${error instanceof Error ? error.stack : String(error)}`),
      },
    );
    const parties = new Parties(master.url, this.#inputs);
    try {
      await this.#loop(master, parties);
    } finally {
      parties.close();
      await master.close();
      process.off('unhandledRejection', onRejection);
    }
    return this.#result();
  }

  async #loop(master: RunningMaster, parties: Parties): Promise<void> {
    const { durationMs, actionsMin = 0, rateMax, progress } = this.#options;
    const startedMs = performance.now();
    const scene: Scene = {
      url: master.url,
      inputs: this.#inputs,
      parties,
      answered: (what, status) => this.#answered(what, status),
    };
    const worker = async (): Promise<void> => {
      while (
        this.#violation === undefined &&
        (this.#actions < actionsMin || performance.now() - startedMs < durationMs)
      ) {
        await this.#act(scene);
        if (this.#actions % CHECK_EVERY === 0) await this.#check(master);
        const aheadMs = (this.#actions / rateMax) * 1000 - (performance.now() - startedMs);
        if (aheadMs > 0) await sleep(aheadMs);
      }
    };
    const ticker = setInterval(() => {
      this.#measureHeap();
      progress?.(this.#result());
    }, 10_000);
    try {
      await Promise.all(Array.from({ length: CONCURRENCY }, worker));
      this.#measureHeap();
      await this.#check(master);
    } finally {
      clearInterval(ticker);
    }
  }

  async #act(scene: Scene): Promise<void> {
    this.#actions += 1;
    try {
      await act(scene);
    } catch (error) {
      this.#found(errorText(error));
    }
  }

  async #check(master: RunningMaster): Promise<void> {
    this.#checks += 1;
    const snapshot = master.snapshot();
    if (snapshot !== undefined) this.#found(checkSnapshot(snapshot));
    const sending = { method: 'GET', path: '/health', headers: {} };
    const status = await exchange(master.url, sending).catch(errorText);
    if (status !== 200) this.#found(`/health: ${status}`);
  }

  #answered(what: string, status: number | undefined): void {
    this.#kinds.add(what);
    if (status === undefined) return;
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    this.#found(checkStatus(what, status));
  }

  #found(violation: string | undefined): void {
    this.#violation ??= violation;
  }

  #measureHeap(): void {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    collect();
    const heapBytes = process.memoryUsage().heapUsed;
    if (this.#heapAtFirstBytes === 0) this.#heapAtFirstBytes = heapBytes;
    this.#heapGrowthBytes = heapBytes - this.#heapAtFirstBytes;
    if (this.#heapGrowthBytes > HEAP_GROWTH_BYTES_MAX)
      this.#found(`the heap has grown by ${Math.round(this.#heapGrowthBytes / 2 ** 20)} MiB`);
  }

  #result(): FuzzResult {
    return {
      seed: this.#options.seed,
      actions: this.#actions,
      checks: this.#checks,
      statuses: this.#statuses,
      kinds: this.#kinds.size,
      heapGrowthBytes: this.#heapGrowthBytes,
      violation: this.#violation,
    };
  }
}
