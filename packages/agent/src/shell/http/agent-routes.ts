/**
 * All routes of the agent. The v0 routes exist below `/slave(1)` too, which is the agent's name in the
 * original; documents with task data answer 503 while the agent recovers.
 */

import { sendJson, type FastifyInstance, type FastifyReply, type FastifyRequest } from '@dcos/http';
import type { Metrics } from '@dcos/telemetry';
import { parseDurationMs, type Logger } from '@dcos/base';
import type { ExecutorStreams } from '../executor-streams.ts';
import type { ExecutorTokens } from '../executor-tokens.ts';
import { addExecutorApi } from './executor-api.ts';
import { addFilesRoutes, plain } from './files-routes.ts';
import { addOperatorApi, type OperatorApiOptions, type Verbosity } from './operator-api.ts';
import { containersDocument } from './container-documents.ts';
import { stateDocument, type DocumentInput } from './state-documents.ts';
import { addTaskLogRoutes } from './task-logs.ts';

/** Name of the agent's process in old URLs. */
export const PROCESS_PREFIX = '/slave(1)';

export interface AgentRoutesOptions {
  readonly app: FastifyInstance;
  readonly api: Omit<OperatorApiOptions, 'access'>;
  /** Absent until the agent is started. */
  readonly executors: () => ExecutorStreams | undefined;
  /** Present when executors must prove who they are. */
  readonly tokens: ExecutorTokens | undefined;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly now: () => number;
  readonly document: () => DocumentInput;
}

/** Adds everything. Returns what ends open streams. */
export function addAgentRoutes(options: AgentRoutesOptions): () => void {
  const { app } = options;
  app.setNotFoundHandler(async (_request, reply) => await plain(reply, 404, ''));
  const stop = addTaskLogRoutes(app, {
    files: options.api.files,
    agentId: () => options.api.snapshot().agentId ?? '',
    now: options.now,
    logger: options.logger,
  });
  for (const prefix of ['', PROCESS_PREFIX]) {
    void app.register(
      async (scope) => {
        await Promise.resolve();
        addDocuments(scope, options);
        addFilesRoutes(scope, options.api.files);
        const access = { tokens: options.tokens, snapshot: options.api.snapshot };
        addOperatorApi(scope, { ...options.api, access });
        addExecutorApi(scope, options.executors, access);
      },
      { prefix },
    );
  }
  return stop;
}

function addDocuments(app: FastifyInstance, options: AgentRoutesOptions): void {
  const { api, metrics } = options;
  const whenRecovered = async (reply: FastifyReply, answer: () => unknown): Promise<unknown> => {
    if (api.snapshot().phase === 'recovering') {
      return await plain(reply, 503, 'Agent has not finished recovery');
    }
    return await sendJson(reply, 200, await answer());
  };
  app.get('/health', async (_request, reply) => await plain(reply, 200, ''));
  app.get('/version', async (_request, reply) => await sendJson(reply, 200, api.versionDocument));
  app.all('/logging/toggle', async (request, reply) => await toggle(api.verbosity, request, reply));
  app.get('/flags', async (_request, reply) => await sendJson(reply, 200, { flags: api.flags }));
  app.get(
    '/metrics/snapshot',
    async (_request, reply) => await sendJson(reply, 200, metrics.snapshot()),
  );
  app.get('/metrics', async (_request, reply) => {
    reply.type('text/plain; version=0.0.4; charset=utf-8');
    return await reply.send(await metrics.prometheus());
  });
  for (const path of ['/state', '/state.json']) {
    app.get(
      path,
      async (_request, reply) =>
        await whenRecovered(reply, () => stateDocument(options.document())),
    );
  }
  const usage = (path: string, content: 'containers' | 'statistics'): void => {
    app.get(
      path,
      async (request, reply) =>
        await whenRecovered(reply, async () => {
          const query = request.query as Readonly<Record<string, string | undefined>>;
          const launched = await api.launchedUsage({
            nested: query['show_nested'] === 'true',
            standalone: query['show_standalone'] === 'true',
          });
          return containersDocument(api.ip, await api.usage(), launched, content);
        }),
    );
  };
  usage('/containers', 'containers');
  usage('/monitor/statistics', 'statistics');
  usage('/monitor/statistics.json', 'statistics');
}

/** Shows the level, or sets it for a while. The original's words. */
async function toggle(
  verbosity: Verbosity,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const { level, duration } = request.query as Readonly<Record<string, string | undefined>>;
  if (level === undefined && duration === undefined)
    return await plain(reply, 200, `${verbosity.level}\n`);
  if (level === undefined || duration === undefined) {
    const missing = level === undefined ? 'level' : 'duration';
    return await plain(reply, 400, `Expecting '${missing}=value' in query.\n`);
  }
  const durationMs = parseDurationMs(duration);
  if (!/^\d{1,3}$/.test(level))
    return await plain(reply, 400, `Failed to convert '${level}' to number.\n`);
  if (durationMs === undefined) return await plain(reply, 400, `Invalid duration '${duration}'.\n`);
  verbosity.setLevel(Number(level), durationMs);
  return await plain(reply, 200, '');
}
