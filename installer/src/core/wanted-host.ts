/**
 * What a host of the cluster has when it is installed: the release, files, units in the order in which they
 * start. A unit carries a fingerprint of all that it was made from, which a running process shows in its environment:
 * so a later run sees what runs with what, whatever happened to the run before.
 */

import type { Secret } from '@dcos/base';
import { AUTHORITIES_FILE, NODE_FILE } from './certificates.ts';
import {
  ACTIVE,
  hostsOf,
  RELEASE_NODE,
  type Cluster,
  type Component,
  type HostPlace,
  type ReleasePlan,
} from './cluster.ts';
import {
  agentSettings,
  marathonSettings,
  masterSettings,
  mesosDnsSettings,
  PORTS,
  routerSettings,
  schemeOf,
  STATE,
  zooKeeperSettings,
  type Settings,
} from './component-settings.ts';

export interface WantedFile {
  readonly path: string;
  /** Undefined for a file that stays as it is. */
  readonly text: string | Secret<string> | undefined;
  readonly mode: number;
  /** Of the text, in hexadecimal. */
  readonly sha256: string;
}

/** How a unit shows that it serves; asked on its own host. */
export type Readiness =
  | { readonly kind: 'http'; readonly url: string; readonly metric?: string }
  | {
      readonly kind: 'zookeeper';
      readonly address: string;
      readonly port: number;
      readonly scheme: 'http' | 'https';
    }
  | {
      readonly kind: 'cluster';
      readonly scheme: 'http' | 'https';
      readonly masters: readonly string[];
      readonly masterPort: number;
      readonly marathonPort: number;
      /** How many agents must be registered. */
      readonly agents: number;
    };

/** Of a host in a cluster that speaks TLS. */
export interface HostCertificates {
  readonly files: readonly WantedFile[];
  /** Whether nobody accepts what the host has now. */
  readonly isRefused: boolean;
}

const NO_CERTIFICATES: HostCertificates = { files: [], isRefused: false };

export interface WantedUnit {
  /** Without `.service`. */
  readonly name: string;
  readonly fingerprint: string;
  readonly readiness: Readiness;
  /** What runs is of no use, so that it waits for no others when it starts again. */
  readonly isUseless: boolean;
  /** Ports that it listens on, which nobody else may hold before. */
  readonly ports: readonly number[];
}

export interface WantedHost {
  readonly host: HostPlace;
  readonly releaseHash: string;
  readonly files: readonly WantedFile[];
  /** In the order in which they start. */
  readonly units: readonly WantedUnit[];
}

/** What the core needs of the world to say what is wanted. */
export interface Tools {
  /** Tells the ZooKeeper of this release from others. */
  readonly zooKeeper: string;
  /** SHA-256 in hexadecimal. */
  digest(text: string): string;
  /** Fills the template of that name. */
  render(
    template: 'program' | 'zookeeper' | 'target',
    values: Readonly<Record<string, string>>,
  ): string;
}

