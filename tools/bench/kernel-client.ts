/** A client of a master in a thread of its own, so that its work is not the master's. */

import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { request } from 'undici';

/** One request, again and again. */
export interface Load {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly times: number;
}

export interface Timing {
  /** Until the last byte. */
  readonly elapsedMs: readonly number[];
  /** Of the last answer. */
  readonly bytes: number;
}

/** Performs requests one after another, elsewhere. */
export class BenchClient {
  readonly #worker = new Worker(new URL(import.meta.url), {
    execArgv: ['--conditions=@dcos/source'],
  });

  async run(load: Load): Promise<Timing> {
    const answer = Promise.withResolvers<Timing>();
    this.#worker.once('message', answer.resolve).once('error', answer.reject);
    this.#worker.postMessage(load);
    try {
      return await answer.promise;
    } finally {
      this.#worker.removeAllListeners('error');
    }
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

async function perform({ url, method, headers = {}, body, times }: Load): Promise<Timing> {
  const elapsedMs: number[] = [];
  let bytes = 0;
  for (let run = 0; run < times; run++) {
    const startedMs = performance.now();
    const response = await request(url, {
      method,
      headers,
      ...(body !== undefined && { body }),
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    bytes = 0;
    for await (const chunk of response.body) bytes += (chunk as Buffer).length;
    if (response.statusCode >= 300) throw new Error(`${method} ${url}: ${response.statusCode}`);
    elapsedMs.push(performance.now() - startedMs);
  }
  return { elapsedMs, bytes };
}

if (!isMainThread) {
  parentPort?.on('message', (load: Load) => {
    void perform(load).then((timing) => parentPort?.postMessage(timing));
  });
}
