/** What deploy, plan and status have in common: the wanted state of all hosts beside what is there. */

import { createHash } from 'node:crypto';
import { errorText, operationErrorCode, present } from '@dcos/base';
import type { Cluster, HostPlace, ReleasePlan } from '../core/cluster.ts';
import type { LeafQuestion } from '../core/certificates.ts';
import { schemeOf } from '../core/component-settings.ts';
import {
  planCluster,
  restartsMaster,
  type HostState,
  type Leaders,
  type Step,
} from '../core/plan.ts';
import type { HostFacts } from '../core/host-facts.ts';
import { wantedHost, type WantedHost } from '../core/wanted-host.ts';
import type { HostConnection } from '../hosts/connection.ts';
import { renderTemplate, zooKeeperList } from '../hosts/host-programs.ts';
import { askLeaders } from '../hosts/leaders.ts';
import { probeHost } from '../hosts/probe.ts';
import { sideBySide } from '../hosts/side-by-side.ts';
import type { Infrastructure, ProvidedHost } from '../providers/provider.ts';
import type { Configuration } from '../config/configuration.ts';
import type { AuthorityState } from '../hosts/authority.ts';
import {
  clusterCertificates,
  foundCertificates,
  hostCertificates,
  leafQuestion,
  type CertificateOptions,
  type ProbedHost,
} from './host-certificates.ts';

/** Hosts that are connected to at a time: a log-in costs both sides. */
const CONNECTING_MAX = 20;
/** Programs that hosts are asked for. */
const PROGRAMS = [
  'systemctl',
  'journalctl',
  'tar',
  'sha256sum',
  'timeout',
  'java',
  // For the look whether hosts reach each other.
  'systemd-socket-activate',
  'bash',
];

/** Whatever release is in use: it changes neither units nor places. */
export const ANY_RELEASE: ReleasePlan = { hash: '', version: '' };

/** What is to be made of certificates. */
export interface CertificateWish extends CertificateOptions {
  /** Another state of the authority than the one that masters have. */
  readonly authority?: AuthorityState;
}

/** Whatever is due is only told. */
export const lookingOnly = (): CertificateWish => ({ nowMs: Date.now(), issues: false });

export interface ConnectedHost {
  readonly place: ProvidedHost;
  readonly connection: HostConnection;
  readonly wanted: WantedHost;
  readonly facts: HostFacts;
  /** About its certificate, in a cluster that speaks TLS. */
  readonly leaf?: LeafQuestion;
}

export function clusterOf(
  { settings }: Configuration,
  { clusterId, hosts, routerNames }: Infrastructure,
): Cluster {
  const places = hosts.map(({ name, role, address }) => ({ name, role, address }));
  return { settings, id: clusterId, hosts: places, routerNames };
}

/** Where people find the cluster. */
export function urlsOf({ settings }: Configuration, { urls }: Infrastructure): readonly string[] {
  return urls.map((url) => url.replace(/^http:/, `${schemeOf({ settings })}:`));
}

const tools = {
  digest: (text: string): string => createHash('sha256').update(text).digest('hex'),
  render: renderTemplate,
  zooKeeper: zooKeeperList(),
};

/** A host that is there and cannot be asked. */
export interface UnreachableHost {
  readonly place: HostPlace;
  readonly problem: string;
}

/** Hosts of which nothing can be learned or done, whatever the reason. */
export function unusableHosts({
  rootless,
  unreachable,
}: Pick<Connected, 'rootless' | 'unreachable'>): readonly UnreachableHost[] {
  const refusing = rootless.map(({ wanted: { host }, facts }) => {
    return { place: host, problem: facts.rootProblem ?? 'programs do not run as root there' };
  });
  return [...unreachable, ...refusing];
}

export interface Connected {
  readonly hosts: readonly ConnectedHost[];
  /** Hosts that let us in, but not as root; nothing can be done there. */
  readonly rootless: readonly HostState[];
  readonly unreachable: readonly UnreachableHost[];
  /** Of a cluster that speaks TLS. */
  readonly authority?: AuthorityState;
}

