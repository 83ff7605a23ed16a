/** The services: a tree of folders, or the flat result of a search; search and sort live in the URL. */
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { ReactElement } from 'react';
import { PageFrame } from '../../app/page-frame.tsx';
import { useServices } from '../../api/queries.ts';
import type { ServicesView } from '../../api/queries.ts';
import { Button } from '../../components/button.tsx';
import { DataTable } from '../../components/data-table.tsx';
import type { Sort } from '../../components/data-table.tsx';
import { EmptyState, ErrorState, LoadingRows } from '../../components/feedback.tsx';
import { Icon } from '../../components/icon.tsx';
import { useMediaQuery } from '../../components/media-query.ts';
import { isEmptyFilter, matchesFilter, parseServiceFilter } from '../../model/service-filter.ts';
import { groupTrail, sortRows, treeRows } from '../../model/service-tree.ts';
import type { SortKey, TreeRow } from '../../model/service-tree.ts';
import { serviceColumns } from './service-columns.tsx';
import { ServiceSearch } from './service-search.tsx';

const SORT_KEYS: readonly SortKey[] = [
  'name',
  'status',
  'instances',
  'cpus',
  'mem',
  'disk',
  'version',
];

export function ServicesPage(): ReactElement {
  const search = useSearch({ from: '/services' });
  const navigate = useNavigate({ from: '/services' });
  const view = useServices();
  const isNarrow = useMediaQuery('(max-width: 1150px)');
  const group = search.group ?? '/';
  const text = search.q ?? '';
  const filter = useMemo(() => parseServiceFilter(text), [text]);
  const isSearching = !isEmptyFilter(filter);
  const sort: Sort = {
    column: SORT_KEYS.find((key) => key === search.sort) ?? 'name',
    direction: search.dir === 'desc' ? 'descending' : 'ascending',
  };
  const rows = useRows(view, { group, filter, isSearching, sort });
  const columns = useMemo(
    () => serviceColumns({ view, showsPath: isSearching, isNarrow }),
    [view, isSearching, isNarrow],
  );

  const setText = (next: string): void => {
    void navigate({
      search: (before) => ({ ...without(before, 'q'), ...(next === '' ? {} : { q: next }) }),
      replace: true,
    });
  };
  const openRow = (row: TreeRow): void => {
    if (row.kind === 'folder') void navigate({ search: { group: row.id } });
    else void navigate({ to: '/services/detail/$appId', params: { appId: row.id } });
  };

  return (
    <PageFrame
      title="Services"
      heading={<ServiceCrumbs group={group} />}
      actions={
        <Link
          to="/create"
          search={group === '/' ? {} : { group }}
          className="button"
          data-variant="primary"
        >
          <Icon name="plus" size={17} />
          Run a service
        </Link>
      }
    >
      <ServiceSearch text={text} filter={filter} services={view.services} onChange={setText} />
      {view.isPending ? <LoadingRows rows={6} label="Services" /> : null}
      {view.error === null ? null : <ErrorState what="Services" error={view.error} />}
      {view.isPending || view.error !== null ? null : (
        <DataTable
          label="Services"
          columns={columns}
          rows={rows}
          rowKey={(row) => row.id}
          sort={sort}
          minWidth={isNarrow ? 720 : 1020}
          onOpen={openRow}
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
            <EmptyServices isSearching={isSearching} group={group} onClear={() => setText('')} />
          }
        />
      )}
    </PageFrame>
  );
}

function without<T extends object, K extends keyof T>(value: T, key: K): Omit<T, K> {
  const { [key]: _removed, ...rest } = value;
  return rest;
}

interface RowsOptions {
  readonly group: string;
  readonly filter: ReturnType<typeof parseServiceFilter>;
  readonly isSearching: boolean;
  readonly sort: Sort;
}

function useRows(view: ServicesView, options: RowsOptions): readonly TreeRow[] {
  const { group, filter, isSearching, sort } = options;
  return useMemo(() => {
    const prefix = group === '/' ? '/' : `${group}/`;
    const rows: readonly TreeRow[] = isSearching
      ? view.services
          .filter(
            ({ app, status }) => app.id.startsWith(prefix) && matchesFilter(filter, app, status),
          )
          .map((service) => ({
            kind: 'service',
            id: service.app.id,
            name: service.app.id,
            service,
          }))
      : treeRows(view.services, group);
    const key = SORT_KEYS.find((candidate) => candidate === sort.column) ?? 'name';
    return sortRows(rows, key, sort.direction);
  }, [view.services, group, filter, isSearching, sort.column, sort.direction]);
}

function ServiceCrumbs({ group }: { readonly group: string }): ReactElement {
  const trail = groupTrail(group);
  if (trail.length === 0) return <h1>Services</h1>;
  return (
    <nav aria-label="Group" style={{ minWidth: 0 }}>
      <ol className="crumbs">
        <li>
          <Link to="/services">Services</Link>
        </li>
        {trail.map((step, index) => (
          <li key={step.id}>
            <span className="crumb-slash" aria-hidden="true">
              /
            </span>
            {index === trail.length - 1 ? (
              <h1 className="truncate">{step.name}</h1>
            ) : (
              <Link to="/services" search={{ group: step.id }}>
                {step.name}
              </Link>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}

interface EmptyServicesProps {
  readonly isSearching: boolean;
  readonly group: string;
  readonly onClear: () => void;
}

function EmptyServices({ isSearching, group, onClear }: EmptyServicesProps): ReactElement {
  if (isSearching) {
    return (
      <EmptyState
        title="No service matches"
        actions={<Button onPress={onClear}>Show all services</Button>}
      >
        Nothing{group === '/' ? '' : ` in ${group}`} fits the search and filters.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      title={group === '/' ? 'No service runs yet' : 'This folder is empty'}
      actions={
        <Link
          to="/create"
          search={group === '/' ? {} : { group }}
          className="button"
          data-variant="primary"
        >
          Run a service
        </Link>
      }
    >
      A service is a command or an image that the cluster keeps running. Describe one in a form or
      as JSON.
    </EmptyState>
  );
}
