/**
 * People who read and write all the time through a load balancer before the routers: it keeps its connections, and gives
 * a request to the next router where one takes no connection, and for reads also where one ends without an answer.
 * Whatever else is not answered as it should be is a failed request.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { errorText } from '@dcos/base';

const PAUSE_MS = 50;
/** Who waits longer has no answer. */
const PATIENCE_MS = 30_000;
/** Each with an app of its own that only it changes, so that each answer can be checked. */
const WRITERS = 4;
const FAILURES_KEPT = 50;
/** Of connections that did not come about: nobody was asked. */
const REFUSED: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
/** Of connections that ended before an answer. */
const BROKEN: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);
const APPS = '/service/marathon/v2/apps';

export interface RequestLoad {
  /** Ends it; resolves with what was seen once the last answers are there. */
  stops(): Promise<Seen>;
}

export interface Seen {
  readonly answered: number;
  /** What failed and when, in milliseconds since the beginning; the first of many. */
  readonly failures: readonly string[];
  /** The longest that somebody waited for an answer. */
  readonly longestMs: number;
}

export interface RequestLoadOptions {
  /** Of the routers, without a slash at the end. */
  readonly routers: readonly string[];
  /** Paths that are read; 200 is the answer. */
  readonly paths: readonly string[];
}

/** Starts it. The apps of its writers begin with `/written-` and never run anything. */
export function startRequestLoad({ routers, paths }: RequestLoadOptions): RequestLoad {
  const end = new AbortController();
  const load = new Balanced(routers);
  const people = [
    ...paths.map(async (path) => {
      while (!end.signal.aborted) {
        await load.asks({ method: 'GET', path, expected: [200] });
        await sleep(PAUSE_MS);
      }
    }),
    ...Array.from({ length: WRITERS }, async (_, index) => await writes(load, index, end.signal)),
  ];
  return {
    async stops() {
      end.abort();
      await Promise.all(people);
      return load.seen();
    },
  };
}

/** Numbers its changes and reads each one back: what was accepted must not be lost, by whomever it is read. */
async function writes(load: Balanced, index: number, end: AbortSignal): Promise<void> {
  const id = `/written-${index}`;
  for (let number = 1; !end.aborted; number++) {
    const app = { id, cmd: 'true', instances: 0, labels: { number: String(number) } };
    const path = `${APPS}/${id}?force=true`;
    const body = JSON.stringify(app);
    const accepted = await load.asks({ method: 'PUT', path, body, expected: [200, 201] });
    const read = await load.asks({ method: 'GET', path: `${APPS}/${id}`, expected: [200] });
    const label = /"number":"(\d+)"/.exec(read)?.[1];
    if (accepted !== '' && read !== '' && label !== String(number))
      load.failed(`${id} was accepted with ${number} and is read with ${label}`);
    await sleep(PAUSE_MS);
  }
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly expected: readonly number[];
}

class Balanced {
  readonly #routers: readonly string[];
  readonly #startedMs = performance.now();
  readonly #failures: string[] = [];
  #next = 0;
  #answered = 0;
  #longestMs = 0;

  constructor(routers: readonly string[]) {
    this.#routers = routers;
  }

  seen(): Seen {
    const [answered, longestMs] = [this.#answered, Math.round(this.#longestMs)];
    return { answered, longestMs, failures: this.#failures };
  }

  failed(what: string): void {
    if (this.#failures.length >= FAILURES_KEPT) return;
    this.#failures.push(`${Math.round(performance.now() - this.#startedMs)} ms: ${what}`);
  }

  /** The body of the answer; empty when there was none or not the right one, which is written down. */
  async asks(asked: Asked): Promise<string> {
    const { method, path, expected } = asked;
    const startedMs = performance.now();
    try {
      const answer = await this.#firstThatTakes(asked);
      const text = await answer.text();
      this.#longestMs = Math.max(this.#longestMs, performance.now() - startedMs);
      this.#answered += 1;
      if (expected.includes(answer.status)) return text;
      this.failed(`${method} ${path} was answered ${answer.status} ${text.slice(0, 300)}`);
    } catch (error) {
      this.failed(
        `${method} ${path} was not answered: ${errorText(error)} (${String(codeOf(error))})`,
      );
    }
    return '';
  }

  async #firstThatTakes({ method, path, body }: Asked): Promise<Response> {
    const first = this.#next++;
    const signal = AbortSignal.timeout(PATIENCE_MS);
    for (let tried = 1; ; tried++) {
      const router = this.#routers[(first + tried) % this.#routers.length] ?? '';
      const headers = body === undefined ? {} : { 'content-type': 'application/json' };
      try {
        return await fetch(router + path, {
          method,
          headers,
          signal,
          ...(body !== undefined && { body }),
        });
      } catch (error) {
        const code = codeOf(error);
        const isFree = REFUSED.has(code) || (method === 'GET' && BROKEN.has(code));
        if (!isFree || tried === this.#routers.length) throw error;
      }
    }
  }
}

function codeOf(error: unknown): unknown {
  const { cause } = error as { readonly cause?: { readonly code?: unknown } };
  return cause?.code;
}