/**
 * Connects to all hosts and asks them what they have. One that does not answer is no reason to leave the others alone.
 * @param release what they shall have; `active` for that which each has.
 * @throws OperationError `AUTHORITY_INVALID`, `TLS_SWITCHED`
 */
export async function connectHosts(
  cluster: Cluster,
  places: readonly ProvidedHost[],
  release: ReleasePlan | 'active',
  wish: CertificateWish = lookingOnly(),
): Promise<Connected> {
  const planOf = ({ activeRelease: hash = '' }: HostFacts): ReleasePlan =>
    release === 'active' ? { hash, version: '' } : release;
  const { probed: all, unreachable } = await probeHosts(cluster, places);
  const probed = all.filter(({ facts }) => facts.isRoot);
  const without = all.filter(({ facts }) => !facts.isRoot);
  await closeHosts(without);
  const rootless = without.map(({ host, facts }) => {
    return { wanted: wantedHost(cluster, host, planOf(facts), tools), facts };
  });
  try {
    const found = await clusterCertificates(cluster, probed, wish.nowMs);
    const authority = found && (wish.authority ?? found.authority);
    // Nobody can say what the certificates of hosts are worth, and nothing is made.
    const isUnknown = found?.isNew === true && !wish.issues;
    const hosts = await Promise.all(
      probed.map(async ({ place, host, facts, connection }): Promise<ConnectedHost> => {
        const plan = planOf(facts);
        if (authority === undefined)
          return { place, connection, facts, wanted: wantedHost(cluster, host, plan, tools) };
        const leaf = leafQuestion(cluster, { host, facts }, authority, wish.nowMs);
        if (isUnknown) {
          const wanted = wantedHost(cluster, host, plan, tools, foundCertificates(host, facts));
          return { place, connection, facts, wanted };
        }
        const certificates = await hostCertificates(host, leaf, authority, wish);
        const wanted = wantedHost(cluster, host, plan, tools, certificates);
        return { place, connection, facts, wanted, leaf };
      }),
    );
    return {
      hosts,
      rootless,
      unreachable,
      ...(authority !== undefined && !isUnknown && { authority }),
    };
  } catch (error) {
    await closeHosts(probed);
    throw error;
  }
}

interface ProbedPlace extends ProbedHost {
  readonly place: ProvidedHost;
}

async function probeHosts(
  cluster: Cluster,
  places: readonly ProvidedHost[],
): Promise<{
  readonly probed: readonly ProbedPlace[];
  readonly unreachable: readonly UnreachableHost[];
}> {
  const settled = await sideBySide(
    places,
    CONNECTING_MAX,
    async (place, index): Promise<ProbedPlace | UnreachableHost> => {
      const host = present(cluster.hosts[index], 'host');
      let connection: HostConnection | undefined;
      try {
        connection = await place.connect();
        const facts = await probeHost(connection, PROGRAMS);
        return { place, host, connection, facts };
      } catch (error) {
        await connection?.close();
        if (operationErrorCode(error) === undefined) throw error;
        return { place, problem: errorText(error) };
      }
    },
  );
  const results = settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
  return {
    probed: results.filter((result) => 'connection' in result),
    unreachable: results.filter((result) => 'problem' in result),
  };
}

/** Addresses of who leads; without those that nobody can name. */
export async function leadersOf(hosts: readonly ConnectedHost[]): Promise<Leaders> {
  const masters = hosts.filter(({ place }) => place.role === 'master');
  const asked = masters.find(({ facts }) => facts.activeRelease !== undefined);
  if (asked === undefined) return {};
  return await askLeaders(
    asked.connection,
    masters.map(({ place }) => place.address),
  );
}

/** The steps from what is there to what is wanted. */
export async function planFor(
  hosts: readonly ConnectedHost[],
  agentsAtATime?: number,
): Promise<readonly Step[]> {
  const steps = planCluster(hosts, { agentsAtATime });
  if (!restartsMaster(steps, hosts)) return steps;
  return planCluster(hosts, { agentsAtATime, leaders: await leadersOf(hosts) });
}

export async function closeHosts(
  hosts: readonly Pick<ConnectedHost, 'connection'>[],
): Promise<void> {
  await Promise.all(hosts.map(async ({ connection }) => await connection.close()));
}
