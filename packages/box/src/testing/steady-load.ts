/**
 * Clients that read and write all the time, through the router, and remember each answer that was not as it should be:
 * every write is another one, so that a lost one and one that was done twice both show.
 */

import { Agent, request, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** Between two requests of one client. */
const PAUSE_MS = 60;
/** How long an answer may take. */
const PATIENCE_MS = 60_000;

export interface SteadyLoad {
  /** Requests that have been answered as they should. */
  readonly answered: number;
  /** What was not, and when. */
  readonly failures: readonly string[];
  readonly slowestMs: number;
  /** Ids of apps that Marathon took, and changed afterwards. */
  readonly apps: readonly string[];
  /** Roles whose weight the master took. */
  readonly roles: readonly string[];
  /** Resolves when the last requests are answered. */
  stop(): Promise<void>;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
  readonly expected: number;
}

/** Begins to ask at the address of a router. */
export function startSteadyLoad(url: string): SteadyLoad {
  const agent = new Agent({ keepAlive: true });
  const apps: string[] = [];
  const roles: string[] = [];
  const failures: string[] = [];
  let answered = 0;
  let slowestMs = 0;
  const over = new AbortController();

  async function isAnswered({ method, path, body, expected }: Asked): Promise<boolean> {
    const beganMs = performance.now();
    let outcome: string;
    try {
      const { status, text } = await ask(url + path, { method, agent, body });
      outcome = status === expected ? '' : `${status}: ${text}`;
    } catch (error) {
      outcome = String(error);
    }
    const tookMs = performance.now() - beganMs;
    slowestMs = Math.max(slowestMs, tookMs);
    const when = new Date(Date.now() - tookMs).toISOString();
    if (outcome === '') answered += 1;
    else failures.push(`${when} ${method} ${path} after ${Math.round(tookMs)} ms: ${outcome}`);
    await sleep(PAUSE_MS);
    return outcome === '';
  }

  async function writeApps(client: string): Promise<void> {
    for (let count = 0; !over.signal.aborted; count++) {
      const id = `/${client}-${count}`;
      const app = { id, cmd: 'true', instances: 0 };
      const create = { method: 'POST', path: '/service/marathon/v2/apps', body: app };
      const change = {
        method: 'PUT',
        path: `/service/marathon/v2/apps${id}`,
        body: { labels: { changed: 'yes' } },
      };
      if (!(await isAnswered({ ...create, expected: 201 }))) continue;
      if (await isAnswered({ ...change, expected: 200 })) apps.push(id);
    }
  }

  async function writeWeights(): Promise<void> {
    for (let count = 0; !over.signal.aborted; count++) {
      const role = `r-${count}`;
      const body = [{ role, weight: 2 }];
      if (await isAnswered({ method: 'PUT', path: '/mesos/weights', body, expected: 200 }))
        roles.push(role);
    }
  }

  async function read(path: string): Promise<void> {
    while (!over.signal.aborted) await isAnswered({ method: 'GET', path, expected: 200 });
  }

  const clients = [
    writeApps('a'),
    writeApps('b'),
    writeWeights(),
    read('/mesos/master/state-summary'),
    read('/mesos/state'),
    read('/service/marathon/v2/info'),
  ];
  return {
    apps,
    roles,
    failures,
    get answered() {
      return answered;
    },
    get slowestMs() {
      return slowestMs;
    },
    async stop() {
      over.abort();
      await Promise.all(clients);
      agent.destroy();
    },
  };
}

async function ask(
  url: string,
  {
    method,
    agent,
    body,
  }: { readonly method: string; readonly agent: Agent; readonly body: object | undefined },
): Promise<{ readonly status: number; readonly text: string }> {
  const sent = body === undefined ? '' : JSON.stringify(body);
  const headers = {
    accept: 'application/json',
    ...(sent !== '' && {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(sent),
    }),
  };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request(url, { method, headers, agent }, resolve).on('error', reject);
    asked.setTimeout(PATIENCE_MS, () => asked.destroy(new Error('no answer in time')));
    asked.end(sent);
  });
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, text };
}
