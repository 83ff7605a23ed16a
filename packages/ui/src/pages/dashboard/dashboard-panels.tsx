/** The smaller panels of the dashboard: services, tasks, failures, nodes. */
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { ReactElement } from 'react';
import type { ServicesView } from '../../api/queries.ts';
import type { MesosAgent } from '../../api/types.ts';
import { Chart } from '../../components/chart.tsx';
import { Age, Skeleton } from '../../components/feedback.tsx';
import { Ring } from '../../components/ring.tsx';
import type { RingPart } from '../../components/ring.tsx';
import { Badge, StatusBadge } from '../../components/status.tsx';
import { explainPlacement } from '../../model/explanation.ts';
import { nodeFigures } from '../../model/node-figures.ts';
import { coversLastMinute, failuresLastMinute, failuresPerSample } from '../../model/samples.ts';
import type { Sample } from '../../model/samples.ts';
import { healthVerdict, statusLabel, statusRank, statusTone } from '../../model/service-status.ts';
import type { ServiceStatus } from '../../model/service-status.ts';
import type { Service } from '../../model/service-tree.ts';

const WORST_SHOWN = 4;

export function ServicesPanel({ view }: { readonly view: ServicesView }): ReactElement {
  const worst = useMemo(
    () =>
      view.services
        .toSorted(
          (left, right) =>
            severity(left) - severity(right) || left.app.id.localeCompare(right.app.id, 'en'),
        )
        .slice(0, WORST_SHOWN),
    [view.services],
  );
  return (
    <section className="panel span-8 span-wide" aria-labelledby="services-title">
      <div className="panel-head">
        <h2 id="services-title">Services health</h2>
        <Link to="/services" className="more-link">
          All {view.services.length} services
        </Link>
      </div>
      <div className="panel-body services-health">
        <StatusRing services={view.services} />
        {view.isPending ? <Skeleton width="100%" height={150} /> : null}
        {!view.isPending && worst.length === 0 ? (
          <div>
            <p className="muted">Nothing runs here yet.</p>
            <p>
              <Link to="/create">Run the first service</Link>
            </p>
          </div>
        ) : null}
        {worst.length === 0 ? null : (
          <ul className="worst">
            {worst.map((service) => (
              <WorstRow key={service.app.id} service={service} view={view} />
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}

/** Unhealthy services rank right behind those that are stuck. */
function severity(service: Service): number {
  return healthVerdict(service.app) === 'unhealthy'
    ? Math.min(1.5, statusRank(service.status))
    : statusRank(service.status);
}

interface WorstRowProps {
  readonly service: Service;
  readonly view: ServicesView;
}

function WorstRow({ service, view }: WorstRowProps): ReactElement {
  const { app, status } = service;
  const entry = view.queueById.get(app.id);
  const reason =
    entry === undefined || status !== 'waiting'
      ? undefined
      : explainPlacement(entry, app).reasons[0]?.text;
  const unhealthy = app.tasksUnhealthy ?? 0;
  return (
    <li>
      <Link to="/services/detail/$appId" params={{ appId: app.id }} className="truncate">
        {app.id}
      </Link>
      {unhealthy > 0 && status === 'running' ? (
        <Badge tone="bad" text={`${unhealthy} unhealthy`} />
      ) : (
        <StatusBadge status={status} />
      )}
      {reason === undefined ? null : <span className="why">{reason}</span>}
    </li>
  );
}

const RING_ORDER: readonly ServiceStatus[] = [
  'running',
  'deploying',
  'recovering',
  'waiting',
  'delayed',
  'suspended',
  'deleting',
];

function StatusRing({ services }: { readonly services: readonly Service[] }): ReactElement {
  const counts = RING_ORDER.map((status) => ({
    status,
    count: services.filter((service) => service.status === status).length,
  }));
  const parts: readonly RingPart[] = counts.map(({ status, count }) => ({
    label: statusLabel(status),
    value: count,
    tone: statusTone(status),
  }));
  const shown = counts.filter(({ status, count }) => count > 0 || status === 'running');
  return (
    <div className="ring-wrap">
      <Ring
        label="Services by status"
        parts={parts}
        caption={services.length === 1 ? 'service' : 'services'}
      />
      <div className="ring-legend">
        {shown.map(({ status, count }) => (
          <Link key={status} to="/services" search={{ q: `is:${status}` }}>
            <span className="num">{count}</span>
            <Badge tone={statusTone(status)} text={statusLabel(status)} />
          </Link>
        ))}
      </div>
    </div>
  );
}

export interface TasksPanelProps {
  readonly agents: readonly MesosAgent[];
  readonly series: readonly Sample[];
  readonly services: readonly Service[];
}

export function TasksPanel({ agents, services }: TasksPanelProps): ReactElement {
  const sum = (
    names: readonly ('TASK_RUNNING' | 'TASK_STAGING' | 'TASK_STARTING' | 'TASK_KILLING')[],
  ): number =>
    agents.reduce(
      (all, agent) => all + names.reduce((own, name) => own + (agent[name] ?? 0), 0),
      0,
    );
  const unhealthy = services.reduce((all, { app }) => all + (app.tasksUnhealthy ?? 0), 0);
  const running = sum(['TASK_RUNNING']);
  const parts: readonly RingPart[] = [
    { label: 'Running', value: Math.max(0, running - unhealthy), tone: 'good' },
    { label: 'Staged', value: sum(['TASK_STAGING', 'TASK_STARTING']), tone: 'busy' },
    { label: 'Unhealthy', value: Math.min(unhealthy, running), tone: 'bad' },
    { label: 'Stopping', value: sum(['TASK_KILLING']), tone: 'idle' },
  ];
  return (
    <section className="panel span-4 span-half" aria-labelledby="tasks-title">
      <div className="panel-head">
        <h2 id="tasks-title">Tasks</h2>
      </div>
      <div className="panel-body" style={{ minHeight: 204, display: 'grid', alignItems: 'center' }}>
        <div className="ring-wrap">
          <Ring label="Tasks" parts={parts} caption="active" />
          <div className="ring-legend">
            {parts.map((part) => (
              <span key={part.label} className="legend-item">
                <span className="num">{part.value}</span>
                <Badge tone={part.tone} text={part.label} />
              </span>
            ))}
          </div>
        </div>
      </div>
    </section>
  );
}

export interface FailurePanelProps {
  readonly series: readonly Sample[];
  readonly services: readonly Service[];
}

export function FailurePanel({ series, services }: FailurePanelProps): ReactElement {
  const times = useMemo(() => series.map((sample) => sample.timeMs), [series]);
  const values = useMemo(() => failuresPerSample(series), [series]);
  const latest = services
    .flatMap(({ app }) => (app.lastTaskFailure === undefined ? [] : [app.lastTaskFailure]))
    .toSorted((left, right) => right.timestamp.localeCompare(left.timestamp))[0];
  return (
    <section className="panel span-8 span-wide" aria-labelledby="failures-title">
      <div className="panel-head">
        <h2 id="failures-title">Task failure rate</h2>
        <span className="stat-note truncate in-text">
          {latest === undefined ? (
            'No task has failed'
          ) : (
            <>
              last:{' '}
              <Link
                to="/services/detail/$appId"
                params={{ appId: latest.appId }}
                search={{ tab: 'debug' }}
              >
                {latest.appId}
              </Link>{' '}
              <Age timeMs={Date.parse(latest.timestamp)} />
            </>
          )}
        </span>
      </div>
      <div className="panel-body">
        <p className="stat">
          <span className="stat-value">{failuresLastMinute(series)}</span>
          <span className="stat-unit">
            {coversLastMinute(series) ? 'in the last minute' : 'since you opened this page'}
          </span>
        </p>
        <Chart
          label="Task failures"
          timesMs={times}
          values={values}
          color="--chart-fail"
          unit=""
          isBars
        />
      </div>
    </section>
  );
}

export function NodesPanel({ agents }: { readonly agents: readonly MesosAgent[] }): ReactElement {
  const figures = agents.map(nodeFigures);
  const active = figures.filter((node) => node.status === 'active').length;
  const rows: readonly (readonly [string, number])[] = [
    ['private', figures.filter((node) => !node.isPublic).length],
    ['public', figures.filter((node) => node.isPublic).length],
    ['not active', figures.length - active],
  ];
  const fullest = figures.toSorted((left, right) => right.cpus.percent - left.cpus.percent)[0];
  return (
    <section className="panel span-4 span-half" aria-labelledby="nodes-title">
      <div className="panel-head">
        <h2 id="nodes-title">Nodes</h2>
        <Link to="/nodes" className="more-link">
          All nodes
        </Link>
      </div>
      <div className="panel-body">
        <p className="stat">
          <span className="stat-value">{active}</span>
          <span className="stat-unit">connected</span>
        </p>
        <dl className="facts" style={{ marginTop: 14, gap: '7px 24px' }}>
          {rows.map(([label, count]) => (
            <div key={label} style={{ display: 'contents' }}>
              <dt>{label}</dt>
              <dd className="num">{count}</dd>
            </div>
          ))}
          <dt>fullest</dt>
          <dd>
            {fullest === undefined
              ? '–'
              : `${fullest.hostname}, ${Math.round(fullest.cpus.percent)}% CPU`}
          </dd>
        </dl>
      </div>
    </section>
  );
}
