/**
 * Where a request goes: the table of routes.
 *
 * Invariants: the outcome depends on the request and the view only; a path that no route knows never
 * reaches an upstream; what is not there yet says so (501) and names what is missing.
 * Source: observed behaviour of Admin Router on a master.
 */

import { hostText, type AgentView, type ClusterView } from './cluster-view.ts';

export interface RoutedRequest {
  readonly method: string;
  /** Path and query as they came, beginning with a slash. */
  readonly target: string;
}

export interface RouteOptions {
  /** Where Marathon is, when it is not found as a framework. */
  readonly marathonUrl: string | undefined;
  readonly mesosDnsUrl: string | undefined;
  /** Whether there are authorities of the cluster's certificates to give out. */
  readonly hasAuthorities: boolean;
}

/** Documents that the router makes itself. */
export type DocumentName =
  | 'version'
  | 'authorities'
  | 'uiConfig'
  | 'metadata'
  | 'empty'
  | 'links'
  | 'netNodes'
  | 'status'
  | 'metrics';

export interface ProxyTarget {
  readonly kind: 'proxy';
  readonly origin: string;
  /** Path and query at the upstream. */
  readonly target: string;
  /** What was taken from the front of the path; Location headers get it back. */
  readonly prefix: string;
  readonly dropHeaders: readonly string[];
  /** Under `/service`: WebSockets pass, and bodies may be as large as uploads are. */
  readonly isService: boolean;
  /** A redirect to another origin is a master, or a Marathon, that does not lead: ask that one instead. */
  readonly followsLeader: boolean;
}

export type Route =
  | ProxyTarget
  | { readonly kind: 'redirect'; readonly status: 301 | 302 | 307; readonly location: string }
  | { readonly kind: 'document'; readonly name: DocumentName }
  | { readonly kind: 'health'; readonly path: string }
  /** Ask Mesos-DNS for the service's SRV record, then go there. */
  | {
      readonly kind: 'lookUp';
      readonly service: string;
      readonly path: string;
      readonly rest: string;
    }
  | { readonly kind: 'fail'; readonly status: 404 | 501 | 503; readonly problem: string }
  /** No route: a file of the web UI, or its first page. */
  | { readonly kind: 'ui'; readonly path: string };

/** Segments of a service's path that may name it. */
export const SERVICE_SEGMENTS_MAX = 10;

const DOCUMENTS: ReadonlyMap<string, DocumentName> = new Map([
  ['/dcos-metadata/dcos-version.json', 'version'],
  ['/dcos-metadata/ui-config.json', 'uiConfig'],
  ['/metadata', 'metadata'],
  ['/pkgpanda/active.buildinfo.full.json', 'empty'],
  ['/acs/api/v1/auth/providers', 'empty'],
  ['/cluster/v1/links', 'links'],
  ['/net/v1/nodes', 'netNodes'],
  ['/nginx/status', 'status'],
  ['/nginx/metrics', 'metrics'],
]);

const METRICS_SERVICE = 'the metrics service';
const COMPONENT_LOGS = 'logs of components (they are in the log files of the data directory)';

/** Where the console lists what Marathon runs; it stands in for Marathon's own pages. */
const CONSOLE_SERVICES = '/services';

/** What the distribution has at these paths and this one does not have yet. */
const MISSING: readonly (readonly [prefix: string, what: string])[] = [
  ['/package', 'the package service'],
  ['/cosmos', 'the package service'],
  ['/capabilities', 'the package service'],
  ['/service/metronome', 'the job service (Metronome)'],
  ['/exhibitor', 'the ensemble (this cluster keeps its state without ZooKeeper)'],
  ['/acs', 'accounts and log-in (this cluster is open)'],
  ['/login', 'accounts and log-in (this cluster is open)'],
  ['/ca', 'the certificate authority (there is no certificate of one here)'],
  ['/pkgpanda', 'the component package service'],
  ['/dcos-metadata', 'further metadata'],
  ['/net', 'the overlay network service'],
  ['/navstar', 'the overlay network service'],
  ['/cluster/v1', 'linked clusters'],
  ['/dcos-ui-update-service', 'updates of the web UI'],
  ['/system/checks', 'node checks'],
  ['/system/v1/metrics', METRICS_SERVICE],
  ['/system/v1/leader', COMPONENT_LOGS],
  ['/system/v1/logs', COMPONENT_LOGS],
];

/** The path without further slashes at its beginning. */
function withOneSlash(path: string): string {
  return path.replace(/^\/{2,}/, '/');
}

/** True for the path itself and everything below it. */
function isUnder(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}

const proxy = (
  fields: Pick<ProxyTarget, 'origin' | 'target' | 'prefix'> & Partial<ProxyTarget>,
): ProxyTarget => ({
  kind: 'proxy',
  dropHeaders: [],
  isService: false,
  followsLeader: false,
  ...fields,
});

