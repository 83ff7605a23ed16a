/** One node: its load, the tasks on it, and what it is. */
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { ReactElement } from 'react';
import { PageFrame } from '../../app/page-frame.tsx';
import { useServices, useStateSummary } from '../../api/queries.ts';
import type { MesosAgent } from '../../api/types.ts';
import { DataTable } from '../../components/data-table.tsx';
import type { Column } from '../../components/data-table.tsx';
import {
  Age,
  CopyButton,
  EmptyState,
  ErrorState,
  LoadingRows,
} from '../../components/feedback.tsx';
import { Meter } from '../../components/meter.tsx';
import { Segments } from '../../components/segments.tsx';
import { Badge, TaskBadge } from '../../components/status.tsx';
import { clusterRevision, clusterState } from '../../live/mesos-stream.ts';
import { useStore } from '../../live/store.ts';
import { isActiveState } from '../../model/cluster-state.ts';
import type { ClusterTask } from '../../model/cluster-state.ts';
import { formatMebibytes, formatNumber, formatTimestamp, shortTaskId } from '../../model/format.ts';
import { nodeFigures } from '../../model/node-figures.ts';
import type { Amount } from '../../model/node-figures.ts';
import { appIdOfTask } from '../../model/task-names.ts';
import { NodeStatusBadge } from './nodes-page.tsx';

export function NodePage(): ReactElement {
  const { agentId } = useParams({ from: '/nodes/$agentId' });
  const { tab } = useSearch({ from: '/nodes/$agentId' });
  const summary = useStateSummary();
  const agent = summary.data?.slaves.find((candidate) => candidate.id === agentId);
  const isDetails = tab === 'details';
  const title = agent?.hostname ?? agentId;
  return (
    <PageFrame
      title={title}
      heading={
        <>
          <nav aria-label="Node" style={{ minWidth: 0 }}>
            <ol className="crumbs">
              <li>
                <Link to="/nodes">Nodes</Link>
              </li>
              <li>
                <span className="crumb-slash" aria-hidden="true">
                  /
                </span>
                <h1 className="truncate">{title}</h1>
              </li>
            </ol>
          </nav>
          {agent === undefined ? null : <NodeStatusBadge status={nodeFigures(agent).status} />}
        </>
      }
      tabs={[
        { id: undefined, label: 'Tasks' },
        { id: 'details', label: 'Details' },
      ].map(({ id, label }) => (
        <Link
          key={label}
          to="/nodes/$agentId"
          params={{ agentId }}
          search={id === undefined ? {} : { tab: id }}
          replace
          activeOptions={{ exact: true, includeSearch: true }}
          className="tab"
          aria-current={(id === 'details') === isDetails ? 'page' : undefined}
        >
          {label}
        </Link>
      ))}
    >
      {summary.isPending ? <LoadingRows rows={4} label="Node" /> : null}
      {summary.data === undefined && summary.error !== null ? (
        <ErrorState what="This node" error={summary.error} />
      ) : null}
      {summary.data !== undefined && agent === undefined ? (
        <EmptyState
          title="This node is not part of the cluster"
          actions={
            <Link to="/nodes" className="button">
              All nodes
            </Link>
          }
        >
          Its agent has left or never registered under the id <code>{agentId}</code>.
        </EmptyState>
      ) : null}
      {agent === undefined ? null : (
        <>
          <NodeHead agent={agent} />
          {isDetails ? <NodeDetails agent={agent} /> : <NodeTasks agentId={agent.id} />}
        </>
      )}
    </PageFrame>
  );
}

function NodeHead({ agent }: { readonly agent: MesosAgent }): ReactElement {
  const figures = nodeFigures(agent);
  const meters: readonly (readonly [string, Amount, string, (amount: number) => string])[] = [
    ['CPU', figures.cpus, 'var(--chart-cpu)', formatNumber],
    ['Memory', figures.mem, 'var(--chart-mem)', formatMebibytes],
    ['Disk', figures.disk, 'var(--chart-disk)', formatMebibytes],
  ];
  return (
    <section
      className="panel"
      aria-label="Load"
      style={{
        display: 'grid',
        gridTemplateColumns: 'repeat(3, minmax(0, 1fr))',
        gap: 32,
        padding: '14px 18px',
        marginBottom: 16,
      }}
    >
      {meters.map(([label, amount, color, text]) => (
        <div key={label}>
          <div style={{ display: 'flex', justifyContent: 'space-between', marginBottom: 4 }}>
            <strong>{label}</strong>
            <span className="muted num">
              {text(amount.used)} of {text(amount.total)}
            </span>
          </div>
          <Meter label={label} percent={amount.percent} color={color} />
        </div>
      ))}
    </section>
  );
}

