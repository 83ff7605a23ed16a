/** The nodes: a table with their load, or the cluster map. */
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { ReactElement } from 'react';
import { PageFrame } from '../../app/page-frame.tsx';
import { useStateSummary } from '../../api/queries.ts';
import { Button } from '../../components/button.tsx';
import { ClusterMap } from '../../components/cluster-map.tsx';
import { DataTable } from '../../components/data-table.tsx';
import type { Column, Sort } from '../../components/data-table.tsx';
import { EmptyState, ErrorState, LoadingRows } from '../../components/feedback.tsx';
import { Icon } from '../../components/icon.tsx';
import { Meter } from '../../components/meter.tsx';
import { Segments } from '../../components/segments.tsx';
import { Badge } from '../../components/status.tsx';
import { formatMebibytes, formatNumber } from '../../model/format.ts';
import { nodeFigures } from '../../model/node-figures.ts';
import type { NodeFigures, NodeStatus } from '../../model/node-figures.ts';
import type { Tone } from '../../model/service-status.ts';

const STATUS: Readonly<Record<NodeStatus, { label: string; tone: Tone }>> = {
  active: { label: 'Active', tone: 'good' },
  deactivated: { label: 'Deactivated', tone: 'idle' },
  draining: { label: 'Draining', tone: 'busy' },
  inactive: { label: 'Not connected', tone: 'bad' },
};

export function NodeStatusBadge({ status }: { readonly status: NodeStatus }): ReactElement {
  return <Badge tone={STATUS[status].tone} text={STATUS[status].label} />;
}

export function NodesPage(): ReactElement {
  const search = useSearch({ from: '/nodes' });
  const navigate = useNavigate({ from: '/nodes' });
  const summary = useStateSummary();
  const text = search.q ?? '';
  const view = search.view === 'map' ? 'map' : 'table';
  const sort: Sort = {
    column: search.sort ?? 'hostname',
    direction: search.dir === 'desc' ? 'descending' : 'ascending',
  };
  const agents = summary.data?.slaves ?? [];
  const shown = useMemo(() => {
    const wanted = text.trim().toLowerCase();
    return agents.filter((agent) =>
      wanted === ''
        ? true
        : `${agent.hostname} ${agent.id} ${agent.pid} ${JSON.stringify(agent.attributes)}`
            .toLowerCase()
            .includes(wanted),
    );
  }, [agents, text]);
  const rows = useMemo(
    () => sortNodes(shown.map(nodeFigures), sort),
    [shown, sort.column, sort.direction],
  );
  const setText = (next: string): void => {
    void navigate({
      search: ({ q: _before, ...rest }) => ({ ...rest, ...(next === '' ? {} : { q: next }) }),
      replace: true,
    });
  };
  return (
    <PageFrame title="Nodes">
      <div className="toolbar">
        <div className="search">
          <Icon name="search" size={16} />
          <input
            className="input"
            data-page-search
            value={text}
            placeholder="Search nodes by host, id or attribute"
            aria-label="Search nodes"
            onChange={(event) => setText(event.target.value)}
          />
          {text === '' ? <kbd>/</kbd> : null}
        </div>
        <Segments
          label="View"
          value={view}
          options={[
            { value: 'table', label: 'Table' },
            { value: 'map', label: 'Map' },
          ]}
          onChange={(next) =>
            void navigate({ search: (before) => ({ ...before, view: next }), replace: true })
          }
        />
      </div>
      {summary.isPending ? <LoadingRows rows={4} label="Nodes" /> : null}
      {summary.data === undefined && summary.error !== null ? (
        <ErrorState what="Nodes" error={summary.error} onRetry={() => void summary.refetch()} />
      ) : null}
      {summary.data !== undefined && view === 'map' ? (
        <ClusterMap agents={shown} resource="cpus" />
      ) : null}
      {summary.data !== undefined && view === 'table' ? (
        <DataTable
          label="Nodes"
          columns={NODE_COLUMNS}
          rows={rows}
          rowKey={(node) => node.id}
          sort={sort}
          minWidth={960}
          onOpen={(node) => void navigate({ to: '/nodes/$agentId', params: { agentId: node.id } })}
          onSort={(next) =>
            void navigate({
              search: (before) => ({
                ...before,
                sort: next.column,
                dir: next.direction === 'descending' ? 'desc' : 'asc',
              }),
              replace: true,
            })
          }
          empty={
            text === '' ? (
              <EmptyState title="No node has joined">
                Nodes appear here as soon as their agent registers with the master.
              </EmptyState>
            ) : (
              <EmptyState
                title="No node matches"
                actions={<Button onPress={() => setText('')}>Show all nodes</Button>}
              >
                Nothing fits “{text}”.
              </EmptyState>
            )
          }
        />
      ) : null}
    </PageFrame>
  );
}