/** Decides where a request goes. */
export function decideRoute(
  request: RoutedRequest,
  view: ClusterView,
  options: RouteOptions,
): Route {
  const mark = request.target.indexOf('?');
  // Clients join an address that ends in a slash with a path that begins with one.
  const path = withOneSlash(mark === -1 ? request.target : request.target.slice(0, mark));
  const query = mark === -1 ? '' : request.target.slice(mark);
  const document = DOCUMENTS.get(path);
  if (document !== undefined) return { kind: 'document', name: document };
  if (path === '/ca/dcos-ca.crt' && options.hasAuthorities)
    return { kind: 'document', name: 'authorities' };
  if (path === '/marathon')
    return { kind: 'redirect', status: 307, location: `/marathon/${query}` };
  if (isUnder(path, '/marathon')) return serviceRoute(`/service${path}`, query, view, options);
  if (isUnder(path, '/system/health/v1')) {
    return { kind: 'health', path: path.slice('/system/health/v1'.length) };
  }
  const task = /^\/system\/v1\/logs\/v2\/task\/([^/]+)(?:\/|$)/.exec(path);
  if (task !== null) return taskLogRoute(task[1] ?? '', path + query, view);
  if (path === '/system/v1/incidents') return masterRoute(path, query, view);
  const missing = MISSING.find(([prefix]) => isUnder(path, prefix));
  if (missing !== undefined) return notThere(path, missing[1]);
  if (isUnder(path, '/mesos') || isUnder(path, '/cache/master'))
    return masterRoute(path, query, view);
  if (isUnder(path, '/mesos_dns')) return mesosDnsRoute(path, query, options);
  if (isUnder(path, '/service')) return serviceRoute(path, query, view, options);
  const agent = /^\/(?:slave|agent)\/([^/]+)(\/.*)?$/.exec(path);
  if (agent !== null) {
    const [, id = '', rest = '/'] = agent;
    return agentRoute(
      {
        id,
        rest: withOneSlash(rest) + query,
        prefix: path.slice(0, path.length - (agent[2] ?? '').length),
      },
      view,
    );
  }
  const node = /^\/system\/v1\/agent\/([^/]+)(\/.*)?$/.exec(path);
  if (node !== null) return nodeRoute(node[1] ?? '', node[2] ?? '/', query, view);
  return { kind: 'ui', path };
}

function notThere(path: string, what: string): Route {
  return { kind: 'fail', status: 501, problem: `${path}: ${what} is not part of this cluster yet` };
}

const NO_VIEW: Route = {
  kind: 'fail',
  status: 503,
  problem: 'no leading master has been seen yet; try again in a moment',
};

function slash(path: string, query: string): Route {
  const last = path.slice(path.lastIndexOf('/') + 1);
  return { kind: 'redirect', status: 301, location: `${last}/${query}` };
}

function masterRoute(path: string, query: string, view: ClusterView): Route {
  if (path === '/mesos' || path === '/cache/master') return slash(path, query);
  const origin = view.masterUrl;
  if (origin === undefined) return NO_VIEW;
  // What lies below no prefix has the same place at the master.
  const prefix = ['/mesos', '/cache'].find((one) => path.startsWith(`${one}/`)) ?? '';
  const target = withOneSlash(path.slice(prefix.length)) + query;
  return proxy({ origin, target, prefix, followsLeader: true });
}

function mesosDnsRoute(path: string, query: string, options: RouteOptions): Route {
  if (path === '/mesos_dns') return slash(path, query);
  const origin = options.mesosDnsUrl;
  if (origin === undefined) return notThere(path, 'Mesos-DNS');
  const target = withOneSlash(path.slice('/mesos_dns'.length)) + query;
  return proxy({ origin, target, prefix: '/mesos_dns', dropHeaders: ['authorization'] });
}

function agentOrigin(agent: AgentView): string {
  return `${agent.scheme}://${hostText(agent.host)}:${agent.port}`;
}

function agentRoute(
  asked: { readonly id: string; readonly rest: string; readonly prefix: string },
  view: ClusterView,
): Route {
  if (!view.ready) return NO_VIEW;
  const agent = view.agent(decoded(asked.id));
  if (agent === undefined) return unknownAgent(asked.id);
  return proxy({
    origin: agentOrigin(agent),
    target: asked.rest,
    prefix: asked.prefix,
    dropHeaders: ['accept-encoding'],
  });
}

function unknownAgent(id: string): Route {
  return { kind: 'fail', status: 404, problem: `no agent with id '${id}' is registered` };
}

/** `/system/v1/agent/<id>/…`: what an agent's own router serves in the distribution. */
function nodeRoute(id: string, rest: string, query: string, view: ClusterView): Route {
  if (!view.ready) return NO_VIEW;
  const agent = view.agent(decoded(id));
  if (agent === undefined) return unknownAgent(id);
  if (rest === '/dcos-metadata/dcos-version.json') return { kind: 'document', name: 'version' };
  if (rest === '/nginx/metrics') return { kind: 'document', name: 'metrics' };
  const path = `/system/v1/agent/${id}${rest}`;
  if (isUnder(rest, '/metrics')) return notThere(path, METRICS_SERVICE);
  if (!isUnder(rest, '/logs'))
    return { kind: 'fail', status: 404, problem: `nothing is served at ${rest} of an agent` };
  if (!isUnder(rest, '/logs/v2/task')) return notThere(path, COMPONENT_LOGS);
  const prefix = `/system/v1/agent/${id}`;
  return proxy({ origin: agentOrigin(agent), target: `/system/v1${rest}${query}`, prefix });
}