function NodeTasks({ agentId }: { readonly agentId: string }): ReactElement {
  const revision = useStore(clusterRevision);
  const [kind, setKind] = useState<'active' | 'ended'>('active');
  const { byId } = useServices();
  const tasks = useMemo(() => {
    if (revision < 0) return [];
    return [...clusterState().tasks.values()]
      .filter(
        (task) => task.agentId === agentId && isActiveState(task.state) === (kind === 'active'),
      )
      .sort((left, right) => (right.updatedMs ?? 0) - (left.updatedMs ?? 0));
  }, [revision, agentId, kind]);
  const columns = useMemo(() => taskColumns((appId) => byId.has(appId)), [byId]);
  return (
    <>
      <div className="toolbar">
        <Segments
          label="Tasks"
          value={kind}
          options={[
            { value: 'active', label: 'Active' },
            { value: 'ended', label: 'Ended' },
          ]}
          onChange={setKind}
        />
      </div>
      <DataTable
        label="Tasks"
        columns={columns}
        rows={tasks}
        rowKey={(task) => task.id}
        minWidth={820}
        empty={
          <EmptyState title={kind === 'active' ? 'No task runs here' : 'No task has ended here'}>
            {kind === 'active'
              ? 'All of this node is free: it is offered to the schedulers.'
              : 'Tasks that end are kept here for a while.'}
          </EmptyState>
        }
      />
    </>
  );
}

function taskColumns(isService: (appId: string) => boolean): readonly Column<ClusterTask>[] {
  return [
    {
      id: 'service',
      header: 'Service',
      width: 'minmax(160px, 1.6fr)',
      cell: (task) => {
        const appId = appIdOfTask(task);
        return isService(appId) ? (
          <Link
            to="/services/detail/$appId"
            params={{ appId }}
            className="truncate"
            style={{ color: 'var(--text)', fontWeight: 550, display: 'block' }}
          >
            {appId}
          </Link>
        ) : (
          <span className="truncate">{task.name}</span>
        );
      },
    },
    {
      id: 'task',
      header: 'Task',
      width: 'minmax(130px, 1.2fr)',
      cell: (task) => (
        <span className="mono truncate" style={{ display: 'block' }} title={task.id}>
          {shortTaskId(task.id)}
        </span>
      ),
    },
    {
      id: 'state',
      header: 'State',
      width: '130px',
      cell: (task) => <TaskBadge state={task.state} />,
    },
    {
      id: 'health',
      header: 'Health',
      width: '116px',
      cell: (task) =>
        task.healthy === undefined ? (
          <span className="faint">–</span>
        ) : (
          <Badge
            tone={task.healthy ? 'good' : 'bad'}
            text={task.healthy ? 'Healthy' : 'Unhealthy'}
          />
        ),
    },
    {
      id: 'cpus',
      header: 'CPU',
      width: '76px',
      align: 'end',
      cell: (task) => <span className="num">{formatNumber(task.cpus)}</span>,
    },
    {
      id: 'mem',
      header: 'Memory',
      width: '100px',
      align: 'end',
      cell: (task) => <span className="num">{formatMebibytes(task.memMebibytes)}</span>,
    },
    {
      id: 'updated',
      header: 'Updated',
      width: '110px',
      cell: (task) => (
        <span className="muted">
          <Age timeMs={task.updatedMs} />
        </span>
      ),
    },
  ];
}

function NodeDetails({ agent }: { readonly agent: MesosAgent }): ReactElement {
  const registered = agent.registered_time * 1000;
  const attributes = Object.entries(agent.attributes);
  const roles = Object.keys(agent.reserved_resources);
  return (
    <section className="panel" aria-label="Details">
      <div className="panel-body" style={{ paddingTop: 18 }}>
        <dl className="facts">
          <dt>Agent id</dt>
          <dd className="mono">
            {agent.id} <CopyButton text={agent.id} label="Copy agent id" />
          </dd>
          <dt>Address</dt>
          <dd className="mono">{agent.pid}</dd>
          <dt>Type</dt>
          <dd>{nodeFigures(agent).isPublic ? 'public' : 'private'}</dd>
          <dt>Registered</dt>
          <dd className="num">
            {formatTimestamp(registered)}{' '}
            <span className="muted">
              (<Age timeMs={registered} />)
            </span>
          </dd>
          <dt>Agent version</dt>
          <dd>{agent.version ?? '–'}</dd>
          <dt>Ports</dt>
          <dd className="mono">{agent.resources.ports ?? '–'}</dd>
          <dt>Reserved for roles</dt>
          <dd>{roles.length === 0 ? 'none' : roles.join(', ')}</dd>
          <dt>Attributes</dt>
          <dd>
            {attributes.length === 0
              ? 'none'
              : attributes.map(([name, value]) => (
                  <span className="chip mono" key={name} style={{ marginRight: 6 }}>
                    {name}:{String(value)}
                  </span>
                ))}
          </dd>
        </dl>
      </div>
    </section>
  );
}
