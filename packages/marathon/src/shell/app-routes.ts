/** The routes below `/v2/apps`. App ids contain slashes, so the part after the prefix is taken apart here. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from '@dcos/http';
import type { Instant } from '@dcos/base';
import {
  appList,
  appTasks,
  appTasksBelow,
  appVersion,
  appVersions,
  oneApp,
  type Command,
  type MarathonState,
  type Reply,
} from '../core/index.ts';
import type { EngineReads } from './leading-engine.ts';
import { bodyOf, flagOf, originOf, pathAfter, queryOf, refuse, send } from './request.ts';

const PREFIX = '/v2/apps';

export interface RouteContext {
  readonly engine: EngineReads;
  readonly now: () => Instant;
}

/** What a path below `/v2/apps` names. */
export type AppPath =
  | { readonly kind: 'collection' }
  | {
      readonly kind: 'app' | 'restart' | 'tasks' | 'versions' | 'below' | 'belowTasks';
      readonly id: string;
    }
  | { readonly kind: 'task'; readonly id: string; readonly taskId: string }
  | { readonly kind: 'version'; readonly id: string; readonly version: string };

const SUFFIXES: readonly {
  readonly pattern: RegExp;
  readonly path: (id: string, last: string) => AppPath;
}[] = [
  { pattern: /^(.*)\/\*\/tasks$/, path: (id) => ({ kind: 'belowTasks', id }) },
  { pattern: /^(.*)\/\*$/, path: (id) => ({ kind: 'below', id }) },
  { pattern: /^(.+)\/restart$/, path: (id) => ({ kind: 'restart', id }) },
  { pattern: /^(.+)\/tasks$/, path: (id) => ({ kind: 'tasks', id }) },
  { pattern: /^(.+)\/tasks\/([^/]+)$/, path: (id, taskId) => ({ kind: 'task', id, taskId }) },
  { pattern: /^(.+)\/versions$/, path: (id) => ({ kind: 'versions', id }) },
  {
    pattern: /^(.+)\/versions\/([^/]+)$/,
    path: (id, version) => ({ kind: 'version', id, version }),
  },
];

/** Takes apart what comes after `/v2/apps`. No id ends with a word that stands for an action. */
export function parseAppPath(rest: string): AppPath {
  if (rest.replaceAll('/', '') === '') return { kind: 'collection' };
  for (const { pattern, path } of SUFFIXES) {
    const match = pattern.exec(rest);
    if (match !== null) return path(match[1] ?? '', match[2] ?? '');
  }
  return { kind: 'app', id: rest };
}

/** Adds the routes. */
export function addAppRoutes(app: FastifyInstance, context: RouteContext): void {
  const handle =
    (handler: (path: AppPath, request: FastifyRequest, context: RouteContext) => Promise<Reply>) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
      send(reply, await handler(parseAppPath(pathAfter(request, PREFIX)), request, context));
  for (const url of [PREFIX, `${PREFIX}/*`]) {
    app.get(url, handle(get));
    app.post(url, handle(post));
    app.put(url, handle(put));
    app.patch(url, handle(put));
    app.delete(url, handle(remove));
  }
}

async function get(
  path: AppPath,
  request: FastifyRequest,
  { engine, now }: RouteContext,
): Promise<Reply> {
  const query = queryOf(request);
  const embed = query.getAll('embed');
  return await engine.read((state: MarathonState) => {
    switch (path.kind) {
      case 'collection':
        return appList(state, {
          embed,
          now: now(),
          cmd: query.get('cmd'),
          id: query.get('id'),
          label: query.get('label'),
        });
      case 'app':
        return oneApp(state, path.id, { embed, now: now() });
      case 'below':
        return appList(state, { embed, now: now(), below: path.id });
      case 'belowTasks':
        return appTasksBelow(state, path.id);
      case 'tasks':
        return appTasks(state, path.id);
      case 'versions':
        return appVersions(state, path.id);
      case 'version':
        return appVersion(state, path.id, path.version);
      default:
        return refuse(405, 'this path cannot be read');
    }
  });
}

async function post(
  path: AppPath,
  request: FastifyRequest,
  { engine }: RouteContext,
): Promise<Reply> {
  const force = flagOf(queryOf(request), 'force');
  if (path.kind === 'collection') {
    return await engine.command({
      kind: 'createApp',
      body: bodyOf(request),
      force,
      origin: originOf(request),
    });
  }
  if (path.kind === 'restart') {
    return await engine.command({
      kind: 'restartApp',
      appId: path.id,
      force,
      origin: originOf(request),
    });
  }
  return refuse(405, 'POST is not possible here');
}

async function put(
  path: AppPath,
  request: FastifyRequest,
  { engine }: RouteContext,
): Promise<Reply> {
  const query = queryOf(request);
  const common = {
    body: bodyOf(request),
    force: flagOf(query, 'force'),
    partial: flagOf(query, 'partialUpdate', true),
    mayCreate: request.method === 'PUT',
    origin: originOf(request),
  };
  if (path.kind === 'collection') return await engine.command({ kind: 'updateApps', ...common });
  if (path.kind === 'app')
    return await engine.command({ kind: 'updateApp', appId: path.id, ...common });
  return refuse(405, `${request.method} is not possible here`);
}

async function remove(
  path: AppPath,
  request: FastifyRequest,
  { engine }: RouteContext,
): Promise<Reply> {
  const query = queryOf(request);
  const origin = originOf(request);
  if (path.kind === 'app') {
    return await engine.command({
      kind: 'deleteApp',
      appId: path.id,
      force: flagOf(query, 'force', true),
      origin,
    });
  }
  const options = {
    scale: flagOf(query, 'scale'),
    wipe: flagOf(query, 'wipe'),
    force: flagOf(query, 'force'),
    origin,
  };
  const command = killCommand(path, query.get('host'), options);
  if (command === undefined) return refuse(405, 'DELETE is not possible here');
  return await engine.command(command);
}

function killCommand(
  path: AppPath,
  host: string | null,
  options: Omit<Extract<Command, { readonly kind: 'killTasks' }>, 'kind' | 'of'>,
): Command | undefined {
  if (path.kind === 'task') {
    return {
      kind: 'killTasks',
      of: { kind: 'task', appId: path.id, taskId: path.taskId },
      ...options,
    };
  }
  if (path.kind === 'tasks') {
    return {
      kind: 'killTasks',
      of: { kind: 'app', appId: path.id, ...(host === null ? {} : { host }) },
      ...options,
    };
  }
  return undefined;
}
