/**
 * What a master that does not lead answers: where the leader is, for every endpoint but those that are
 * about this process.
 *
 * @see the original's `Master::Http::redirect`.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from '@dcos/http';
import { refuseNotTaken } from './answers.ts';
import { routeOf } from './access-rules.ts';
import type { MasterShell } from './master-shell.ts';

/** Endpoints that answer for the process itself. */
const LOCAL: ReadonlySet<string> = new Set([
  '/health',
  '/version',
  '/flags',
  '/redirect',
  '/metrics',
  '/metrics/snapshot',
  '/system/stats.json',
  '/files/browse',
  '/files/read',
  '/files/download',
  '/files/debug',
]);

/** Where a client is to go instead. */
export type Elsewhere =
  | { readonly status: 307; readonly location: string }
  | { readonly status: 503; readonly text: string };

/** Sends clients to the leader, with the path and query that they asked for, while this master is not it. */
export function addLeaderRedirect(app: FastifyInstance, shell: MasterShell): void {
  const redirect = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { url } = request.routeOptions;
    if (url === undefined || LOCAL.has(routeOf(url))) return;
    const elsewhere = shell.elsewhere();
    if (elsewhere === undefined) return;
    if (elsewhere.status === 503) refuseNotTaken(reply, elsewhere.text);
    else
      void reply
        .code(307)
        .header('location', elsewhere.location + request.url)
        .send();
    await reply;
  };
  app.addHook('onRequest', redirect);
  // Another one may lead by the time that the body is there.
  app.addHook('preHandler', redirect);
}
