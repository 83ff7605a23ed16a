/** The dashboard: what the cluster gives, what runs on it, and what needs a look first. */
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { ReactElement } from 'react';
import { PageFrame } from '../../app/page-frame.tsx';
import { useServices, useStateSummary } from '../../api/queries.ts';
import type { MesosAgent } from '../../api/types.ts';
import { Chart } from '../../components/chart.tsx';
import { ClusterMap } from '../../components/cluster-map.tsx';
import type { MapResource } from '../../components/cluster-map.tsx';
import { ErrorState } from '../../components/feedback.tsx';
import { Segments } from '../../components/segments.tsx';
import { samples } from '../../live/sampler.ts';
import { useStore } from '../../live/store.ts';
import { formatMebibytes, formatNumber, percentOf } from '../../model/format.ts';
import type { Sample } from '../../model/samples.ts';
import { FailurePanel, NodesPanel, ServicesPanel, TasksPanel } from './dashboard-panels.tsx';

export function DashboardPage(): ReactElement {
  const summary = useStateSummary();
  const view = useServices();
  const series = useStore(samples);
  const agents = summary.data?.slaves ?? [];
  const [resource, setResource] = useState<MapResource>('cpus');
  if (summary.data === undefined && summary.error !== null) {
    return (
      <PageFrame title="Dashboard">
        <ErrorState
          what="The cluster"
          error={summary.error}
          onRetry={() => void summary.refetch()}
        />
      </PageFrame>
    );
  }
  return (
    <PageFrame
      title="Dashboard"
      actions={
        <Link to="/create" className="button" data-variant="primary">
          Run a service
        </Link>
      }
    >
      <div className="grid dashboard">
        <AllocationPanel kind="cpus" agents={agents} series={series} />
        <AllocationPanel kind="mem" agents={agents} series={series} />
        <AllocationPanel kind="disk" agents={agents} series={series} />
        <ServicesPanel view={view} />
        <TasksPanel agents={agents} series={series} services={view.services} />
        <FailurePanel series={series} services={view.services} />
        <NodesPanel agents={agents} />
        <section className="panel span-12" aria-labelledby="map-title">
          <div className="panel-head">
            <h2 id="map-title">Cluster map</h2>
            <Segments
              label="Resource of the map"
              value={resource}
              options={[
                { value: 'cpus', label: 'CPU' },
                { value: 'mem', label: 'Memory' },
              ]}
              onChange={setResource}
            />
          </div>
          <div className="panel-body">
            {agents.length === 0 ? (
              <p className="muted">No node has joined the cluster yet.</p>
            ) : (
              <ClusterMap agents={agents} resource={resource} />
            )}
          </div>
        </section>
      </div>
    </PageFrame>
  );
}

type AllocationKind = 'cpus' | 'mem' | 'disk';

const ALLOCATION: Readonly<
  Record<
    AllocationKind,
    {
      title: string;
      color: string;
      percent: (sample: Sample) => number;
      text: (amount: number) => string;
      unit: string;
    }
  >
> = {
  cpus: {
    title: 'CPU allocation',
    color: '--chart-cpu',
    percent: (sample) => sample.cpusPercent,
    text: formatNumber,
    unit: 'shares',
  },
  mem: {
    title: 'Memory allocation',
    color: '--chart-mem',
    percent: (sample) => sample.memPercent,
    text: formatMebibytes,
    unit: '',
  },
  disk: {
    title: 'Disk allocation',
    color: '--chart-disk',
    percent: (sample) => sample.diskPercent,
    text: formatMebibytes,
    unit: '',
  },
};

interface AllocationPanelProps {
  readonly kind: AllocationKind;
  readonly agents: readonly MesosAgent[];
  readonly series: readonly Sample[];
}

function AllocationPanel({ kind, agents, series }: AllocationPanelProps): ReactElement {
  const { title, color, percent, text, unit } = ALLOCATION[kind];
  const used = agents.reduce((sum, agent) => sum + agent.used_resources[kind], 0);
  const total = agents.reduce((sum, agent) => sum + agent.resources[kind], 0);
  const times = useMemo(() => series.map((sample) => sample.timeMs), [series]);
  const values = useMemo(() => series.map(percent), [series, percent]);
  return (
    <section className="panel span-4" aria-labelledby={`${kind}-title`}>
      <div className="panel-head">
        <h2 id={`${kind}-title`}>{title}</h2>
      </div>
      <div className="panel-body">
        <p className="stat">
          <span className="stat-value">{Math.round(percentOf(used, total))}</span>
          <span className="stat-unit">%</span>
          <span className="stat-note num truncate">
            {text(used)} of {text(total)} {unit}
          </span>
        </p>
        <Chart label={title} timesMs={times} values={values} color={color} max={100} unit="%" />
      </div>
    </section>
  );
}