function sortNodes(nodes: readonly NodeFigures[], sort: Sort): readonly NodeFigures[] {
  const sign = sort.direction === 'ascending' ? 1 : -1;
  return nodes.toSorted(
    (left, right) =>
      sign * compareNodes(left, right, sort.column) ||
      left.hostname.localeCompare(right.hostname, 'en') ||
      left.id.localeCompare(right.id, 'en'),
  );
}

function compareNodes(left: NodeFigures, right: NodeFigures, column: string): number {
  switch (column) {
    case 'status':
      return left.status.localeCompare(right.status, 'en');
    case 'type':
      return Number(left.isPublic) - Number(right.isPublic);
    case 'tasks':
      return left.tasks - right.tasks;
    case 'cpus':
      return left.cpus.percent - right.cpus.percent;
    case 'mem':
      return left.mem.percent - right.mem.percent;
    case 'disk':
      return left.disk.percent - right.disk.percent;
    default:
      return left.hostname.localeCompare(right.hostname, 'en');
  }
}

const NODE_COLUMNS: readonly Column<NodeFigures>[] = [
  {
    id: 'hostname',
    header: 'Host',
    width: 'minmax(180px, 2fr)',
    isSortable: true,
    cell: (node) => (
      <div className="td-name">
        <Icon name="nodes" />
        <div className="td-stack">
          <Link to="/nodes/$agentId" params={{ agentId: node.id }} className="truncate">
            {node.hostname}
          </Link>
          <span className="td-sub mono truncate" title={node.id}>
            {node.address}
          </span>
        </div>
      </div>
    ),
  },
  {
    id: 'status',
    header: 'Status',
    width: '130px',
    isSortable: true,
    cell: (node) => <NodeStatusBadge status={node.status} />,
  },
  {
    id: 'type',
    header: 'Type',
    width: '92px',
    isSortable: true,
    cell: (node) => <span className="chip">{node.isPublic ? 'public' : 'private'}</span>,
  },
  {
    id: 'tasks',
    header: 'Tasks',
    width: '76px',
    align: 'end',
    isSortable: true,
    cell: (node) => <span className="num">{node.tasks}</span>,
  },
  {
    id: 'cpus',
    header: 'CPU',
    width: 'minmax(120px, 1fr)',
    isSortable: true,
    cell: (node) => (
      <Meter
        label={`CPU of ${node.hostname}`}
        percent={node.cpus.percent}
        color="var(--chart-cpu)"
        title={`${formatNumber(node.cpus.used)} of ${formatNumber(node.cpus.total)} CPU`}
      />
    ),
  },
  {
    id: 'mem',
    header: 'Memory',
    width: 'minmax(120px, 1fr)',
    isSortable: true,
    cell: (node) => (
      <Meter
        label={`Memory of ${node.hostname}`}
        percent={node.mem.percent}
        color="var(--chart-mem)"
        title={`${formatMebibytes(node.mem.used)} of ${formatMebibytes(node.mem.total)}`}
      />
    ),
  },
  {
    id: 'disk',
    header: 'Disk',
    width: 'minmax(120px, 1fr)',
    isSortable: true,
    cell: (node) => (
      <Meter
        label={`Disk of ${node.hostname}`}
        percent={node.disk.percent}
        color="var(--chart-disk)"
        title={`${formatMebibytes(node.disk.used)} of ${formatMebibytes(node.disk.total)}`}
      />
    ),
  },
];
