/**
 * A ZooKeeper ensemble of the distribution's package, on loopback ports and in a folder of its own: real
 * servers that tests kill, freeze and start again.
 *
 * Time passes five times faster than with the usual settings, so that elections of the ensemble itself and
 * ends of sessions take part of a second.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, openSync, closeSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { facility, program, type Facility } from './facility.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { waitFor } from './wait-for.ts';

const JAR = '/usr/share/java/zookeeper.jar';
/** With these a server speaks TLS to clients. */
const NETTY_JARS = ['common', 'buffer', 'resolver', 'transport', 'codec', 'handler'].map(
  (part) => `/usr/share/java/netty-${part}.jar`,
);
const CLASS_PATH = [
  JAR,
  ...NETTY_JARS,
  '/usr/share/java/slf4j-log4j12.jar',
  '/usr/share/java/log4j-1.2.jar',
];
/** The usual `tickTime` of its servers. */
export const ZOOKEEPER_TICK_MS = 400;
const HEAP_MEGABYTES = 64;
/** Small machines start servers slowly. */
const READY_TIMEOUT_MS = 60_000;

/** Java and the package `zookeeper`. */
export function zooKeeper(): Facility {
  const java = program('java');
  return java.available ? facility(existsSync(JAR), 'zookeeper is not installed') : java;
}

/** The same, able to speak TLS to clients. */
export function zooKeeperWithTls(): Facility {
  const plain = zooKeeper();
  return plain.available
    ? facility(
        NETTY_JARS.every((jar) => existsSync(jar)),
        'netty is not installed',
      )
    : plain;
}

export interface ZooKeeperServer {
  readonly port: number;
  /** `leader`, `follower` or `standalone`; undefined while it serves nobody. */
  mode(): Promise<string | undefined>;
  /** As by `systemctl stop`. Resolves when it is gone. */
  end(): Promise<void>;
  /** As by `kill -9`. Resolves when it is gone. */
  kill(): Promise<void>;
  /** Stops it without its noticing. */
  freeze(): void;
  thaw(): void;
  /** Starts it again, with what it had on disk. */
  start(): void;
}

export interface ZooKeeperEnsemble {
  readonly servers: readonly ZooKeeperServer[];
  /** The `zk://` address of a path, all servers named. */
  address(path: string): string;
  /** Resolves when all servers serve. */
  ready(): Promise<void>;
  /** The server that leads the ensemble. */
  leader(): Promise<ZooKeeperServer>;
  stop(): Promise<void>;
}

/** What measurements need otherwise than tests do. */
export interface EnsembleSettings {
  /** Of the servers' own clock; sessions end at multiples of it. */
  readonly tickMs?: number;
  readonly heapMegabytes?: number;
  /** Clients must speak TLS, and show a certificate of the authorities in `sslCaFile`. PEM files. */
  readonly tls?: {
    readonly sslCertFile: string;
    readonly sslKeyFile: string;
    readonly sslCaFile: string;
  };
  /** Whether a write is on the disk before it is acknowledged. Without it the disk is not waited for. */
  readonly isDurable?: boolean;
}

/** Starts an ensemble; resolves when it serves. */
export async function startZooKeeperEnsemble(
  serverCount: number,
  settings: EnsembleSettings = {},
): Promise<ZooKeeperEnsemble> {
  const folder = temporaryDirectory('zookeeper');
  const ports = await freePorts(4 * serverCount);
  const port = (index: number): number => ports[index] as number;
  const quorum = Array.from(
    { length: serverCount },
    (_, index) =>
      `server.${index + 1}=127.0.0.1:${port(serverCount + index)}:${port(2 * serverCount + index)}`,
  );
  writeFileSync(join(folder.path, 'log4j.properties'), LOGGING);
  const servers = quorum.map((_, index) =>
    createServerProcess(join(folder.path, String(index + 1)), {
      id: index + 1,
      port: port(index),
      securePort: port(3 * serverCount + index),
      quorum,
      logging: join(folder.path, 'log4j.properties'),
      ...settings,
    }),
  );
  for (const server of servers) server.start();
  const hosts = servers
    .map((server, index) => (settings.tls ? port(3 * serverCount + index) : server.port))
    .map((clientPort) => `127.0.0.1:${clientPort}`)
    .join(',');
  const ensemble: ZooKeeperEnsemble = {
    servers,
    address: (path) => `zk://${hosts}${path}`,
    async ready() {
      for (const server of servers) {
        await waitFor(`ZooKeeper on port ${server.port}`, () => server.mode(), READY_TIMEOUT_MS);
      }
    },
    leader: async () =>
      await waitFor(
        'a leading ZooKeeper server',
        async () => {
          for (const server of servers) if ((await server.mode()) === 'leader') return server;
          return undefined;
        },
        READY_TIMEOUT_MS,
      ),
    async stop() {
      await Promise.all(servers.map((server) => server.kill()));
      folder.remove();
    },
  };
  try {
    await ensemble.ready();
  } catch (error) {
    const logs = quorum.map((_, index) => logOf(join(folder.path, String(index + 1))));
    await ensemble.stop();
    throw new Error(`ZooKeeper did not start: ${logs.join('\n')}`, { cause: error });
  }
  return ensemble;
}

