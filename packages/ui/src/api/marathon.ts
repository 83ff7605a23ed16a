/** Marathon's HTTP API as the console uses it, below the router's `/service/marathon`. */
import type { JsonObject } from '@dcos/base';
import { ApiError, requestJson } from './http.ts';
import type { App, AppDefinition, Deployment, QueueEntry } from './types.ts';

/** Where the router mounts Marathon. */
export const MARATHON = '/service/marathon';

const EMBEDS = [
  'apps.tasks',
  'apps.counts',
  'apps.deployments',
  'apps.lastTaskFailure',
  'apps.taskStats',
];

function embedQuery(names: readonly string[]): string {
  return names.map((name) => `embed=${name}`).join('&');
}

/** Path of an app below `/v2/apps`: segments encoded, slashes kept. */
export function appPath(appId: string): string {
  const segments = appId.split('/').filter((segment) => segment !== '');
  return `${MARATHON}/v2/apps/${segments.map(encodeURIComponent).join('/')}`;
}

export interface ForceOption {
  /** Overrides the lock of a running deployment. */
  readonly force?: boolean;
}

export interface DeploymentAnswer {
  readonly version: string;
  readonly deploymentId: string;
}

/** All apps with tasks, counts, deployments, last failure and statistics. */
export async function listApps(signal?: AbortSignal): Promise<readonly App[]> {
  const answer = await requestJson<{ apps: readonly App[] }>(
    `${MARATHON}/v2/apps?${embedQuery(EMBEDS)}`,
    withSignal(signal),
  );
  return answer.apps;
}

/** One app with the same embeds, or undefined when it does not exist (any more). */
export async function findApp(appId: string, signal?: AbortSignal): Promise<App | undefined> {
  const names = EMBEDS.map((name) => name.replace('apps.', 'app.'));
  try {
    const answer = await requestJson<{ app: App }>(
      `${appPath(appId)}?${embedQuery(names)}`,
      withSignal(signal),
    );
    return answer.app;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

export async function listDeployments(signal?: AbortSignal): Promise<readonly Deployment[]> {
  return await requestJson(`${MARATHON}/v2/deployments`, withSignal(signal));
}

/** Waiting services with the reasons for which offers were refused. */
export async function listQueue(signal?: AbortSignal): Promise<readonly QueueEntry[]> {
  const answer = await requestJson<{ queue: readonly QueueEntry[] }>(
    `${MARATHON}/v2/queue?embed=lastUnusedOffers`,
    withSignal(signal),
  );
  return answer.queue;
}

/** Versions of an app, newest first. */
export async function listVersions(
  appId: string,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const answer = await requestJson<{ versions: readonly string[] }>(
    `${appPath(appId)}/versions`,
    withSignal(signal),
  );
  return answer.versions;
}

export async function readVersion(
  appId: string,
  version: string,
  signal?: AbortSignal,
): Promise<AppDefinition> {
  return await requestJson(
    `${appPath(appId)}/versions/${encodeURIComponent(version)}`,
    withSignal(signal),
  );
}

export async function createApp(definition: JsonObject): Promise<App> {
  return await requestJson(`${MARATHON}/v2/apps`, { method: 'POST', body: definition });
}

/** Replaces the whole definition: members that are absent go back to their defaults. */
export async function replaceApp(
  appId: string,
  definition: JsonObject,
  options: ForceOption = {},
): Promise<DeploymentAnswer> {
  return await requestJson(`${appPath(appId)}${query({ ...options, partialUpdate: false })}`, {
    method: 'PUT',
    body: definition,
  });
}

/** Changes the given members only. */
export async function updateApp(
  appId: string,
  change: JsonObject,
  options: ForceOption = {},
): Promise<DeploymentAnswer> {
  return await requestJson(`${appPath(appId)}${query({ ...options })}`, {
    method: 'PUT',
    body: change,
  });
}

export async function deleteApp(
  appId: string,
  options: ForceOption = {},
): Promise<DeploymentAnswer> {
  return await requestJson(`${appPath(appId)}${query({ ...options })}`, { method: 'DELETE' });
}

export async function restartApp(
  appId: string,
  options: ForceOption = {},
): Promise<DeploymentAnswer> {
  return await requestJson(`${appPath(appId)}/restart${query({ ...options })}`, { method: 'POST' });
}

export interface KillOptions extends ForceOption {
  /** Lowers the instance count by the number killed. */
  readonly scale?: boolean;
}

/** Kills tasks by id; without `scale` they are started again. */
export async function killTasks(
  taskIds: readonly string[],
  options: KillOptions = {},
): Promise<void> {
  await requestJson(`${MARATHON}/v2/tasks/delete${query({ ...options })}`, {
    method: 'POST',
    body: { ids: taskIds },
  });
}

/** Lets the launch queue try at once instead of waiting out the backoff. */
export async function resetDelay(appId: string): Promise<void> {
  const segments = appId.split('/').filter((segment) => segment !== '');
  await requestJson(`${MARATHON}/v2/queue/${segments.map(encodeURIComponent).join('/')}/delay`, {
    method: 'DELETE',
  });
}

/** Starts a deployment that undoes this one; with `force` only stops it where it stands. */
export async function cancelDeployment(id: string, options: ForceOption = {}): Promise<void> {
  await requestJson(
    `${MARATHON}/v2/deployments/${encodeURIComponent(id)}${query({ ...options })}`,
    {
      method: 'DELETE',
    },
  );
}

export interface MarathonInfo {
  readonly name: string;
  readonly version: string;
  readonly frameworkId?: string | null;
  readonly leader?: string;
}

export async function readInfo(signal?: AbortSignal): Promise<MarathonInfo> {
  return await requestJson(`${MARATHON}/v2/info`, withSignal(signal));
}

function query(parameters: Readonly<Record<string, boolean | undefined>>): string {
  const entries = Object.entries(parameters).filter(([, value]) => value !== undefined);
  if (entries.length === 0) return '';
  return `?${entries.map(([name, value]) => `${name}=${String(value)}`).join('&')}`;
}

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
