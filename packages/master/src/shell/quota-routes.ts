/**
 * Quota over the JSON endpoints: `GET /quota`, `POST /quota` (guarantee of one role, which is its limit
 * too) and `DELETE /quota/<role>`. Each change is one v1 call.
 */

import {
  bodyBytes,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from '@dcos/http';
import { fromJson, quota, toJson, WireError } from '@dcos/wire';
import { quotaStatus } from '../core/quota-requests.ts';
import { visibleState } from '../core/visible-state.ts';
import { refuse, refuseMethod, refuseNotTaken, sendDocument } from './answers.ts';
import type { MasterShell } from './master-shell.ts';

/** Adds the routes below a prefix. */
export function addQuotaRoutes(app: FastifyInstance, shell: MasterShell, prefix: string): void {
  app.all(`${prefix}/quota`, (request, reply) => onQuota(shell, request, reply));
  app.all(`${prefix}/quota/*`, (request, reply) => onQuota(shell, request, reply));
}

function onQuota(shell: MasterShell, request: FastifyRequest, reply: FastifyReply): void {
  const { leadership } = shell;
  if (leadership === undefined) refuseNotTaken(reply);
  else if (request.method === 'GET') {
    const viewer = shell.access.viewerOf(request);
    const status = quotaStatus(visibleState(leadership.core.state, viewer));
    sendDocument(request, reply, toJson(quota.QuotaStatusType, status));
  } else if (request.method === 'POST') onSet(shell, request, reply);
  else if (request.method === 'DELETE') onRemove(shell, request, reply);
  else refuseMethod(request, reply, ['GET', 'POST', 'DELETE']);
}

function onSet(shell: MasterShell, request: FastifyRequest, reply: FastifyReply): void {
  const text = Buffer.from(bodyBytes(request.body)).toString();
  try {
    const quotaRequest = fromJson(quota.QuotaRequestType, JSON.parse(text));
    shell.dispatchCall(reply, { type: 'SET_QUOTA', set_quota: { quota_request: quotaRequest } });
  } catch (error) {
    if (!(error instanceof WireError) && !(error instanceof SyntaxError)) throw error;
    const shown = text.slice(0, 1000);
    refuse(reply, 400, `Failed to parse set quota request JSON '${shown}': ${error.message}`);
  }
}

function onRemove(shell: MasterShell, request: FastifyRequest, reply: FastifyReply): void {
  const [path = ''] = request.url.split('?');
  const tail = path.replace(/^\/master/, '').replace(/^\/quota\/?/, '');
  const role = tail === '' ? undefined : decodeRole(tail);
  if (role === undefined) {
    const full = path.startsWith('/master') ? path : `/master${path}`;
    const parts = full.split('/').filter((part) => part !== '').length;
    refuse(
      reply,
      400,
      `Failed to parse remove quota request for path '${full}': expected 3 tokens, found ${parts} tokens`,
    );
    return;
  }
  shell.dispatchCall(reply, { type: 'REMOVE_QUOTA', remove_quota: { role } });
}

function decodeRole(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
