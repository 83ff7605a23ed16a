/** A cluster on hosts of its own: masters with ZooKeeper, Marathon and router, private and public agents. */

import { workspaceRoot } from '@dcos/testkit';
import { removeOrphans } from './engine.ts';
import { HostNetwork } from './host-network.ts';
import { Host } from './host.ts';
import {
  AGENT_FOLDER,
  program,
  RELEASE,
  zooKeeper,
  zooKeeperSettings,
  ZOOKEEPER_FOLDER,
  type Flags,
  type Unit,
} from './units.ts';

export interface ClusterSize {
  readonly masters: number;
  readonly privateAgents: number;
  readonly publicAgents: number;
}

export interface Cluster {
  readonly network: HostNetwork;
  readonly masters: readonly Host[];
  /** Those that are left. */
  agents: readonly Host[];
  /** Stops all hosts and removes what they had. */
  isRemoved(): Promise<void>;
}

/** How long a session of a master in ZooKeeper lives without a sign of life. */
export const SESSION_TIMEOUT_MS = 4_000;

/** Small, so that it can be filled. */
const AGENT_DISK_MB = 128;

/** Boots the hosts and starts the units; what is ready when is for the test to wait for. */
export async function startCluster(name: string, size: ClusterSize): Promise<Cluster> {
  await removeOrphans();
  const network = await HostNetwork.create(name);
  const hosts: Host[] = [];
  const boot = async (kind: string, count: number): Promise<readonly Host[]> => {
    const names = Array.from({ length: count }, (_, index) => `${kind}-${index + 1}`);
    const booted = await Promise.all(
      names.map(
        async (host) =>
          await Host.boot(network, { name: host, mounts: { [workspaceRoot]: RELEASE } }),
      ),
    );
    hosts.push(...booted);
    return booted;
  };
  const isRemoved = async (): Promise<void> => {
    await Promise.all(hosts.map(async (host) => await host.isRemoved()));
    await network.isRemoved();
  };
  try {
    const masters = await boot('master', size.masters);
    const privateAgents = await boot('private', size.privateAgents);
    const publicAgents = await boot('public', size.publicAgents);
    const ensemble = masters.map(({ address }) => address);
    await Promise.all(masters.map(async (host) => await installMaster(host, ensemble)));
    await Promise.all([
      ...privateAgents.map(async (host) => await installAgent(host, ensemble, {})),
      ...publicAgents.map(
        async (host) =>
          await installAgent(host, ensemble, {
            'default-role': 'slave_public',
            attributes: 'public_ip:true',
          }),
      ),
    ]);
    return { network, masters, agents: [...privateAgents, ...publicAgents], isRemoved };
  } catch (error) {
    await isRemoved();
    throw error;
  }
}

async function installMaster(host: Host, ensemble: readonly string[]): Promise<void> {
  const units = [
    zooKeeper(),
    program('dcos-mesos-master', 'master', {
      ip: host.address,
      port: 5050,
      hostname: host.address,
      zk: zooKeeperAddress(ensemble, 'mesos'),
      zk_session_timeout: `${SESSION_TIMEOUT_MS}ms`,
      work_dir: '/var/lib/dcos/mesos-master',
      agent_ping_timeout: '2secs',
      max_agent_ping_timeouts: 3,
    }),
    program('dcos-marathon', 'marathon', {
      masters: zooKeeperAddress(ensemble, 'mesos'),
      zk: zooKeeperAddress(ensemble, 'marathon'),
      'zk-session-timeout-ms': SESSION_TIMEOUT_MS,
      'http-address': host.address,
      hostname: host.address,
    }),
    program('dcos-mesos-dns', 'mesos-dns', {
      masters: zooKeeperAddress(ensemble, 'mesos'),
      listener: host.address,
      'http-listener': host.address,
    }),
    program('dcos-adminrouter', 'router', {
      masters: zooKeeperAddress(ensemble, 'mesos'),
      host: host.address,
      port: 80,
      'marathon-url': `http://${host.address}:8080`,
      'mesos-dns-url': `http://${host.address}:8123`,
      'ui-directory': `${RELEASE}/packages/ui/dist`,
      'allowed-hosts': JSON.stringify([host.address]),
      'public-ip': host.address,
    }),
  ];
  await install(host, units, {
    '/etc/dcos/zookeeper.cfg': zooKeeperSettings(ensemble),
    [`${ZOOKEEPER_FOLDER}/myid`]: `${ensemble.indexOf(host.address) + 1}\n`,
  });
}

async function installAgent(host: Host, ensemble: readonly string[], flags: Flags): Promise<void> {
  await host.getsSmallDisk(AGENT_FOLDER, AGENT_DISK_MB);
  const unit = program('dcos-mesos-agent', 'agent', {
    masters: zooKeeperAddress(ensemble, 'mesos'),
    ip: host.address,
    port: 5051,
    'work-dir': AGENT_FOLDER,
    resources: 'cpus:8;mem:4096;disk:8192;ports:[31000-31999]',
    ...flags,
  });
  await install(host, [unit]);
}

/** What the programs of a cluster call the place of one of them in the ensemble. */
function zooKeeperAddress(ensemble: readonly string[], path: string): string {
  return `zk://${ensemble.map((address) => `${address}:2181`).join(',')}/${path}`;
}

async function install(
  host: Host,
  units: readonly Unit[],
  files: Readonly<Record<string, string>> = {},
): Promise<void> {
  const texts = units.map(({ name, text }) => [`/etc/systemd/system/${name}.service`, text]);
  await host.writes({ ...files, ...(Object.fromEntries(texts) as Record<string, string>) });
  await host.does('systemctl', 'daemon-reload');
  await host.starts(...units.map(({ name }) => `${name}.service`));
}
