/** What the engine's things of a cluster are called, and the labels by which they are found again. */

import type { HostPlace, Role } from '../../core/cluster.ts';

/** On each thing, with the name of its cluster. */
export const CLUSTER_LABEL = 'dcos.cluster';
/** On the network, with the cluster's UUID. */
export const ID_LABEL = 'dcos.cluster-id';
/** On the network, with the number of masters, which stays for life. */
export const MASTERS_LABEL = 'dcos.masters';
/** On each container. */
export const ROLE_LABEL = 'dcos.role';
export const ADDRESS_LABEL = 'dcos.address';
/** On masters: the port of this machine at which their router is. */
export const PORT_LABEL = 'dcos.router-port';

export interface HostCounts {
  readonly masters: number;
  readonly privateAgents: number;
  readonly publicAgents: number;
}

/** Host names by role, in order. */
export function hostNames(counts: HostCounts): readonly Pick<HostPlace, 'name' | 'role'>[] {
  const some = (role: Role, count: number): readonly Pick<HostPlace, 'name' | 'role'>[] =>
    Array.from({ length: count }, (_, index) => ({ name: `${role}-${index + 1}`, role }));
  return [
    ...some('master', counts.masters),
    ...some('private', counts.privateAgents),
    ...some('public', counts.publicAgents),
  ];
}

/** The last byte of a host's address in the cluster's network: room for 9, 110 and 110 hosts. */
const FIRST_ADDRESS: Readonly<Record<Role, number>> = { master: 10, private: 20, public: 140 };

export function hostAddress(
  prefix: string,
  { name, role }: Pick<HostPlace, 'name' | 'role'>,
): string {
  return `${prefix}.${FIRST_ADDRESS[role] + ordinalOf(name) - 1}`;
}

/** From 1, in each role. */
export function ordinalOf(name: string): number {
  return Number(name.slice(name.lastIndexOf('-') + 1));
}

export const networkName = (cluster: string): string => `dcos-${cluster}`;
export const containerName = (cluster: string, host: string): string => `dcos-${cluster}-${host}`;
