/** The routes below `/v2/groups`. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from '@dcos/http';
import { groupApps, groupVersions, oneGroup, type Reply } from '../core/index.ts';
import type { RouteContext } from './app-routes.ts';
import { bodyOf, flagOf, originOf, pathAfter, queryOf, refuse, send } from './request.ts';

const PREFIX = '/v2/groups';

type GroupPath =
  | { readonly kind: 'group' | 'versions' | 'apps'; readonly id: string }
  | { readonly kind: 'version'; readonly id: string; readonly version: string };

/** Takes apart what comes after `/v2/groups`; the empty id is the root. */
export function parseGroupPath(rest: string): GroupPath {
  const version = /^(.*)\/versions\/([^/]+)$/.exec(rest);
  if (version !== null) return { kind: 'version', id: version[1] ?? '', version: version[2] ?? '' };
  const versions = /^(.*)\/versions$/.exec(rest);
  if (versions !== null) return { kind: 'versions', id: versions[1] ?? '' };
  const apps = /^(.*)\/apps$/.exec(rest);
  if (apps !== null) return { kind: 'apps', id: apps[1] ?? '' };
  return { kind: 'group', id: rest };
}

/** Adds the routes. */
export function addGroupRoutes(app: FastifyInstance, context: RouteContext): void {
  const handle =
    (
      handler: (path: GroupPath, request: FastifyRequest, context: RouteContext) => Promise<Reply>,
    ) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
      send(reply, await handler(parseGroupPath(pathAfter(request, PREFIX)), request, context));
  for (const url of [PREFIX, `${PREFIX}/*`]) {
    app.get(url, handle(get));
    app.post(url, handle(change));
    app.put(url, handle(change));
    app.patch(url, handle(change));
    app.delete(url, handle(change));
  }
}

async function get(
  path: GroupPath,
  request: FastifyRequest,
  { engine, now }: RouteContext,
): Promise<Reply> {
  const embed = queryOf(request).getAll('embed');
  return await engine.read((state) => {
    switch (path.kind) {
      case 'versions':
        return groupVersions(state, path.id);
      case 'version':
        return oneGroup(state, path.id, { embed, now: now(), version: path.version });
      case 'apps': {
        // A group may be called `apps` itself.
        const asGroup = oneGroup(state, `${path.id}/apps`, { embed, now: now() });
        return asGroup.statusCode === 200
          ? asGroup
          : groupApps(state, path.id, { embed, now: now() });
      }
      default:
        return oneGroup(state, path.id, { embed, now: now() });
    }
  });
}

async function change(
  path: GroupPath,
  request: FastifyRequest,
  { engine }: RouteContext,
): Promise<Reply> {
  if (path.kind === 'versions' || path.kind === 'version') {
    return refuse(405, `${request.method} is not possible here`);
  }
  const groupId = path.kind === 'apps' ? `${path.id}/apps` : path.id;
  const query = queryOf(request);
  const common = { groupId, force: flagOf(query, 'force'), origin: originOf(request) };
  switch (request.method) {
    case 'POST':
      return await engine.command({ kind: 'createGroup', body: bodyOf(request), ...common });
    case 'PUT':
      return await engine.command({
        kind: 'updateGroup',
        body: bodyOf(request),
        dryRun: flagOf(query, 'dryRun'),
        ...common,
      });
    case 'PATCH':
      return await engine.command({ kind: 'patchGroup', body: bodyOf(request), ...common });
    default:
      return await engine.command({ kind: 'deleteGroup', ...common });
  }
}
