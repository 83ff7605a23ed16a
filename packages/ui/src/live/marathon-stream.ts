/**
 * Follows Marathon's event stream and refreshes what the events make stale: single apps when few
 * changed, the list when apps came or went or many changed at once. Events are gathered for a short
 * moment, so that a burst costs one round of requests; a change is on the screen well within 500 ms.
 */
import type { JsonValue } from '@dcos/base';
import type { QueryClient } from '@tanstack/react-query';
import { findApp, MARATHON } from '../api/marathon.ts';
import { queryKeys } from '../api/queries.ts';
import type { App } from '../api/types.ts';
import {
  MARATHON_EVENT_TYPES,
  mergeStaleness,
  NOTHING_STALE,
  stalenessOf,
} from '../model/marathon-events.ts';
import type { Staleness } from '../model/marathon-events.ts';
import { setStream } from './connection.ts';
import { pause, retryDelayMs } from './stream-retry.ts';

/** Events that arrive within this time are handled together, in milliseconds. */
const GATHER_MS = 80;
/** Above this number of changed apps the whole list is read instead of each. */
const SINGLE_READS_MAX = 12;

/** Keeps the stream open until the signal fires. */
export async function followMarathon(client: QueryClient, signal: AbortSignal): Promise<void> {
  const refresher = createRefresher(client, signal);
  let attempt = 0;
  while (!signal.aborted) {
    setStream('marathon', 'connecting');
    const opened = await readStream(refresher, client, signal);
    if (signal.aborted) break;
    setStream('marathon', 'lost');
    attempt = opened ? 0 : attempt + 1;
    await pause(retryDelayMs(attempt), signal);
  }
  setStream('marathon', 'paused');
}

/** Resolves when the stream ends, with whether it had been open. */
function readStream(
  refresher: (staleness: Staleness) => void,
  client: QueryClient,
  signal: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve) => {
    const source = new EventSource(`${MARATHON}/v2/events`);
    let opened = false;
    const finish = (): void => {
      source.close();
      signal.removeEventListener('abort', finish);
      resolve(opened);
    };
    signal.addEventListener('abort', finish);
    source.addEventListener('open', () => {
      opened = true;
      setStream('marathon', 'open');
      for (const key of [queryKeys.apps, queryKeys.deployments, queryKeys.queue]) {
        void client.invalidateQueries({ queryKey: key });
      }
    });
    source.addEventListener('error', finish);
    for (const type of MARATHON_EVENT_TYPES) {
      source.addEventListener(type, (event) => refresher(stalenessOfMessage(type, event)));
    }
  });
}

function stalenessOfMessage(type: string, event: Event): Staleness {
  if (!(event instanceof MessageEvent) || typeof event.data !== 'string') return NOTHING_STALE;
  try {
    return stalenessOf(type, JSON.parse(event.data) as JsonValue);
  } catch {
    // An event that cannot be read still says that something changed.
    return { appIds: [], appList: true, deployments: true, queue: true };
  }
}

function createRefresher(client: QueryClient, signal: AbortSignal): (staleness: Staleness) => void {
  let gathered = NOTHING_STALE;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (staleness) => {
    gathered = mergeStaleness(gathered, staleness);
    timer ??= setTimeout(() => {
      timer = undefined;
      const batch = gathered;
      gathered = NOTHING_STALE;
      if (!signal.aborted) refresh(client, batch);
    }, GATHER_MS);
  };
}

function refresh(client: QueryClient, stale: Staleness): void {
  if (stale.deployments) void client.invalidateQueries({ queryKey: queryKeys.deployments });
  if (stale.queue) void client.invalidateQueries({ queryKey: queryKeys.queue });
  if (stale.appList || stale.appIds.length > SINGLE_READS_MAX) {
    void client.invalidateQueries({ queryKey: queryKeys.apps });
  } else {
    for (const id of stale.appIds) void refreshApp(client, id);
  }
  for (const id of stale.appIds)
    void client.invalidateQueries({ queryKey: queryKeys.versions(id) });
}

async function refreshApp(client: QueryClient, appId: string): Promise<void> {
  try {
    const app = await findApp(appId);
    client.setQueryData<readonly App[]>(queryKeys.apps, (apps) => replaceApp(apps, appId, app));
  } catch {
    // The single read failed: the list is the second way to the same facts, and shows the error.
    await client.invalidateQueries({ queryKey: queryKeys.apps });
  }
}

/** The list with one app replaced, added or removed. */
function replaceApp(
  apps: readonly App[] | undefined,
  appId: string,
  app: App | undefined,
): readonly App[] | undefined {
  if (apps === undefined) return undefined;
  if (app === undefined) return apps.filter((entry) => entry.id !== appId);
  return apps.some((entry) => entry.id === appId)
    ? apps.map((entry) => (entry.id === appId ? app : entry))
    : [...apps, app];
}
