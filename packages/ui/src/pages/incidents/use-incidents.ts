/** The incidents of the cluster, page by page, read again when the master tells of a change. */
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query';
import { useEffect } from 'react';
import { requestJson } from '../../api/http.ts';
import { incidentQuery } from '../../model/incident.ts';
import type { IncidentPage } from '../../model/incident.ts';

const PATH = '/system/v1/incidents';
const KEY = ['incidents'] as const;
const SAFETY_REFRESH_MS = 60_000;

export function useIncidents(
  period: string | undefined,
): UseInfiniteQueryResult<InfiniteData<IncidentPage>> {
  useIncidentStream();
  return useInfiniteQuery({
    queryKey: [...KEY, period],
    queryFn: ({ pageParam, signal }) =>
      requestJson<IncidentPage>(`${PATH}?${incidentQuery(period, pageParam, Date.now())}`, {
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next,
    refetchInterval: SAFETY_REFRESH_MS,
  });
}

/** Follows the changes while the page is in sight; a hidden tab gives its stream back. */
function useIncidentStream(): void {
  const client = useQueryClient();
  useEffect(() => {
    let source: EventSource | undefined;
    const refresh = (): void => void client.invalidateQueries({ queryKey: KEY });
    const follow = (): void => {
      source?.close();
      source = undefined;
      if (document.visibilityState !== 'visible') return;
      source = new EventSource(PATH);
      source.addEventListener('incident', refresh);
      // What happened while there was no stream.
      source.addEventListener('open', refresh);
    };
    document.addEventListener('visibilitychange', follow);
    follow();
    return () => {
      document.removeEventListener('visibilitychange', follow);
      source?.close();
    };
  }, [client]);
}
