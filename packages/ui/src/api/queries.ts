/**
 * The console's queries. Data is refreshed by the event streams; the intervals here are a slow
 * safety net, and the launch queue is the one exception: refusals have no events, so while something
 * waits its (small) list is read every few seconds.
 */
import { QueryClient, useQuery } from '@tanstack/react-query';
import type { UseQueryResult } from '@tanstack/react-query';
import { useMemo } from 'react';
import { deriveStatus } from '../model/service-status.ts';
import type { Service } from '../model/service-tree.ts';
import {
  listApps,
  listDeployments,
  listQueue,
  listVersions,
  readInfo,
  readVersion,
} from './marathon.ts';
import {
  readClusterMetadata,
  readFaults,
  readMesosVersion,
  readProductVersion,
  readStateSummary,
} from './mesos.ts';
import { ApiError } from './http.ts';
import type { App, AppDefinition, Deployment, QueueEntry, StateSummary } from './types.ts';

const SAFETY_REFRESH_MS = 60_000;
const QUEUE_REFRESH_MS = 3_000;
const FAULTS_REFRESH_MS = 3_000;
const RETRIES_MAX = 2;

export const queryKeys = {
  apps: ['apps'] as const,
  deployments: ['deployments'] as const,
  queue: ['queue'] as const,
  summary: ['summary'] as const,
  cluster: ['cluster'] as const,
  faults: ['faults'] as const,
  versions: (appId: string) => ['versions', appId] as const,
  version: (appId: string, version: string) => ['version', appId, version] as const,
};

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: Number.POSITIVE_INFINITY,
        refetchOnWindowFocus: false,
        retry: (failures, error) =>
          failures < RETRIES_MAX &&
          !(error instanceof ApiError && error.status >= 400 && error.status < 500),
        retryDelay: 400,
      },
    },
  });
}

export function useApps(): UseQueryResult<readonly App[]> {
  return useQuery({
    queryKey: queryKeys.apps,
    queryFn: ({ signal }) => listApps(signal),
    refetchInterval: SAFETY_REFRESH_MS,
  });
}

/** What is wrong with the cluster, for as long as somebody shows it; nothing when the router is gone too. */
export function useFaults(): readonly string[] {
  const { data, isError } = useQuery({
    queryKey: queryKeys.faults,
    queryFn: ({ signal }) => readFaults(signal),
    staleTime: 0,
    retry: false,
    refetchInterval: FAULTS_REFRESH_MS,
  });
  return isError ? [] : (data ?? []);
}

export function useDeployments(): UseQueryResult<readonly Deployment[]> {
  return useQuery({
    queryKey: queryKeys.deployments,
    queryFn: ({ signal }) => listDeployments(signal),
    refetchInterval: SAFETY_REFRESH_MS,
  });
}

export function useQueue(): UseQueryResult<readonly QueueEntry[]> {
  return useQuery({
    queryKey: queryKeys.queue,
    queryFn: ({ signal }) => listQueue(signal),
    refetchInterval: (query) =>
      (query.state.data?.length ?? 0) > 0 ? QUEUE_REFRESH_MS : SAFETY_REFRESH_MS,
  });
}

export function useStateSummary(): UseQueryResult<StateSummary> {
  return useQuery({
    queryKey: queryKeys.summary,
    queryFn: ({ signal }) => readStateSummary(signal),
    refetchInterval: SAFETY_REFRESH_MS,
  });
}

export function useVersions(appId: string): UseQueryResult<readonly string[]> {
  return useQuery({
    queryKey: queryKeys.versions(appId),
    queryFn: ({ signal }) => listVersions(appId, signal),
  });
}

export function useVersion(
  appId: string,
  version: string | undefined,
): UseQueryResult<AppDefinition> {
  return useQuery({
    queryKey: queryKeys.version(appId, version ?? ''),
    queryFn: ({ signal }) => readVersion(appId, version ?? '', signal),
    enabled: version !== undefined,
  });
}

export interface ClusterFacts {
  readonly clusterId: string | undefined;
  readonly productVersion: string | undefined;
  readonly mesosVersion: string | undefined;
  readonly marathonVersion: string | undefined;
  readonly frameworkId: string | undefined;
}

/** Names and versions of the cluster; each part may be missing. */
export function useClusterFacts(): ClusterFacts | undefined {
  const { data } = useQuery({ queryKey: queryKeys.cluster, queryFn: readFacts });
  return data;
}

async function readFacts(): Promise<ClusterFacts> {
  const [metadata, product, mesos, marathon] = await Promise.allSettled([
    readClusterMetadata(),
    readProductVersion(),
    readMesosVersion(),
    readInfo(),
  ]);
  const value = <T>(result: PromiseSettledResult<T>): T | undefined =>
    result.status === 'fulfilled' ? result.value : undefined;
  return {
    clusterId: value(metadata)?.CLUSTER_ID,
    productVersion: value(product)?.version,
    mesosVersion: value(mesos)?.version,
    marathonVersion: value(marathon)?.version,
    frameworkId: value(marathon)?.frameworkId ?? undefined,
  };
}

/** Everything the service views need, joined: apps with status, queue rows by app id. */
export interface ServicesView {
  readonly services: readonly Service[];
  readonly byId: ReadonlyMap<string, Service>;
  readonly queueById: ReadonlyMap<string, QueueEntry>;
  readonly deployments: readonly Deployment[];
  readonly isPending: boolean;
  readonly error: Error | null;
}

export function useServices(): ServicesView {
  const apps = useApps();
  const queue = useQueue();
  const deployments = useDeployments();
  return useMemo(() => {
    const queueById = new Map<string, QueueEntry>();
    for (const entry of queue.data ?? []) {
      const id = entry.app?.id ?? entry.pod?.id;
      if (id !== undefined) queueById.set(id, entry);
    }
    const running = deployments.data ?? [];
    const nowMs = Date.now();
    const services = (apps.data ?? []).map((app) => ({
      app,
      status: deriveStatus(app, {
        queueEntry: queueById.get(app.id),
        deployments: running,
        nowMs,
      }),
    }));
    return {
      services,
      byId: new Map(services.map((service) => [service.app.id, service])),
      queueById,
      deployments: running,
      // The queue carries the reasons for a wait: shown later, it would push the page down.
      isPending: apps.isPending || queue.isPending || deployments.isPending,
      error: apps.data === undefined ? apps.error : null,
    };
  }, [
    apps.data,
    apps.isPending,
    apps.error,
    queue.data,
    queue.isPending,
    deployments.data,
    deployments.isPending,
  ]);
}
