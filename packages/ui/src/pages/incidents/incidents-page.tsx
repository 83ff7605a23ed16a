/** What failed and what came back, newest first: who, when, for how long, and which tasks it cost. */
import { Link, useSearch } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { PageFrame } from '../../app/page-frame.tsx';
import { Button } from '../../components/button.tsx';
import { Age, EmptyState, ErrorState, LoadingRows } from '../../components/feedback.tsx';
import { Icon } from '../../components/icon.tsx';
import type { IconName } from '../../components/icon.tsx';
import { countOf } from '../../model/format.ts';
import {
  INCIDENT_PERIODS,
  incidentState,
  incidentTime,
  incidentTone,
  unlistedTasks,
} from '../../model/incident.ts';
import type { Incident } from '../../model/incident.ts';
import type { Tone } from '../../model/service-status.ts';
import { useIncidents } from './use-incidents.ts';

export function IncidentsPage(): ReactElement {
  const { period } = useSearch({ from: '/incidents' });
  const { data, isPending, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } =
    useIncidents(period);
  const incidents = data?.pages.flatMap((page) => page.incidents) ?? [];
  return (
    <PageFrame
      title="Incidents"
      tabs={INCIDENT_PERIODS.map(({ id, label }) => (
        <Link
          key={label}
          to="/incidents"
          search={id === undefined ? {} : { period: id }}
          replace
          activeOptions={{ exact: true, includeSearch: true }}
          className="tab"
          aria-current={id === period ? 'page' : undefined}
        >
          {label}
        </Link>
      ))}
    >
      {isPending ? <LoadingRows rows={4} label="Incidents" /> : null}
      {data === undefined && error !== null ? (
        <ErrorState what="Incidents" error={error} onRetry={() => void refetch()} />
      ) : null}
      {data !== undefined && incidents.length === 0 ? (
        <div className="panel">
          <EmptyState title="Nothing was lost">
            When a node, a scheduler or the leading master fails, it says here what happened, for
            how long, and which tasks it cost.
          </EmptyState>
        </div>
      ) : null}
      <ol className="grid" aria-label="Incidents">
        {incidents.map((incident) => (
          <IncidentCard key={incident.id} incident={incident} />
        ))}
      </ol>
      {hasNextPage ? (
        <p className="incidents-more">
          <Button isDisabled={isFetchingNextPage} onPress={() => void fetchNextPage()}>
            Show older
          </Button>
        </p>
      ) : null}
    </PageFrame>
  );
}

const ICONS: Readonly<Record<Tone, IconName>> = {
  bad: 'error',
  busy: 'clock',
  warn: 'warning',
  good: 'check',
  idle: 'info',
};

function IncidentCard({ incident }: { readonly incident: Incident }): ReactElement {
  const tone = incidentTone(incident);
  return (
    <li className="panel incident" data-tone={tone}>
      <span className="incident-mark">
        <Icon name={ICONS[tone]} />
      </span>
      <div className="incident-body">
        <h2>{incident.summary}</h2>
        <p className="td-sub">
          {incidentState(incident)}. {incidentTime(incident)} (
          <Age timeMs={Date.parse(incident.started_at)} />)
        </p>
        {incident.kind.startsWith('AGENT') ? (
          <Link
            to="/nodes/$agentId"
            params={{ agentId: incident.subject.id }}
            className="more-link"
          >
            Node {incident.subject.name}
          </Link>
        ) : null}
        {incident.tasks.length === 0 ? null : <AffectedTasks incident={incident} />}
      </div>
    </li>
  );
}

function AffectedTasks({ incident }: { readonly incident: Incident }): ReactElement {
  const unlisted = unlistedTasks(incident);
  return (
    <details className="incident-tasks">
      <summary>{countOf(incident.tasks_affected, 'affected task')}</summary>
      <ul>
        {incident.tasks.map(({ id, framework_id, state }) => (
          <li key={`${framework_id} ${id}`}>
            <span className="mono">{id}</span> <span className="muted">{state}</span>
          </li>
        ))}
        {unlisted === 0 ? null : <li className="muted">and {unlisted} more</li>}
      </ul>
    </details>
  );
}
