/**
 * People who look up names and call services while hosts burn: each of them asks one host, over and over, and writes
 * down what was answered. A wrong answer is worse than none, and is told apart.
 */

import { Resolver } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorText } from '@dcos/base';
import type { Answer, History } from './history.ts';
import type { Host } from './host.ts';

const PAUSE_MS = 200;
/** After that there is no answer. */
const PATIENCE_MS = 5_000;
/** What c-ares and fetch say when nobody answered. */
const NO_ANSWER = new Set(['ETIMEOUT', 'ECONNREFUSED', 'TimeoutError', 'TypeError']);

export interface AskOptions {
  readonly hosts: readonly Host[];
  /** The name of a task that runs all the time, and where it may run. */
  readonly name: string;
  readonly addresses: () => readonly string[];
  /** A path at the router that leads to it. */
  readonly path: string;
  /** A load balancer before it. */
  readonly balancer: Balancer;
}

export interface Balancer {
  readonly host: Host;
  readonly url: string;
}

/** Begins to ask the names and the router of each host, and the load balancer; the returned function ends it. */
export function startAsking(history: History, options: AskOptions): () => Promise<void> {
  const end = new AbortController();
  const { hosts, path, balancer } = options;
  const asking = hosts.flatMap((host) => [
    askAgain(end.signal, history, { what: 'names', host }, lookUp(host, options)),
    askAgain(
      end.signal,
      history,
      { what: 'services', host },
      call(`http://${host.address}${path}`),
    ),
  ]);
  asking.push(
    askAgain(end.signal, history, { what: 'balancer', host: balancer.host }, call(balancer.url)),
  );
  return async () => {
    end.abort();
    await Promise.all(asking);
  };
}

interface Question {
  readonly what: Answer['what'];
  readonly host: Host;
}

async function askAgain(
  end: AbortSignal,
  history: History,
  { what, host }: Question,
  ask: () => Promise<string | undefined>,
): Promise<void> {
  while (!end.aborted) {
    const startedMs = performance.now();
    const answer = { what, host: host.name, startedMs };
    try {
      const wrong = await ask();
      const outcome = wrong === undefined ? 'right' : 'wrong';
      history.answered({ ...answer, endedMs: performance.now(), outcome, detail: wrong ?? '' });
    } catch (error) {
      const { name, code } = error as { readonly name?: string; readonly code?: string };
      const isSilence = NO_ANSWER.has(code ?? name ?? '');
      history.answered({
        ...answer,
        endedMs: performance.now(),
        outcome: isSilence ? 'none' : 'wrong',
        detail: errorText(error),
      });
    }
    await sleep(PAUSE_MS);
  }
}

function lookUp(host: Host, { name, addresses }: AskOptions): () => Promise<string | undefined> {
  const resolver = new Resolver({ timeout: PATIENCE_MS, tries: 1 });
  resolver.setServers([host.address]);
  return async () => {
    const found = await resolver.resolve4(name);
    const strangers = found.filter((address) => !addresses().includes(address));
    return strangers.length === 0 ? undefined : `${name} is said to be at ${strangers.join()}`;
  };
}

function call(url: string): () => Promise<string | undefined> {
  return async () => {
    const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
    const text = await answer.text();
    return answer.ok ? undefined : `${url} was answered ${answer.status} ${text.slice(0, 200)}`;
  };
}
