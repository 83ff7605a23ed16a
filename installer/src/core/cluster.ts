/**
 * What is wanted of a cluster, as the configuration says it, and where its hosts are, as the provider says it. The rest
 * of the core goes from these two to files, units and steps.
 */

export type Role = 'master' | 'private' | 'public';

/** In the order in which they are listed everywhere. */
export const ROLES: readonly Role[] = ['master', 'private', 'public'];

/** A host of the cluster; a provider ends here. */
export interface HostPlace {
  /** Unique in the cluster. */
  readonly name: string;
  readonly role: Role;
  /** IPv4, at which all other hosts reach it; fixed for the life of the host. */
  readonly address: string;
}

/** Settings that every provider has. */
export interface ClusterSettings {
  readonly name: string;
  /** Servers that Mesos-DNS asks about foreign names; none: such names are refused. */
  readonly resolvers: readonly string[];
  readonly dnsTtlSeconds: number;
  /** How long a frozen master leads on at most. */
  readonly zooKeeperSessionTimeoutMs: number;
  /** In the notation of Mesos; what is not named is found out by the agent. */
  readonly privateAgentResources: string;
  readonly publicAgentResources: string;
  /** Whether components speak TLS, with certificates of an authority of the cluster's own. */
  readonly tls: boolean;
}

/** A cluster as wanted, with its hosts. */
export interface Cluster {
  readonly settings: ClusterSettings;
  /** A UUID, made once. */
  readonly id: string;
  readonly hosts: readonly HostPlace[];
  /** Names and addresses under which people reach the router, besides those of its host. */
  readonly routerNames: readonly string[];
}

/** The hosts of a role, in the order that they were given: it is the order of servers in the ensemble. */
export function hostsOf(cluster: Pick<Cluster, 'hosts'>, role: Role): readonly HostPlace[] {
  return cluster.hosts.filter((host) => host.role === role);
}

/** A release as plans know it. */
export interface ReleasePlan {
  /** Of the release's content; names its folder. */
  readonly hash: string;
  readonly version: string;
}

/** A program of a release: `lib/<component>.js`. */
export type Component = 'master' | 'agent' | 'marathon' | 'mesos-dns' | 'router';

/** Points at the release that is in use. */
export const ACTIVE = '/opt/dcos/active';
export const RELEASES = '/opt/dcos/releases';
/** What releases that are not in use any more were configured with. */
export const KEPT = '/opt/dcos/kept';
/** Points at the release that a host can go back to. */
export const FORMER = '/opt/dcos/former';
/** The Node of a release, below its folder. */
export const RELEASE_NODE = 'bin/node';
