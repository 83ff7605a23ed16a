/**
 * The service tree: apps below a group become rows, deeper groups become folders that aggregate
 * what they contain. Invariant: each app below the group is counted in exactly one row.
 */
import type { App } from '../api/types.ts';
import { healthCounts, statusRank } from './service-status.ts';
import type { HealthCounts, ServiceStatus } from './service-status.ts';

/** An app with the status that was derived for it. */
export interface Service {
  readonly app: App;
  readonly status: ServiceStatus;
}

export interface FolderRow {
  readonly kind: 'folder';
  readonly id: string;
  readonly name: string;
  readonly services: readonly Service[];
}

export interface ServiceRow {
  readonly kind: 'service';
  readonly id: string;
  readonly name: string;
  readonly service: Service;
}

export type TreeRow = FolderRow | ServiceRow;

/** Rows of one level: folders first, both by name. `group` is `/` or `/a/b`. */
export function treeRows(
  services: readonly Service[],
  group: string,
  groupIds: readonly string[] = [],
): readonly TreeRow[] {
  const prefix = group === '/' ? '/' : `${group}/`;
  const folders = new Map<string, Service[]>();
  const rows: ServiceRow[] = [];
  for (const id of groupIds) {
    if (!id.startsWith(prefix) || id === group) continue;
    const name = firstSegment(id.slice(prefix.length));
    if (name !== '' && !folders.has(name)) folders.set(name, []);
  }
  for (const service of services) {
    const { id } = service.app;
    if (!id.startsWith(prefix)) continue;
    const rest = id.slice(prefix.length);
    if (rest.includes('/')) {
      const name = firstSegment(rest);
      const inside = folders.get(name);
      if (inside === undefined) folders.set(name, [service]);
      else inside.push(service);
    } else {
      rows.push({ kind: 'service', id, name: rest, service });
    }
  }
  const folderRows: FolderRow[] = [...folders].map(([name, inside]) => ({
    kind: 'folder',
    id: `${prefix}${name}`,
    name,
    services: inside,
  }));
  return [...folderRows.sort(byName), ...rows.sort(byName)];
}

function firstSegment(path: string): string {
  const slash = path.indexOf('/');
  return slash < 0 ? path : path.slice(0, slash);
}

/** Numbers inside names count as numbers: web-2 before web-10. */
const NAMES = new Intl.Collator('en', { numeric: true });

function byName(left: TreeRow, right: TreeRow): number {
  return NAMES.compare(left.name, right.name);
}

/** What one row shows: an app's own figures, or the sums of a folder. */
export interface RowFigures {
  readonly status: ServiceStatus;
  readonly instances: number;
  readonly running: number;
  /** Reserved by the definition: per instance times instances. */
  readonly cpus: number;
  readonly memMebibytes: number;
  readonly diskMebibytes: number;
  readonly health: HealthCounts;
  readonly version: string | undefined;
}

export function rowFigures(row: TreeRow): RowFigures {
  return row.kind === 'service' ? sumFigures([row.service]) : sumFigures(row.services);
}

/** Sums services; the status is the worst one, and an empty set counts as suspended. */
export function sumFigures(services: readonly Service[]): RowFigures {
  let status: ServiceStatus = 'suspended';
  const sum = { instances: 0, running: 0, cpus: 0, memMebibytes: 0, diskMebibytes: 0 };
  const health = {
    healthy: 0,
    unhealthy: 0,
    unknown: 0,
    staged: 0,
    overCapacity: 0,
    unscheduled: 0,
  };
  for (const { app, status: own } of services) {
    if (statusRank(own) < statusRank(status)) status = own;
    sum.instances += app.instances;
    sum.running += app.tasksRunning ?? 0;
    sum.cpus += app.cpus * app.instances;
    sum.memMebibytes += app.mem * app.instances;
    sum.diskMebibytes += (app.disk ?? 0) * app.instances;
    const counts = healthCounts(app);
    health.healthy += counts.healthy;
    health.unhealthy += counts.unhealthy;
    health.unknown += counts.unknown;
    health.staged += counts.staged;
    health.overCapacity += counts.overCapacity;
    health.unscheduled += counts.unscheduled;
  }
  const [only] = services;
  const version = services.length === 1 ? only?.app.version : undefined;
  return { status, ...sum, health, version };
}

export type SortKey = 'name' | 'status' | 'instances' | 'cpus' | 'mem' | 'disk' | 'version';

/** Sorts rows; folders stay ahead of services, names break ties. */
export function sortRows(
  rows: readonly TreeRow[],
  key: SortKey,
  direction: 'ascending' | 'descending',
): readonly TreeRow[] {
  const sign = direction === 'ascending' ? 1 : -1;
  const keyed = rows.map((row) => ({ row, figures: rowFigures(row) }));
  keyed.sort((left, right) => {
    if (left.row.kind !== right.row.kind) return left.row.kind === 'folder' ? -1 : 1;
    return sign * COMPARE[key](left, right) || byName(left.row, right.row);
  });
  return keyed.map(({ row }) => row);
}

interface Keyed {
  readonly row: TreeRow;
  readonly figures: RowFigures;
}

const COMPARE: Readonly<Record<SortKey, (left: Keyed, right: Keyed) => number>> = {
  name: (left, right) => byName(left.row, right.row),
  status: (left, right) => statusRank(left.figures.status) - statusRank(right.figures.status),
  instances: (left, right) => left.figures.instances - right.figures.instances,
  cpus: (left, right) => left.figures.cpus - right.figures.cpus,
  mem: (left, right) => left.figures.memMebibytes - right.figures.memMebibytes,
  disk: (left, right) => left.figures.diskMebibytes - right.figures.diskMebibytes,
  version: (left, right) =>
    (left.figures.version ?? '').localeCompare(right.figures.version ?? '', 'en'),
};

/** Ids of the group's ancestors from the root to itself: the breadcrumb. */
export function groupTrail(
  group: string,
): readonly { readonly id: string; readonly name: string }[] {
  const segments = group.split('/').filter((segment) => segment !== '');
  return segments.map((name, index) => ({
    id: `/${segments.slice(0, index + 1).join('/')}`,
    name,
  }));
}

/** The group that contains an app or group; `/` for what stands at the root. */
export function parentGroup(id: string): string {
  const slash = id.lastIndexOf('/');
  return slash <= 0 ? '/' : id.slice(0, slash);
}
