/**
 * The HTTP interface: look-ups of hosts and services, listings, version and settings.
 */

import type { FastifyInstance, FastifyReply } from '@dcos/http';
import type { Metrics } from '@dcos/telemetry';
import { configDocument, soaName, type MesosDnsConfig } from '../config.ts';
import {
  enumerateDocument,
  hostsDocument,
  servicesDocument,
  transferDocument,
} from '../core/api.ts';
import type { Cluster } from '../core/cluster.ts';

export const VERSION = '0.9.0-dcos';

export interface HttpApiOptions {
  readonly cluster: Cluster;
  readonly serial: () => number;
  /** The settings in force, with the ports that were taken where any free one was asked for. */
  readonly config: () => MesosDnsConfig;
  readonly metrics: Metrics;
}

interface NameParams {
  readonly name: string;
}

/** Adds the routes. */
export function addRoutes(app: FastifyInstance, options: HttpApiOptions): void {
  const { cluster, metrics } = options;
  const config = options.config();
  const { zone } = cluster;
  app.get('/v1/version', (_request, reply) =>
    sendPretty(reply, {
      Service: 'Mesos-DNS',
      Version: VERSION,
      URL: 'https://github.com/mesosphere/mesos-dns',
    }),
  );
  app.get('/v1/config', (_request, reply) =>
    sendPretty(reply, configDocument(options.config(), options.serial())),
  );
  app.get<{ Params: NameParams }>('/v1/hosts/:name', (request, reply) =>
    sendPretty(reply, hostsDocument(zone, request.params.name)),
  );
  app.get('/v1/hosts/:name/ports', (_request, reply) =>
    reply.code(501).type('text/plain; charset=utf-8').send('To be implemented...'),
  );
  app.get<{ Params: NameParams }>('/v1/services/:name', (request, reply) =>
    sendPretty(reply, servicesDocument(zone, request.params.name)),
  );
  if (config.enumerationOn) {
    app.get('/v1/enumerate', (_request, reply) => sendPretty(reply, enumerateDocument(cluster)));
    app.get('/v1/axfr', (_request, reply) => {
      const head = {
        ttlSeconds: config.ttlSeconds,
        serial: options.serial(),
        refreshSeconds: config.soaRefreshSeconds,
        mname: soaName(config.soaMname),
        rname: soaName(config.soaRname),
        domain: config.domain,
      };
      return sendPretty(reply, transferDocument(zone, head));
    });
  }
  app.get('/metrics', async (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics.prometheus()),
  );
  app.setNotFoundHandler((request, reply) => {
    const known = app.findRoute({ method: 'GET', url: request.url }) !== null;
    const statusCode = request.method !== 'GET' && known ? 405 : 404;
    if (statusCode === 405) reply.header('allow', 'GET');
    return reply
      .code(statusCode)
      .type('text/plain; charset=utf-8')
      .send(statusCode === 405 ? '405: Method Not Allowed' : '404: Page Not Found');
  });
}

function sendPretty(reply: FastifyReply, value: unknown): FastifyReply {
  return reply.type('application/json').send(`${JSON.stringify(value, undefined, 1)}\n`);
}
