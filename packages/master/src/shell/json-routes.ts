/**
 * The JSON endpoints, each also under `/master`, and the Prometheus text at `/metrics`.
 */

import { hostStatistics } from '@dcos/telemetry';
import {
  bodyBytes,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from '@dcos/http';
import type { WeightInfo } from '@dcos/wire';
import { isJsonObject, parseDurationMs } from '@dcos/base';
import type { Document } from '../views/document.ts';
import { metricsObject } from '../views/metrics.ts';
import { rolesDocument } from '../views/roles.ts';
import { agentsDocument } from '../views/v0-agents.ts';
import { frameworksDocument } from '../views/v0-frameworks.ts';
import { buildObject, stateDocument, summaryDocument } from '../views/v0-state.ts';
import { tasksDocument } from '../views/v0-tasks.ts';
import { queryOf, refuse, refuseMethod, sendDocument, sendEmpty } from './answers.ts';
import { shownFlags } from './flags.ts';
import { BUILD } from './identity.ts';
import { addExplainRoute } from './explain-route.ts';
import { addLogRoutes } from './log-routes.ts';
import { addMaintenanceRoutes } from './maintenance-routes.ts';
import { addOperationRoutes } from './operation-routes.ts';
import { addQuotaRoutes } from './quota-routes.ts';
import type { Leadership, MasterShell } from './start-master.ts';

type View = (leadership: Leadership, query: ReturnType<typeof queryOf>) => Document;

/** Documents that only read; the original answers them whatever the method is. */
const VIEWS: Readonly<Record<string, View>> = {
  '/state': ({ core, identity }) => stateDocument(core.state, identity),
  // The spelling of clients from before 1.8, which the original no longer answers.
  '/state.json': ({ core, identity }) => stateDocument(core.state, identity),
  '/state-summary': ({ core, identity }) => summaryDocument(core.state, identity),
  '/slaves': ({ core }, query) => agentsDocument(core.state, query['slave_id']),
  '/frameworks': ({ core }, query) => frameworksDocument(core.state, query['framework_id']),
  '/tasks': ({ core }, query) => tasksDocument(core.state, query),
  '/roles': ({ core }) => rolesDocument(core.state),
};

/** Adds the routes. */
export function addJsonRoutes(app: FastifyInstance, shell: MasterShell): void {
  for (const prefix of ['', '/master']) {
    addViews(app, shell, prefix);
    addOperationRoutes(app, shell, prefix);
    addExplainRoute(app, shell, prefix);
    app.all(`${prefix}/health`, (_request, reply) => sendEmpty(reply, 200));
    app.all(`${prefix}/version`, (request, reply) =>
      sendDocument(request, reply, buildObject(BUILD)),
    );
    app.all(`${prefix}/flags`, (request, reply) => onFlags(shell, request, reply));
    app.all(`${prefix}/redirect`, (_request, reply) => onRedirect(shell, reply));
    app.all(`${prefix}/teardown`, (request, reply) => onTeardown(shell, request, reply));
    app.all(`${prefix}/weights`, (request, reply) => onWeights(shell, request, reply));
    addQuotaRoutes(app, shell, prefix);
    addMaintenanceRoutes(app, shell, prefix);
  }
  app.all('/metrics/snapshot', (request, reply) => onSnapshot(shell, request, reply));
  app.get('/system/stats.json', (request, reply) => sendDocument(request, reply, hostStatistics()));
  app.get('/metrics', (_request, reply) => onPrometheus(shell, reply));
  addLogRoutes(app, shell.log);
  app.setNotFoundHandler((_request, reply) => refuse(reply, 404, '404 Not Found.'));
}

function addViews(app: FastifyInstance, shell: MasterShell, prefix: string): void {
  for (const [path, view] of Object.entries(VIEWS)) {
    app.all(prefix + path, (request, reply) => {
      const { leadership } = shell;
      if (leadership === undefined) refuse(reply, 503, 'No leading master known');
      else sendDocument(request, reply, view(leadership, queryOf(request)));
    });
  }
}

function onFlags(shell: MasterShell, request: FastifyRequest, reply: FastifyReply): void {
  const flags = shell.leadership?.identity.flags ?? shownFlags(shell.config);
  sendDocument(request, reply, { flags });
}

/** To the leader, which is this master whenever it answers at all. */
function onRedirect(shell: MasterShell, reply: FastifyReply): void {
  const identity = shell.leadership?.identity;
  if (identity === undefined) refuse(reply, 503, 'No leading master known');
  else void reply.code(307).header('location', `//${identity.hostname}:${identity.port}`).send();
}

function onSnapshot(shell: MasterShell, request: FastifyRequest, reply: FastifyReply): void {
  const { timeout } = queryOf(request);
  if (timeout !== undefined && parseDurationMs(timeout) === undefined) {
    refuse(
      reply,
      400,
      `Invalid timeout '${timeout}': Failed to convert '${/^[\d.]*/.exec(timeout)?.[0] ?? ''}' to number.\n`,
    );
    return;
  }
  sendDocument(request, reply, metricsObject(shell.masterMetrics?.snapshot() ?? {}));
}

async function onPrometheus(shell: MasterShell, reply: FastifyReply): Promise<FastifyReply> {
  const text = (await shell.masterMetrics?.prometheus()) ?? '';
  return reply.code(200).type('text/plain; version=0.0.4; charset=utf-8').send(text);
}

function onTeardown(shell: MasterShell, request: FastifyRequest, reply: FastifyReply): void {
  if (request.method !== 'POST') {
    refuseMethod(request, reply, ['POST']);
    return;
  }
  const id = new URLSearchParams(Buffer.from(bodyBytes(request.body)).toString()).get(
    'frameworkId',
  );
  if (id === null) {
    refuse(reply, 400, "Missing 'frameworkId' query parameter in the request body");
    return;
  }
  shell.dispatchCall(reply, { type: 'TEARDOWN', teardown: { framework_id: { value: id } } });
}

function onWeights(shell: MasterShell, request: FastifyRequest, reply: FastifyReply): void {
  if (request.method === 'GET') {
    const weights = shell.leadership?.core.state.weights ?? new Map<string, number>();
    sendDocument(
      request,
      reply,
      Array.from(weights, ([role, weight]) => ({ role, weight })),
    );
    return;
  }
  if (request.method !== 'PUT') {
    refuseMethod(request, reply, ['GET', 'PUT']);
    return;
  }
  const text = Buffer.from(bodyBytes(request.body)).toString();
  const weights = parseWeights(text);
  if (typeof weights === 'string') {
    refuse(
      reply,
      400,
      `Failed to parse update weights request JSON '${text.slice(0, 1000)}': ${weights}`,
    );
    return;
  }
  shell.dispatchCall(reply, {
    type: 'UPDATE_WEIGHTS',
    update_weights: { weight_infos: weights },
  });
}

/** The weights of a body, or what is wrong with it. */
function parseWeights(text: string): readonly WeightInfo[] | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return error instanceof Error ? error.message : 'not JSON';
  }
  if (!Array.isArray(json)) return 'Expecting a JSON array';
  const weights: WeightInfo[] = [];
  for (const [index, item] of json.entries()) {
    const role = isJsonObject(item) ? item['role'] : undefined;
    const weight = isJsonObject(item) ? item['weight'] : undefined;
    if (typeof role !== 'string' || typeof weight !== 'number') {
      return `Expecting item ${index} to have a string 'role' and a number 'weight'`;
    }
    weights.push({ role, weight });
  }
  return weights;
}
