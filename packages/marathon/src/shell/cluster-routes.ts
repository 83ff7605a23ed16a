/** Tasks, deployments, the launch queue, pods as far as they are there, and what tells about the process. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from '@dcos/http';
import type { JsonObject, JsonValue } from '@dcos/base';
import type { Metrics } from '@dcos/telemetry';
import { shownMasters } from '@dcos/store';
import { deploymentList, queueView, taskList, type Reply } from '../core/index.ts';
import type { RouteContext } from './app-routes.ts';
import type { MarathonConfig } from './config.ts';
import { bodyOf, flagOf, ok, originOf, pathAfter, queryOf, refuse, send } from './request.ts';

export interface ClusterRouteContext extends RouteContext {
  readonly config: MarathonConfig;
  readonly metrics: Metrics;
  /** `host:port` of this process, which leads. */
  readonly leader: () => string;
  readonly version: string;
  /** Gives the leadership up; absent where nobody else could take it. */
  readonly abdicate?: () => void;
}

type Handler = (request: FastifyRequest) => Promise<Reply> | Reply;

const PODS_MISSING = 'pods are not supported yet: use an app';

/** Adds the routes. */
export function addClusterRoutes(app: FastifyInstance, context: ClusterRouteContext): void {
  const route = (
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    handler: Handler,
  ): void => {
    const handle = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
      send(reply, await handler(request));
    app.route({ method, url, handler: handle });
    app.route({ method, url: `${url}/`, handler: handle });
  };
  addTaskRoutes(route, context);
  addDeploymentRoutes(route, context);
  addQueueRoutes(route, app, context);
  addPodRoutes(route, app);
  addProcessRoutes(route, app, context);
}

type Route = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, handler: Handler) => void;

function addTaskRoutes(route: Route, { engine }: ClusterRouteContext): void {
  route('GET', '/v2/tasks', async (request) => {
    if (/^text\/plain\b/.test(request.headers.accept ?? '')) {
      refuse(406, 'tasks are served as application/json only');
    }
    const query = queryOf(request);
    const states = [...query.getAll('status'), ...query.getAll('status[]')];
    return await engine.read((state) => ok(taskList(state, states)));
  });
  route('POST', '/v2/tasks/delete', async (request) => {
    const query = queryOf(request);
    return await engine.command({
      kind: 'killTasks',
      of: { kind: 'ids', taskIds: taskIdsIn(bodyOf(request)) },
      scale: flagOf(query, 'scale'),
      wipe: flagOf(query, 'wipe'),
      force: flagOf(query, 'force'),
      origin: originOf(request),
    });
  });
}

/** Task ids of one request at most. */
const TASK_IDS_MAX = 10_000;

function taskIdsIn(body: string): readonly string[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch (error) {
    return refuse(400, `Invalid JSON: ${error instanceof Error ? error.message : ''}`);
  }
  const ids =
    typeof parsed === 'object' && parsed !== null && 'ids' in parsed ? parsed.ids : undefined;
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string')) {
    return refuse(422, 'the body must be {"ids": [task id, …]}');
  }
  if (ids.length > TASK_IDS_MAX)
    return refuse(422, `at most ${TASK_IDS_MAX} tasks can be named at once`);
  return ids;
}

function addDeploymentRoutes(route: Route, { engine }: ClusterRouteContext): void {
  route(
    'GET',
    '/v2/deployments',
    async () => await engine.read((state) => ok(deploymentList(state))),
  );
  route(
    'DELETE',
    '/v2/deployments/:id',
    async (request) =>
      await engine.command({
        kind: 'cancelDeployment',
        deploymentId: pathAfter(request, '/v2/deployments/'),
        force: flagOf(queryOf(request), 'force'),
        origin: originOf(request),
      }),
  );
}

function addQueueRoutes(
  route: Route,
  app: FastifyInstance,
  { engine, now }: ClusterRouteContext,
): void {
  route('GET', '/v2/queue', async (request) => {
    const lastUnusedOffers = queryOf(request).getAll('embed').includes('lastUnusedOffers');
    return await engine.read((state) =>
      ok({ queue: queueView(state, { lastUnusedOffers, now: now() }) }),
    );
  });
  app.delete('/v2/queue/*', async (request, reply) => {
    const path = /^(.*)\/delay$/.exec(pathAfter(request, '/v2/queue'));
    if (path === null) return refuse(404, 'only the delay of a queued app can be deleted');
    const answer = await engine.command({
      kind: 'resetDelay',
      appId: path[1] ?? '',
      origin: originOf(request),
    });
    return send(reply, answer);
  });
}

/** Clients probe with HEAD whether there are pods; the list is empty, and none can be made yet. */
function addPodRoutes(route: Route, app: FastifyInstance): void {
  route('GET', '/v2/pods', () => ok([]));
  route('GET', '/v2/pods/::status', () => ok([]));
  const missing: Handler = () => ({ statusCode: 501, body: { message: PODS_MISSING } });
  route('POST', '/v2/pods', missing);
  route('PUT', '/v2/pods', missing);
  app.route({
    method: ['GET', 'POST', 'PUT', 'DELETE'],
    url: '/v2/pods/*',
    handler: async (request, reply) => {
      const id = pathAfter(request, '/v2/pods').replace(/::.*$/, '');
      if (request.method === 'PUT' || request.method === 'POST')
        return send(reply, await missing(request));
      if (request.method === 'GET' && /^\/?::status$/.test(pathAfter(request, '/v2/pods')))
        return send(reply, ok([]));
      return send(reply, { statusCode: 404, body: { message: `Pod '${id}' does not exist` } });
    },
  });
}

