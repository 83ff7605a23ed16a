/**
 * `GET /api/v1/explain`: why there is no offer. `?role=NAME` explains a role and its frameworks,
 * `?framework=ID` a framework in all its roles; without either, all roles and where they stand. Beyond
 * the original. 404 for a role or framework that nobody knows; no side effects.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from '@dcos/http';
import { explainFramework, explainRole, explainRoles } from '../views/explain.ts';
import { queryOf, refuse, refuseMethod, refuseNotTaken, sendDocument } from './answers.ts';
import type { MasterShell } from './master-shell.ts';

/** Adds the route below a prefix. */
export function addExplainRoute(app: FastifyInstance, shell: MasterShell, prefix: string): void {
  app.all(`${prefix}/api/v1/explain`, (request, reply) => onExplain(shell, request, reply));
}

function onExplain(shell: MasterShell, request: FastifyRequest, reply: FastifyReply): void {
  if (request.method !== 'GET') {
    refuseMethod(request, reply, ['GET']);
    return;
  }
  const { leadership } = shell;
  if (leadership === undefined) {
    refuseNotTaken(reply);
    return;
  }
  const context = {
    state: leadership.core.state,
    allocator: leadership.allocator,
    monotonicMs: shell.monotonicMs(),
  };
  const { role, framework } = queryOf(request);
  if (framework !== undefined) {
    const document = explainFramework(context, framework);
    if (document === undefined) refuse(reply, 404, `There is no framework '${framework}'`);
    else sendDocument(request, reply, document);
    return;
  }
  const document = role === undefined ? explainRoles(context) : explainRole(context, role);
  if (document === undefined) {
    refuse(
      reply,
      404,
      `There is no role '${role ?? ''}': nobody has subscribed to it, holds or reserved something for it, or set a quota`,
    );
  } else sendDocument(request, reply, document);
}
