/**
 * The units of a host, as systemd reads them. Programs come from the mounted release; what they keep is below
 * /var/lib/dcos, so that a host that loses power finds it again.
 */

/** Where the release is mounted on each host. */
export const RELEASE = '/opt/dcos/active';
export const NODE = `${RELEASE}/node_modules/node-linux-${process.arch}/bin/node`;

export interface Unit {
  readonly name: string;
  readonly text: string;
}

export type Flags = Readonly<Record<string, string | number>>;

/** One of our programs; systemd starts it again a second after it died. */
export function program(name: string, part: string, flags: Flags): Unit {
  const words = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
  const main = `${RELEASE}/packages/${part}/src/main.ts`;
  return {
    name,
    text: unitText(name, [NODE, '--conditions=@dcos/source', main, ...words]),
  };
}

const JARS = ['zookeeper', 'slf4j-log4j12', 'log4j-1.2'].map((jar) => `/usr/share/java/${jar}.jar`);
export const ZOOKEEPER_FOLDER = '/var/lib/dcos/zookeeper';
/** What servers of an ensemble talk to each other on. */
export const ENSEMBLE_PORTS = [2888, 3888] as const;
export const AGENT_FOLDER = '/var/lib/dcos/mesos-agent';

/** ZooKeeper of the distribution's package; its settings are {@link zooKeeperSettings}. */
export function zooKeeper(): Unit {
  return {
    name: 'dcos-zookeeper',
    text: unitText('dcos-zookeeper', [
      '/usr/bin/java',
      '-Xmx96m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-cp',
      `/etc/zookeeper/conf:${JARS.join(':')}`,
      'org.apache.zookeeper.server.quorum.QuorumPeerMain',
      '/etc/dcos/zookeeper.cfg',
    ]),
  };
}

/** @param servers addresses of all servers, in the order of their ids. */
export function zooKeeperSettings(servers: readonly string[]): string {
  return [
    'tickTime=1000',
    'initLimit=30',
    'syncLimit=10',
    `dataDir=${ZOOKEEPER_FOLDER}`,
    'clientPort=2181',
    'minSessionTimeout=1000',
    'maxSessionTimeout=60000',
    'admin.enableServer=false',
    '4lw.commands.whitelist=srvr',
    ...(servers.length > 1
      ? servers.map(
          (address, index) => `server.${index + 1}=${address}:${ENSEMBLE_PORTS.join(':')}`,
        )
      : []),
    '',
  ].join('\n');
}

function unitText(name: string, command: readonly string[]): string {
  return `[Unit]
Description=${name}
StartLimitIntervalSec=0

[Service]
ExecStart=${command.map(quoted).join(' ')}
Environment=NODE_COMPILE_CACHE=/var/cache/dcos
Restart=always
RestartSec=1
KillMode=process
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
`;
}

/** A word as systemd takes it whole. */
function quoted(word: string): string {
  return word.includes('"') ? `'${word}'` : word;
}
