/** What the box's tests and benchmarks do through the public addresses of a running box. */

import { readdirSync, readFileSync } from 'node:fs';
import { Resolver } from 'node:dns/promises';
import { waitFor, type BoxProcess } from '@dcos/testkit';

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

export interface AppTask {
  readonly id: string;
  readonly host: string;
  readonly ports: readonly number[];
  readonly state: string;
  readonly version: string;
  readonly startedAt?: string;
  readonly healthCheckResults?: readonly { readonly alive: boolean }[];
}

export interface App {
  readonly id: string;
  readonly cmd?: string;
  readonly instances: number;
  readonly version: string;
  readonly tasksRunning: number;
  readonly tasksHealthy: number;
  readonly tasks: readonly AppTask[];
  readonly deployments: readonly { readonly id: string }[];
  readonly lastTaskFailure?: {
    readonly state: string;
    readonly taskId: string;
    readonly message: string;
  };
}

export interface QueueRow {
  readonly app: { readonly id: string };
  readonly count: number;
  readonly explanation?: {
    readonly summary: string;
    readonly offersProcessed: number;
    readonly reasons: readonly {
      readonly reason: string;
      readonly what: string;
      readonly declined: number;
    }[];
  };
}

export interface BoxClient {
  readonly url: string;
  call<T>(method: string, path: string, body?: unknown): Promise<Answer<T>>;
  marathon<T>(method: string, path: string, body?: unknown): Promise<Answer<T>>;
  app(id: string): Promise<App>;
  /** Waits until that many instances run (and are healthy, when the app has checks) and nothing deploys. */
  running(id: string, instances: number): Promise<App>;
  queue(id: string): Promise<QueueRow | undefined>;
  resolver(): Resolver;
}

/** A client of one running box. */
export function boxClient(box: Pick<BoxProcess, 'ready'>): BoxClient {
  const { url, dns } = box.ready;
  async function call<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const response = await fetch(url + path, {
      method,
      ...(body === undefined
        ? {}
        : {
            body: typeof body === 'string' ? body : JSON.stringify(body),
            headers: { 'content-type': 'application/json' },
          }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return {
      status: response.status,
      body: (isJson && text !== '' ? JSON.parse(text) : text) as T,
    };
  }
  const marathon = <T>(method: string, path: string, body?: unknown): Promise<Answer<T>> =>
    call<T>(method, `/service/marathon/v2${path}`, body);
  async function app(id: string): Promise<App> {
    const answer = await marathon<{ readonly app: App }>('GET', `/apps/${id}`);
    if (answer.status !== 200)
      throw new Error(`GET ${id}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body.app;
  }
  return {
    url,
    call,
    marathon,
    app,
    running: (id, instances) =>
      waitFor(`${instances} running instances of ${id}`, async () => {
        const now = await app(id);
        const running = now.tasks.filter((task) => task.state === 'TASK_RUNNING').length;
        const settled = now.deployments.length === 0 && now.tasks.length === instances;
        if (settled && running === instances) return now;
        // Shown when time runs out.
        const states = now.tasks.map((task) => `${task.id} ${task.state}`).join(', ');
        throw new Error(`${now.deployments.length} deployments; ${states}`);
      }),
    async queue(id) {
      const answer = await marathon<{ readonly queue: readonly QueueRow[] }>(
        'GET',
        '/queue?embed=lastUnusedOffers',
      );
      return answer.body.queue.find((row) => row.app.id === `/${id}`);
    },
    resolver() {
      const resolver = new Resolver({ timeout: 2000, tries: 2 });
      resolver.setServers([dns]);
      return resolver;
    },
  };
}

/** The processes that carry this task id in their environment, by pid. */
export function processesOfTask(taskId: string): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const environment = readFileSync(`/proc/${entry}/environ`, 'utf8');
      if (!environment.split('\0').includes(`MESOS_TASK_ID=${taskId}`)) continue;
      found.set(
        Number(entry),
        readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ').trim(),
      );
    } catch (error) {
      // Processes come and go, and some are not ours to look at.
      if (!isGone(error)) throw error;
    }
  }
  return found;
}

function isGone(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM';
}

/** A server that answers with its version, and goes on answering for a while after SIGTERM, as services do. */
export function serverCommand(version: string, drainMs = 1500): string {
  const script = [
    `const server = require('http').createServer((request, response) => response.end('${version}'));`,
    `server.listen(Number(process.env.PORT0), process.env.HOST);`,
    `process.on('SIGTERM', () => setTimeout(() => process.exit(0), ${drainMs}));`,
  ].join(' ');
  return `exec '${process.execPath}' -e "${script}"`;
}
