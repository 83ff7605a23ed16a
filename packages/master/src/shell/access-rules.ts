/**
 * What each route and each v1 call demands of the one who asks: in which realm they log in, and what they
 * must be allowed to read. Changes are not here: the core asks about those, with the object at hand.
 *
 * Routes are the patterns that the server matched, without `/master`: a path that is spelled otherwise cannot
 * slip past. A route that is not named here demands a log-in for writing.
 */

import type { masterApi } from '@dcos/wire';
import type { AuthorizationRequest } from '../core/authorization.ts';

export type Realm = 'mesos-master-scheduler' | 'mesos-master-readonly' | 'mesos-master-readwrite';

/** Questions that must all be answered with yes. */
type Demands = readonly Pick<AuthorizationRequest, 'action' | 'object'>[];

const OPEN: ReadonlySet<string> = new Set(['/health', '/version', '/redirect']);

/** Of everything: an explanation names others beside the one that was asked about, an incident tasks of many. */
const VIEW: Demands = [
  { action: 'VIEW_FRAMEWORK' },
  { action: 'VIEW_TASK' },
  { action: 'VIEW_EXECUTOR' },
  { action: 'VIEW_ROLE' },
];
const FLAGS: Demands = [{ action: 'VIEW_FLAGS' }];
const LOG: Demands = [{ action: 'ACCESS_MESOS_LOG' }];
const METRICS = endpoint('/metrics/snapshot');

function endpoint(path: string): Demands {
  return [{ action: 'GET_ENDPOINT_WITH_PATH', object: path }];
}

/** Routes of the realm for reading. Those that show single objects leave out what may not be seen. */
const READS: Readonly<Record<string, Demands>> = {
  '/state': [],
  '/state.json': [],
  '/system/stats.json': [],
  '/state-summary': [],
  '/slaves': [],
  '/frameworks': [],
  '/tasks': [],
  '/roles': [],
  '/api/v1/explain': VIEW,
  '/system/v1/incidents': VIEW,
  '/flags': FLAGS,
  '/metrics/snapshot': METRICS,
  '/metrics': METRICS,
  '/maintenance/status': [{ action: 'GET_MAINTENANCE_STATUS' }],
  '/files/browse': LOG,
  '/files/read': LOG,
  '/files/download': LOG,
  '/files/debug': endpoint('/files/debug'),
};

/** Routes of the realm for writing that answer GET with what was written. */
const READS_OF_WRITABLE: Readonly<Record<string, Demands>> = {
  '/maintenance/schedule': [{ action: 'GET_MAINTENANCE_SCHEDULE' }],
};

const CALLS: Partial<Record<masterApi.Call_Type, Demands>> = {
  GET_FLAGS: FLAGS,
  GET_MAINTENANCE_SCHEDULE: [{ action: 'GET_MAINTENANCE_SCHEDULE' }],
  GET_MAINTENANCE_STATUS: [{ action: 'GET_MAINTENANCE_STATUS' }],
  LIST_FILES: LOG,
  READ_FILE: LOG,
  SET_LOGGING_LEVEL: [{ action: 'SET_LOG_LEVEL' }],
};

/** Where a request to this route logs in; undefined for one that is open to everybody, or leads nowhere. */
export function realmOf(route: string | undefined): Realm | undefined {
  if (route === undefined) return undefined;
  const path = routeOf(route);
  if (OPEN.has(path)) return undefined;
  if (path === '/api/v1/scheduler') return 'mesos-master-scheduler';
  return READS[path] === undefined ? 'mesos-master-readwrite' : 'mesos-master-readonly';
}

/** What a request to this route must be allowed. */
export function demandsOfRoute(route: string | undefined, method: string): Demands {
  const path = routeOf(route ?? '');
  if (path === '/logging/toggle') return endpoint(path);
  const isRead = method === 'GET' || method === 'HEAD';
  return READS[path] ?? (isRead ? READS_OF_WRITABLE[path] : undefined) ?? [];
}

/** What a call of the operator API must be allowed before the core sees it. */
export function demandsOfCall({ type = 'UNKNOWN' }: masterApi.Call): Demands {
  return CALLS[type] ?? [];
}

/** A route or path without the `/master` that may stand before it. */
export function routeOf(route: string): string {
  return route.replace(/^\/master(?=\/)/, '');
}
