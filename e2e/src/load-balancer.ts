/**
 * HAProxy of the distribution's package before an app, as it comes: it follows the SRV records of the app in Mesos-DNS
 * of all masters, asks each server for its health, and sends a request that a server did not take to another one.
 */

import type { Host } from './host.ts';

const SETTINGS = '/etc/dcos/haproxy.cfg';
const UNIT = 'app-balancer';
const PORT = 9_090;
/** More than the app has tasks, while old ones end and new ones begin. */
const SERVERS_MAX = 12;

export interface LoadBalancerOptions {
  /** Hosts whose Mesos-DNS it asks. */
  readonly nameServers: readonly Host[];
  /** The app as Mesos-DNS calls it: `_<app>._tcp.<framework>.<domain>`. */
  readonly service: string;
}

/** Starts it; resolves with its address when it runs, with whatever servers. */
export async function startLoadBalancer(
  host: Host,
  { nameServers, service }: LoadBalancerOptions,
): Promise<string> {
  const bind = `${host.address}:${PORT}`;
  await host.writes({
    [SETTINGS]: settings({ bind, nameServers, service }),
    [`/etc/systemd/system/${UNIT}.service`]: [
      '[Service]',
      'Type=notify',
      `ExecStart=/usr/sbin/haproxy -Ws -f ${SETTINGS}`,
      'Restart=always',
      '',
    ].join('\n'),
  });
  await host.does('systemctl', 'daemon-reload');
  await host.does('systemctl', 'start', UNIT);
  return `http://${bind}`;
}

function settings({
  bind,
  nameServers,
  service,
}: LoadBalancerOptions & { readonly bind: string }): string {
  const servers = nameServers.map(
    ({ address }, index) => `  nameserver dns${index + 1} ${address}:53`,
  );
  return `global
  maxconn 1000
  log stdout format raw daemon notice

defaults
  mode http
  log global
  timeout connect 1s
  timeout client 10s
  timeout server 10s
  retries 3
  retry-on conn-failure empty-response
  option redispatch 1

resolvers mesos
${servers.join('\n')}
  accepted_payload_size 8192
  timeout resolve 1s
  timeout retry 1s
  hold valid 1s
  # Names that nobody tells are kept: what they stood for may well run on.
  hold other 1h
  hold refused 1h
  hold timeout 1h
  hold nx 5s
  hold obsolete 5s

listen app
  bind ${bind}
  balance roundrobin
  option httpchk GET /
  default-server inter 500ms fall 2 rise 1 resolvers mesos resolve-prefer ipv4 init-addr none
  server-template app ${SERVERS_MAX} ${service} check
`;
}
