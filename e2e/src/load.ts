/**
 * People who go on working while hosts burn: one after the other creates an app, scales it and deletes it again,
 * calls what runs, and writes down what was answered.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { History } from './history.ts';
import type { SchedulerClient } from './scheduler-client.ts';

/** A server that answers, as light as possible; the argument at its end says to hosts whose it is. */
export function webServer(id: string, instances: number): object {
  return {
    id,
    cmd: `exec python3 -m http.server "$PORT0" --directory /srv --bind 0.0.0.0 # ${id}`,
    cpus: 0.05,
    mem: 32,
    instances,
    portDefinitions: [{ port: 0 }],
    backoffSeconds: 1,
    maxLaunchDelaySeconds: 5,
  };
}

const PAUSE_MS = 100;
const CLIENTS = 4;
/** Names of one client, which come again, so that the cluster does not fill up. */
const NAMES = 6;

export interface Load {
  readonly history: History;
  /** Ends it; resolves when the last operation has its outcome. */
  stops(): Promise<void>;
}

/** Starts the load: each app is in the hands of one client, so that its history has an order. */
export function startLoad(clients: () => SchedulerClient): Load {
  const history = new History();
  const end = new AbortController();
  const clientsDone = Array.from({ length: CLIENTS }, async (_, index) => {
    const client = clients();
    for (let round = 0; !end.signal.aborted; round++) {
      const app = `/load/app-${index}-${round % NAMES}`;
      const steps: readonly (number | undefined)[] = [
        1,
        3,
        2,
        ...(round % 3 === 2 ? [] : [undefined]),
      ];
      for (const instances of steps) {
        if (end.signal.aborted) break;
        await change({ client, history, app, instances, end: end.signal });
        await sleep(PAUSE_MS);
      }
    }
  });
  return {
    history,
    async stops() {
      end.abort();
      await Promise.all(clientsDone);
    },
  };
}

interface Change {
  readonly client: SchedulerClient;
  readonly history: History;
  readonly app: string;
  readonly instances: number | undefined;
  readonly end: AbortSignal;
}

/** Repeats an operation until its outcome is known; each of them says where to get to, not how far to go. */
async function change({ client, history, app, instances, end }: Change): Promise<void> {
  for (;;) {
    const startedMs = performance.now();
    const { outcome, detail } =
      instances === undefined
        ? await client.changes('DELETE', `/v2/apps${app}?force=true`)
        : await client.changes('PUT', `/v2/apps${app}?force=true`, webServer(app, instances));
    // What was deleted by an attempt without an answer is not there any more.
    const isGone = instances === undefined && outcome === 'refused' && detail.startsWith('404');
    history.add({
      app,
      instances,
      startedMs,
      endedMs: performance.now(),
      outcome: isGone ? 'acknowledged' : outcome,
      detail,
    });
    if (isGone || outcome !== 'unknown' || end.aborted) return;
    await sleep(PAUSE_MS);
  }
}
