/** The columns of the services table, for services and for folders that sum them. */
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import type { ServicesView } from '../../api/queries.ts';
import type { Column } from '../../components/data-table.tsx';
import { Age } from '../../components/feedback.tsx';
import { Icon } from '../../components/icon.tsx';
import { ActionMenu } from '../../components/menu.tsx';
import { InstanceCells, StatusBadge } from '../../components/status.tsx';
import { explainPlacement } from '../../model/explanation.ts';
import { countOf, formatDuration, formatMebibytes, formatNumber } from '../../model/format.ts';
import { deploymentProgress } from '../../model/service-status.ts';
import { rowFigures } from '../../model/service-tree.ts';
import type { TreeRow } from '../../model/service-tree.ts';
import { useServiceActions } from '../service/service-actions.ts';

/** Instances drawn as cells in a row; more become a bar. */
const CELLS_MAX = 10;

export interface ServiceColumnsOptions {
  readonly view: ServicesView;
  /** Names are whole paths, as in a search result. */
  readonly showsPath: boolean;
  /** Leaves out what matters least. */
  readonly isNarrow: boolean;
}

const NARROW_LEAVES_OUT: readonly string[] = ['disk', 'version', 'cpus'];

export function serviceColumns(options: ServiceColumnsOptions): readonly Column<TreeRow>[] {
  const { view } = options;
  const columns: readonly Column<TreeRow>[] = [
    {
      id: 'name',
      header: 'Name',
      width: 'minmax(150px, 1.5fr)',
      isSortable: true,
      cell: (row) => <NameCell row={row} showsPath={options.showsPath} />,
    },
    {
      id: 'status',
      header: 'Status',
      width: 'minmax(292px, 2fr)',
      isSortable: true,
      cell: (row) => <StatusCell row={row} view={view} />,
    },
    {
      id: 'instances',
      header: 'Instances',
      width: 'minmax(190px, 1.3fr)',
      isSortable: true,
      cell: (row) => <InstancesCell row={row} />,
    },
    {
      id: 'cpus',
      header: 'CPU',
      width: '76px',
      align: 'end',
      isSortable: true,
      cell: (row) => <span className="num">{formatNumber(rowFigures(row).cpus)}</span>,
    },
    {
      id: 'mem',
      header: 'Memory',
      width: '96px',
      align: 'end',
      isSortable: true,
      cell: (row) => <AmountCell mebibytes={rowFigures(row).memMebibytes} />,
    },
    {
      id: 'disk',
      header: 'Disk',
      width: '90px',
      align: 'end',
      isSortable: true,
      cell: (row) => <AmountCell mebibytes={rowFigures(row).diskMebibytes} />,
    },
    {
      id: 'version',
      header: 'Changed',
      width: '104px',
      isSortable: true,
      cell: (row) => <VersionCell row={row} />,
    },
    {
      id: 'actions',
      header: '',
      width: '56px',
      align: 'end',
      cell: (row) => (row.kind === 'service' ? <RowMenu row={row} /> : null),
    },
  ];
  return options.isNarrow
    ? columns.filter((column) => !NARROW_LEAVES_OUT.includes(column.id))
    : columns;
}

interface RowProps {
  readonly row: TreeRow;
}

function NameCell({ row, showsPath }: RowProps & { readonly showsPath: boolean }): ReactElement {
  if (row.kind === 'folder') {
    return (
      <div className="td-name">
        <Icon name="folder" />
        <div className="td-stack">
          <Link to="/services" search={{ group: row.id }} className="truncate">
            {row.name}
          </Link>
          <span className="td-sub">{countOf(row.services.length, 'service')}</span>
        </div>
      </div>
    );
  }
  const labels = Object.entries(row.service.app.labels ?? {});
  return (
    <div className="td-name">
      <Icon name="service" />
      <div className="td-stack">
        <Link
          to="/services/detail/$appId"
          params={{ appId: row.id }}
          className="truncate"
          title={row.id}
        >
          {row.name}
        </Link>
        {showsPath && labels.length > 0 ? (
          <span className="td-sub truncate">
            {labels.map(([name, value]) => (value === '' ? name : `${name}=${value}`)).join('  ')}
          </span>
        ) : null}
      </div>
    </div>
  );
}

function StatusCell({ row, view }: RowProps & { readonly view: ServicesView }): ReactElement {
  const { status } = rowFigures(row);
  if (row.kind === 'folder') return <StatusBadge status={status} />;
  const { app } = row.service;
  const entry = view.queueById.get(app.id);
  const progress = deploymentProgress(app.id, view.deployments);
  if (status === 'waiting' && entry !== undefined) {
    const placement = explainPlacement(entry, app);
    const why = placement.reasons.map((reason) => reason.text).join(', ') || placement.summary;
    return (
      <div className="td-stack">
        <StatusBadge status={status} />
        <span className="why-line truncate" title={placement.summary}>
          {why}
        </span>
      </div>
    );
  }
  if (status === 'delayed' && entry !== undefined) {
    return (
      <div className="td-stack">
        <StatusBadge status={status} />
        <span className="td-sub truncate">
          next attempt in {formatDuration(entry.delay.timeLeftSeconds)}
        </span>
      </div>
    );
  }
  const detail =
    status === 'deploying' && progress !== undefined && progress.total > 1
      ? `${progress.step} of ${progress.total}`
      : undefined;
  return <StatusBadge status={status} detail={detail} />;
}

function AmountCell({ mebibytes }: { readonly mebibytes: number }): ReactElement {
  if (mebibytes === 0) return <span className="faint">–</span>;
  return <span className="num">{formatMebibytes(mebibytes)}</span>;
}

function InstancesCell({ row }: RowProps): ReactElement {
  const figures = rowFigures(row);
  return (
    <div className="row-health">
      <span className="num" style={{ minWidth: 44 }}>
        {figures.running}
        <span className="faint">/{figures.instances}</span>
      </span>
      <InstanceCells counts={figures.health} cellsMax={CELLS_MAX} />
    </div>
  );
}

function VersionCell({ row }: RowProps): ReactElement | null {
  if (row.kind === 'folder') return null;
  const version = row.service.app.version;
  return (
    <span className="muted">
      <Age timeMs={version === undefined ? undefined : Date.parse(version)} />
    </span>
  );
}

function RowMenu({ row }: { readonly row: TreeRow & { kind: 'service' } }): ReactElement {
  const actions = useServiceActions(row.service);
  return <ActionMenu label={`Actions for ${row.name}`} actions={actions} size="small" />;
}