interface UnitPlan {
  readonly name: string;
  readonly description: string;
  readonly template: 'program' | 'zookeeper';
  /** Files that it reads, beside the release. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly values: Readonly<Record<string, string>>;
  readonly readiness: Readiness;
  readonly ports: readonly number[];
}

export function wantedHost(
  cluster: Cluster,
  host: HostPlace,
  release: ReleasePlan,
  tools: Tools,
  certificates: HostCertificates = NO_CERTIFICATES,
): WantedHost {
  const plans = host.role === 'master' ? masterUnits(cluster, host) : [agentUnit(cluster, host)];
  const file = (path: string, text: string, mode = 0o644): WantedFile => ({
    path,
    text,
    mode,
    sha256: tools.digest(text),
  });
  const units = plans.map((plan) => {
    const unfinished = { ...plan.values, name: plan.name, description: plan.description };
    const text = tools.render(plan.template, { ...unfinished, fingerprint: '' });
    // All others take up renewed certificates as they run.
    const shown = plan.template === 'zookeeper' ? certificates.files.filter(isRead) : [];
    // Most releases bring the same ZooKeeper: it goes on.
    const hash = plan.template === 'zookeeper' ? tools.zooKeeper : release.hash;
    const made = [hash, plan.files, text, ...shown.map(({ sha256 }) => sha256)];
    const fingerprint = tools.digest(JSON.stringify(made)).slice(0, 16);
    return {
      plan,
      fingerprint,
      file: file(unitPath(plan.name), tools.render(plan.template, { ...unfinished, fingerprint })),
    };
  });
  return {
    host,
    releaseHash: release.hash,
    files: [
      ...certificates.files,
      file('/etc/dcos/role', `${host.role}\n`),
      file('/etc/systemd/system/dcos.target', tools.render('target', {})),
      ...plans.flatMap((plan) => plan.files.map(({ path, text }) => file(path, text))),
      ...units.map((unit) => unit.file),
    ],
    units: units.map(({ plan: { name, readiness, ports, template }, fingerprint }) => ({
      name,
      isUseless: template === 'zookeeper' && certificates.isRefused,
      fingerprint,
      readiness,
      ports,
    })),
  };
}

/** Whether components read that file. */
function isRead({ path }: WantedFile): boolean {
  return path === NODE_FILE || path === AUTHORITIES_FILE;
}

/** Where systemd finds a unit. */
export function unitPath(name: string): string {
  return `/etc/systemd/system/${name}.service`;
}

function masterUnits(cluster: Cluster, host: HostPlace): readonly UnitPlan[] {
  const { address } = host;
  const scheme = schemeOf(cluster);
  const router = cluster.settings.tls ? PORTS.routerTls : PORTS.router;
  const id = hostsOf(cluster, 'master').indexOf(host) + 1;
  return [
    {
      name: 'dcos-zookeeper',
      description: 'ZooKeeper: what the cluster knows, and who leads',
      template: 'zookeeper',
      files: [
        { path: '/etc/dcos/zookeeper.cfg', text: zooKeeperSettings(cluster) },
        { path: `${STATE}/zookeeper/myid`, text: `${id}\n` },
      ],
      values: { configuration: '/etc/dcos/zookeeper.cfg' },
      readiness: { kind: 'zookeeper', address: '127.0.0.1', port: PORTS.zooKeeper, scheme },
      ports: [PORTS.zooKeeper],
    },
    program('master', {
      name: 'dcos-mesos-master',
      description: 'Mesos master: offers the resources of the agents',
      settings: masterSettings(cluster, host),
      readiness: { kind: 'http', url: `${scheme}://${address}:${PORTS.master}/health` },
      ports: [PORTS.master],
    }),
    program('mesos-dns', {
      name: 'dcos-mesos-dns',
      description: 'Mesos-DNS: names of tasks',
      settings: mesosDnsSettings(cluster, host),
      readiness: { kind: 'http', url: `${scheme}://${address}:${PORTS.mesosDnsHttp}/v1/version` },
      ports: [PORTS.dns, PORTS.mesosDnsHttp],
    }),
    program('marathon', {
      name: 'dcos-marathon',
      description: 'Marathon: keeps apps running',
      settings: marathonSettings(cluster, host),
      readiness: { kind: 'http', url: `${scheme}://${address}:${PORTS.marathon}/ping` },
      ports: [PORTS.marathon],
    }),
    program('router', {
      name: 'dcos-adminrouter',
      description: 'Admin Router: one address for everything',
      settings: routerSettings(cluster, host),
      readiness: {
        kind: 'http',
        url: `${scheme}://${address}:${router}/dcos-metadata/dcos-version.json`,
      },
      ports: cluster.settings.tls ? [PORTS.router, PORTS.routerTls] : [PORTS.router],
    }),
  ];
}

function agentUnit(cluster: Cluster, host: HostPlace): UnitPlan {
  return program('agent', {
    name: host.role === 'public' ? 'dcos-mesos-slave-public' : 'dcos-mesos-slave',
    description: 'Mesos agent: runs the tasks of this host',
    settings: agentSettings(cluster, host),
    readiness: {
      kind: 'http',
      url: `${schemeOf(cluster)}://${host.address}:${PORTS.agent}/metrics/snapshot`,
      metric: 'slave/registered',
    },
    ports: [PORTS.agent],
  });
}

function program(
  component: Component,
  unit: Pick<UnitPlan, 'name' | 'description' | 'readiness' | 'ports'> & {
    readonly settings: Settings;
  },
): UnitPlan {
  const { settings, ...rest } = unit;
  const configuration = `/etc/dcos/${unit.name.slice('dcos-'.length)}.json`;
  return {
    ...rest,
    template: 'program',
    files: [{ path: configuration, text: `${JSON.stringify(settings, null, 2)}\n` }],
    values: { command: `${ACTIVE}/${RELEASE_NODE} ${ACTIVE}/lib/${component}.js`, configuration },
  };
}

/**
 * How a cluster as a whole shows that it works; asked on a master.
 * @param agents how many have to be registered.
 */
export function clusterReadiness(cluster: Cluster, agents: number): Readiness {
  return {
    kind: 'cluster',
    scheme: schemeOf(cluster),
    masters: hostsOf(cluster, 'master').map(({ address }) => address),
    masterPort: PORTS.master,
    marathonPort: PORTS.marathon,
    agents,
  };
}