function addProcessRoutes(route: Route, app: FastifyInstance, context: ClusterRouteContext): void {
  const { engine, config, leader, metrics } = context;
  route(
    'GET',
    '/v2/info',
    async () => await engine.read((state) => ok(info(context, state.frameworkId))),
  );
  route('GET', '/v2/leader', () => ok({ leader: leader() }));
  route('DELETE', '/v2/leader', (request) => abdication(request, context));
  route('GET', '/v2/plugins', () => ok({ plugins: [] }));
  app.route({
    method: ['GET', 'POST', 'PUT', 'DELETE'],
    url: '/v2/plugins/*',
    handler: async (request) => {
      const id = pathAfter(request, '/v2/plugins/').split('/')[0] ?? '';
      return refuse(404, `No plugin with this pluginId: ${id}`);
    },
  });
  app.get('/ping', (_request, reply) => reply.type('text/plain; charset=utf-8').send('pong'));
  app.get('/', (_request, reply) =>
    reply
      .code(302)
      .header('location', config.webuiUrl ?? '/ui/')
      .send(),
  );
  route('GET', '/config', () => ok(JSON.parse(JSON.stringify(config)) as JsonValue));
  route('GET', '/metrics', () => ok(metricGroups(metrics)));
  app.get('/metrics/prometheus', async (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics.prometheus()),
  );
}

/** How long after its answer the leader goes, as in the original. */
const ABDICATION_DELAY_MS = 500;

function abdication(request: FastifyRequest, { abdicate }: ClusterRouteContext): Reply {
  if (abdicate === undefined)
    return refuse(501, 'there is no other scheduler that could take over the leadership');
  const query = queryOf(request);
  if (query.has('backup') || query.has('restore'))
    return refuse(501, 'backup and restore at a change of leadership are not supported');
  setTimeout(abdicate, ABDICATION_DELAY_MS).unref();
  return ok({ message: 'Leadership abdicated' });
}

/** The figures in the grouping of the original: a name ends with its kind. */
function metricGroups(metrics: Metrics): JsonObject {
  const counters: Record<string, JsonValue> = {};
  const gauges: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(metrics.snapshot())) {
    if (name.includes('.counter')) counters[name] = { count: value };
    else gauges[name] = { value };
  }
  return { version: '4.0.0', counters, gauges, histograms: {}, meters: {}, timers: {} };
}

function info(context: ClusterRouteContext, frameworkId: string | undefined): JsonObject {
  const { config } = context;
  const port = Number(context.leader().split(':').at(-1));
  return {
    name: config.frameworkName,
    version: context.version,
    buildref: 'unknown',
    elected: true,
    leader: context.leader(),
    frameworkId: frameworkId ?? null,
    marathon_config: {
      master: shownMasters(config.masters).join(','),
      failover_timeout: config.failoverTimeoutSeconds,
      framework_name: config.frameworkName,
      ha: true,
      checkpoint: true,
      local_port_min: config.localPortMin,
      local_port_max: config.localPortMax,
      executor: '//cmd',
      hostname: config.hostname,
      webui_url: config.webuiUrl ?? null,
      mesos_role: config.mesosRole,
      task_launch_timeout: config.taskLaunchTimeoutMs,
      task_reservation_timeout: 20_000,
      reconciliation_initial_delay: 0,
      reconciliation_interval: config.reconciliationIntervalMs,
      mesos_user: config.mesosUser,
      leader_proxy_connection_timeout_ms: 5000,
      leader_proxy_read_timeout_ms: 10_000,
      features: [...config.enableFeatures],
      env_vars_prefix: config.envVarsPrefix,
      access_control_allow_origin: null,
      decline_offer_duration: config.declineOfferMs,
      default_network_name: config.defaultNetworkName ?? null,
      max_instances_per_offer: config.instancesPerOfferMax,
      min_revive_offers_interval: config.minReviveOffersIntervalMs,
      new_group_enforce_role: config.newGroupEnforceRole ? 'top' : 'off',
    },
    zookeeper_config: {
      zk: zooKeeperText(config),
      zk_timeout: config.zkSessionTimeoutMs,
      zk_connection_timeout: config.zkSessionTimeoutMs,
      zk_session_timeout: config.zkSessionTimeoutMs,
      zk_max_versions: config.versionsPerAppMax,
    },
    http_config: { http_port: port, https_port: 8443 },
  };
}

/** The address without credentials; empty without ZooKeeper. */
function zooKeeperText({ zk }: MarathonConfig): string {
  if (zk === undefined) return '';
  const { servers, path } = zk.reveal();
  return `zk://${servers.map(({ host, port }) => `${host}:${port}`).join(',')}${path}`;
}