function taskLogRoute(encoded: string, target: string, view: ClusterView): Route {
  if (!view.ready) return NO_VIEW;
  const taskId = decoded(encoded);
  const agent = view.agentOfTask(taskId);
  if (agent !== undefined) return proxy({ origin: agentOrigin(agent), target, prefix: '' });
  return {
    kind: 'fail',
    status: 404,
    problem: `no task '${taskId}' is known on an agent that is registered`,
  };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function serviceRoute(
  path: string,
  query: string,
  view: ClusterView,
  options: RouteOptions,
): Route {
  const rest = path.slice('/service'.length);
  const segments = rest.split('/').filter((segment) => segment !== '');
  if (segments.length === 0) return { kind: 'fail', status: 404, problem: 'no service is named' };
  if (segments.length === 1 && !rest.endsWith('/')) return slash(path, query);
  if (/^\/marathon\/+(?:ui(?:\/|$)|$)/.test(rest)) {
    return { kind: 'redirect', status: 302, location: CONSOLE_SERVICES };
  }
  if (segments[0] === 'marathon' && options.marathonUrl !== undefined) {
    const route = toService('marathon', options.marathonUrl, { rest, query, keepsPrefix: false });
    // A Marathon that does not lead sends readers of its event stream to the one that does.
    return route.kind === 'proxy' ? { ...route, followsLeader: true } : route;
  }
  if (!view.ready) return NO_VIEW;
  for (let count = 1; count <= Math.min(segments.length, SERVICE_SEGMENTS_MAX); count++) {
    const named = segments.slice(0, count);
    const found = serviceCandidate(named.map(decoded), named.join('/'), { rest, query }, view);
    if (found !== undefined) return found;
  }
  const name = segments.slice(0, SERVICE_SEGMENTS_MAX).join('/');
  return {
    kind: 'fail',
    status: 404,
    problem:
      `no service '${name}' is routed: no framework of that name has a page, ` +
      'and no running app has it as its label DCOS_SERVICE_NAME, with ' +
      'DCOS_SERVICE_SCHEME and DCOS_SERVICE_PORT_INDEX',
  };
}

function serviceCandidate(
  segments: readonly string[],
  path: string,
  request: { readonly rest: string; readonly query: string },
  view: ClusterView,
): Route | undefined {
  const name = [...segments].reverse().join('.');
  const app = view.service(segments.join('/')) ?? view.service(name);
  if (app !== undefined && name !== 'marathon') {
    return toService(path, app.origin, { ...request, keepsPrefix: app.keepsPrefix });
  }
  const framework = view.framework(name);
  if (framework?.webuiUrl === undefined) return undefined;
  if (framework.webuiUrl === '') {
    return {
      kind: 'lookUp',
      service: name,
      path,
      rest: afterSegments(request.rest, segments.length) + request.query,
    };
  }
  const route = toService(path, framework.webuiUrl, { ...request, keepsPrefix: false });
  // Its leaders change as those of masters do.
  return name === 'marathon' && route.kind === 'proxy' ? { ...route, followsLeader: true } : route;
}

/** The path below the service that these many segments name, at least a slash. */
function afterSegments(rest: string, count: number): string {
  let position = 0;
  for (let index = 0; index < count; index++) {
    while (rest[position] === '/') position += 1;
    while (position < rest.length && rest[position] !== '/') position += 1;
  }
  return position < rest.length ? withOneSlash(rest.slice(position)) : '/';
}

function toService(
  path: string,
  url: string,
  request: { readonly rest: string; readonly query: string; readonly keepsPrefix: boolean },
): Route {
  const match = /^(https?:\/\/[^/?#\s]+)([^?#]*)/i.exec(url);
  if (match === null) {
    return {
      kind: 'fail',
      status: 503,
      problem: `the service '${path}' gives no usable address: ${url}`,
    };
  }
  const [, origin = '', basePath = ''] = match;
  const below = afterSegments(request.rest, path.split('/').length);
  const target = request.keepsPrefix
    ? `/service${request.rest}`
    : basePath.replace(/\/$/, '') + below;
  return proxy({
    origin,
    target: target + request.query,
    prefix: `/service/${path}`,
    isService: true,
  });
}

/** The upstream of a service that was looked up. */
export function lookedUpService(
  route: Route & { readonly kind: 'lookUp' },
  found: { readonly ip: string; readonly port: string },
): ProxyTarget {
  return proxy({
    origin: `http://${hostText(found.ip)}:${found.port}`,
    target: route.rest,
    prefix: `/service/${route.path}`,
    isService: true,
  });
}
