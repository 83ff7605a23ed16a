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
import type { Viewer } from '../core/viewer.ts';
import type { MasterState } from '../core/state.ts';
import type { Document } from '../views/document.ts';
import { metricsObject } from '../views/metrics.ts';
import { rolesDocument } from '../views/roles.ts';
import { agentsDocument } from '../views/v0-agents.ts';
import { frameworksDocument } from '../views/v0-frameworks.ts';
import { buildObject, stateDocument, summaryDocument } from '../views/v0-state.ts';
import { tasksDocument } from '../views/v0-tasks.ts';
import { visibleState } from '../core/visible-state.ts';
import {
  queryOf,
  refuse,
  refuseMethod,
  refuseNotTaken,
  sendDocument,
  sendEmpty,
} from './answers.ts';
import { BUILD } from './identity.ts';
import { addExplainRoute } from './explain-route.ts';
import { addIncidentRoutes } from './incident-routes.ts';
import { addLogRoutes } from './log-routes.ts';
import { addMaintenanceRoutes } from './maintenance-routes.ts';
import { addOperationRoutes } from './operation-routes.ts';
import { addQuotaRoutes } from './quota-routes.ts';
import type { Leadership, MasterShell } from './master-shell.ts';

interface Look {
  readonly leadership: Leadership;
  /** The state as far as the viewer may see it. */
  readonly state: MasterState;
  readonly viewer: Viewer;
  readonly showsFlags: boolean;
  readonly query: ReturnType<typeof queryOf>;
}

/** All that there is to measure of a master that does not lead. */
const FOLLOWS = { 'master/elected': 0 };

type View = (look: Look) => Document;

const stateView: View = ({ leadership, state, showsFlags }) =>
  stateDocument(state, leadership.identity, { showsFlags });

/** Documents that only read; the original answers them whatever the method is. */
const VIEWS: Readonly<Record<string, View>> = {
  '/state': stateView,
  // The spelling of clients from before 1.8, which the original no longer answers.
  '/state.json': stateView,
  '/state-summary': ({ leadership, state }) => summaryDocument(state, leadership.identity),
  '/slaves': ({ state, query }) => agentsDocument(state, query['slave_id']),
  '/frameworks': ({ state, query }) => frameworksDocument(state, query['framework_id']),
  '/tasks': ({ state, query }) => tasksDocument(state, query),
  '/roles': ({ leadership, viewer }) => rolesDocument(leadership.core.state, viewer),
};

/** Adds the routes. */
export function addJsonRoutes(app: FastifyInstance, shell: MasterShell): void {
  for (const prefix of ['', '/master']) {
    addViews(app, shell, prefix);
    addOperationRoutes(app, shell, prefix);
    addExplainRoute(app, shell, prefix);
    addIncidentRoutes(app, shell, prefix);
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
      if (leadership === undefined) {
        refuseNotTaken(reply);
        return;
      }
      const viewer = shell.access.viewerOf(request);
      const look: Look = {
        leadership,
        state: visibleState(leadership.core.state, viewer),
        viewer,
        showsFlags: shell.access.showsFlags(request),
        query: queryOf(request),
      };
      sendDocument(request, reply, view(look));
    });
  }
}

function onFlags(shell: MasterShell, request: FastifyRequest, reply: FastifyReply): void {
  sendDocument(request, reply, { flags: shell.flags });
}

/** To the leader, which may be this master. */
function onRedirect(shell: MasterShell, reply: FastifyReply): void {
  const identity = shell.leadership?.identity;
  const elsewhere = shell.elsewhere();
  if (identity !== undefined) {
    void reply.code(307).header('location', `//${identity.hostname}:${identity.port}`).send();
  } else if (elsewhere?.status === 307) {
    void reply.code(307).header('location', elsewhere.location).send();
  } else refuseNotTaken(reply, elsewhere?.text);
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
  sendDocument(request, reply, metricsObject(shell.masterMetrics?.snapshot() ?? FOLLOWS));
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
    const viewer = shell.access.viewerOf(request);
    const weights = [...(shell.leadership?.core.state.weights ?? [])]
      .filter(([role]) => viewer.sees('VIEW_ROLE', role))
      .map(([role, weight]) => ({ role, weight }));
    sendDocument(request, reply, weights);
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