const LOGGING = `log4j.rootLogger=WARN, A
log4j.appender.A=org.apache.log4j.ConsoleAppender
log4j.appender.A.layout=org.apache.log4j.PatternLayout
log4j.appender.A.layout.ConversionPattern=%d %p %c{1} %m%n
`;

interface ServerSettings extends EnsembleSettings {
  readonly id: number;
  readonly port: number;
  /** Of clients that speak TLS, where the settings ask for it. */
  readonly securePort: number;
  readonly quorum: readonly string[];
  readonly logging: string;
}

function createServerProcess(
  folder: string,
  { id, port, securePort, quorum, logging, ...rest }: ServerSettings,
): ZooKeeperServer {
  mkdirSync(folder);
  writeFileSync(join(folder, 'myid'), `${id}\n`);
  const settings = [
    `tickTime=${rest.tickMs ?? ZOOKEEPER_TICK_MS}`,
    'initLimit=25',
    'syncLimit=10',
    `dataDir=${folder}`,
    `clientPort=${port}`,
    'clientPortAddress=127.0.0.1',
    'minSessionTimeout=800',
    'maxSessionTimeout=60000',
    'admin.enableServer=false',
    '4lw.commands.whitelist=srvr',
    'maxClientCnxns=0',
    ...(quorum.length > 1 ? quorum : []),
    ...(rest.tls === undefined ? [] : tlsSettings(folder, securePort, rest.tls)),
  ];
  writeFileSync(join(folder, 'zoo.cfg'), `${settings.join('\n')}\n`);
  let child: ChildProcess | undefined;
  let exited: Promise<void> = Promise.resolve();
  return {
    port,
    mode: () => modeOf(port),
    start() {
      const log = openSync(join(folder, 'log'), 'a');
      const started = spawn('java', [...javaFlags(logging, rest), join(folder, 'zoo.cfg')], {
        stdio: ['ignore', log, log],
      });
      closeSync(log);
      child = started;
      exited = new Promise((resolve) => started.on('exit', () => resolve()));
    },
    async end() {
      child?.kill('SIGTERM');
      await exited;
    },
    async kill() {
      child?.kill('SIGKILL');
      await exited;
    },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
  };
}

function tlsSettings(
  folder: string,
  port: number,
  { sslCertFile, sslKeyFile, sslCaFile }: NonNullable<EnsembleSettings['tls']>,
): readonly string[] {
  const shown = join(folder, 'shown.pem');
  const trusted = join(folder, 'trusted.pem');
  writeFileSync(shown, readFileSync(sslKeyFile, 'utf8') + readFileSync(sslCertFile, 'utf8'));
  writeFileSync(trusted, readFileSync(sslCaFile));
  return [
    `secureClientPort=${port}`,
    'secureClientPortAddress=127.0.0.1',
    'serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory',
    `ssl.keyStore.location=${shown}`,
    `ssl.trustStore.location=${trusted}`,
  ];
}

/** Small, quick to start, and without waiting for the disk: power does not fail in tests. */
function javaFlags(
  logging: string,
  { heapMegabytes = HEAP_MEGABYTES, isDurable = false }: EnsembleSettings,
): readonly string[] {
  return [
    `-Xmx${heapMegabytes}m`,
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Xshare:auto',
    `-Dzookeeper.forceSync=${isDurable ? 'yes' : 'no'}`,
    '-Dzookeeper.extendedTypesEnabled=true',
    `-Dlog4j.configuration=file:${logging}`,
    '-cp',
    CLASS_PATH.join(':'),
    'org.apache.zookeeper.server.quorum.QuorumPeerMain',
  ];
}

/** Asks a server by its command of four letters. */
async function modeOf(port: number): Promise<string | undefined> {
  const answer = await new Promise<string>((resolve) => {
    let text = '';
    const socket = connect({ host: '127.0.0.1', port, timeout: 1_000 });
    socket.on('connect', () => socket.write('srvr'));
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.on('timeout', () => socket.destroy());
    // A server that is not there has no mode.
    socket.on('error', () => resolve(''));
    socket.on('close', () => resolve(text));
  });
  return /^Mode: (\w+)$/m.exec(answer)?.[1];
}

function logOf(folder: string): string {
  const file = join(folder, 'log');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** Ports that were free a moment ago: all servers must know all ports before they start. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.on('error', reject);
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
