/**
 * The settings of each component on a host of a cluster, as its configuration file has them. Ports are the original's
 * (Admin Router 80, masters 5050, agents 5051, Marathon 8080, Mesos-DNS 8123), but that Mesos-DNS answers on port 53
 * itself: there is no forwarder before it.
 */

import { AUTHORITIES_FILE, NODE_FILE } from './certificates.ts';
import { ACTIVE, hostsOf, type Cluster, type HostPlace } from './cluster.ts';

export type Settings = Readonly<
  Record<string, string | number | boolean | readonly string[] | Readonly<Record<string, string>>>
>;

export const PORTS = {
  zooKeeper: 2181,
  zooKeeperPeers: 2888,
  zooKeeperElection: 3888,
  master: 5050,
  agent: 5051,
  marathon: 8080,
  dns: 53,
  mesosDnsHttp: 8123,
  router: 80,
  routerTls: 443,
} as const;

export const STATE = '/var/lib/dcos';

/** Written to the servers, and told to those whose leadership depends on it. */
const ZOOKEEPER_TICK_MS = 1_000;

/** What tasks without an image find programs by: those of the host, and after them the release's own, Node among them. */
const TASK_PATH = `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${ACTIVE}/bin`;

function zooKeeperAddress(cluster: Cluster, path: string): string {
  const servers = hostsOf(cluster, 'master').map(({ address }) => `${address}:${PORTS.zooKeeper}`);
  return `zk://${servers.join(',')}/${path}`;
}

/** The scheme of all addresses of components. */
export function schemeOf({ settings }: Pick<Cluster, 'settings'>): 'http' | 'https' {
  return settings.tls ? 'https' : 'http';
}

/** What every component shows and trusts; renewed files are taken up without a restart. */
function tlsSettings({ settings }: Cluster): Settings {
  return settings.tls
    ? { sslCertFile: NODE_FILE, sslKeyFile: NODE_FILE, sslCaFile: AUTHORITIES_FILE, zkTls: true }
    : {};
}

export function masterSettings(cluster: Cluster, { address }: HostPlace): Settings {
  return {
    ip: address,
    port: PORTS.master,
    hostname: address,
    cluster: cluster.settings.name,
    zk: zooKeeperAddress(cluster, 'mesos'),
    zkSessionTimeoutMs: cluster.settings.zooKeeperSessionTimeoutMs,
    zkTickMs: ZOOKEEPER_TICK_MS,
    dataDir: `${STATE}/mesos-master`,
    ...tlsSettings(cluster),
    // Frameworks of others have no certificate of ours; agents are given resources to guard.
    ...(cluster.settings.tls && { sslRequireAgentCert: true }),
  };
}

export function marathonSettings(cluster: Cluster, { address }: HostPlace): Settings {
  return {
    masters: zooKeeperAddress(cluster, 'mesos'),
    zk: zooKeeperAddress(cluster, 'marathon'),
    zkSessionTimeoutMs: cluster.settings.zooKeeperSessionTimeoutMs,
    zkTickMs: ZOOKEEPER_TICK_MS,
    httpAddress: address,
    httpPort: PORTS.marathon,
    hostname: address,
    // As in the original: it is offered the public agents, too, and uses them for those who ask for them.
    mesosRole: 'slave_public',
    acceptedResourceRolesDefaultBehavior: 'unreserved',
    ...tlsSettings(cluster),
  };
}

export function mesosDnsSettings(cluster: Cluster, { address }: HostPlace): Settings {
  return {
    masters: zooKeeperAddress(cluster, 'mesos'),
    listener: address,
    port: PORTS.dns,
    httpListener: address,
    httpPort: PORTS.mesosDnsHttp,
    ttlSeconds: cluster.settings.dnsTtlSeconds,
    resolvers: cluster.settings.resolvers,
    ...tlsSettings(cluster),
  };
}

export function routerSettings(cluster: Cluster, { address }: HostPlace): Settings {
  return {
    host: '0.0.0.0',
    ...(cluster.settings.tls
      ? { port: PORTS.routerTls, redirectPort: PORTS.router, agentsSpeakTls: true }
      : { port: PORTS.router }),
    masters: zooKeeperAddress(cluster, 'mesos'),
    mesosDnsUrl: `${schemeOf(cluster)}://${address}:${PORTS.mesosDnsHttp}`,
    uiDirectory: `${ACTIVE}/ui`,
    clusterId: cluster.id,
    publicIp: address,
    allowedHosts: [...routerHosts(cluster), ...cluster.routerNames],
    ...tlsSettings(cluster),
  };
}

/** Under which names a router of this cluster is asked; any of the masters may stand behind one. */
function routerHosts(cluster: Cluster): readonly string[] {
  const masters = hostsOf(cluster, 'master').flatMap(({ name, address }) => [address, name]);
  return [...masters, 'leader.mesos', 'master.mesos'];
}

export function agentSettings(cluster: Cluster, { address, role }: HostPlace): Settings {
  const isPublic = role === 'public';
  const { privateAgentResources, publicAgentResources } = cluster.settings;
  return {
    masters: zooKeeperAddress(cluster, 'mesos'),
    ip: address,
    port: PORTS.agent,
    hostname: address,
    workDir: `${STATE}/mesos-agent`,
    resources: isPublic ? publicAgentResources : privateAgentResources,
    executorEnvironment: { PATH: TASK_PATH },
    ...tlsSettings(cluster),
    ...(isPublic && { defaultRole: 'slave_public', attributes: 'public_ip:true' }),
  };
}

/** ZooKeeper's own format. Its servers are the masters, in the order of their ids. */
export function zooKeeperSettings(cluster: Cluster): string {
  const servers = hostsOf(cluster, 'master').map(
    ({ address }, index) =>
      `server.${index + 1}=${address}:${PORTS.zooKeeperPeers}:${PORTS.zooKeeperElection}`,
  );
  return [
    `tickTime=${ZOOKEEPER_TICK_MS}`,
    'initLimit=30',
    'syncLimit=10',
    `dataDir=${STATE}/zookeeper`,
    ...(cluster.settings.tls ? zooKeeperTls() : [`clientPort=${PORTS.zooKeeper}`]),
    'minSessionTimeout=1000',
    'maxSessionTimeout=60000',
    'autopurge.snapRetainCount=5',
    'autopurge.purgeInterval=1',
    'admin.enableServer=false',
    '4lw.commands.whitelist=srvr,ruok,mntr',
    // One server alone is no ensemble.
    ...(servers.length > 1 ? servers : []),
    '',
  ].join('\n');
}

/**
 * Clients and servers show certificates to each other. Renewed files are used with the next start: ZooKeeper could follow
 * them, but does not start where the host's inotify instances are used up.
 */
function zooKeeperTls(): readonly string[] {
  const files = ['ssl', 'ssl.quorum'].flatMap((what) => [
    `${what}.keyStore.location=${NODE_FILE}`,
    `${what}.trustStore.location=${AUTHORITIES_FILE}`,
    // Names do not tell the kind of a store.
    `${what}.keyStore.type=PEM`,
    `${what}.trustStore.type=PEM`,
  ]);
  return [
    `secureClientPort=${PORTS.zooKeeper}`,
    'serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory',
    'ssl.clientAuth=need',
    'sslQuorum=true',
    ...files,
  ];
}
