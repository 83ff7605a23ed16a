/** The network of a cluster: a place among the private addresses that no other network of the engine has. */

import type Docker from 'dockerode';
import { OperationError } from '@dcos/base';
import type { HostPlace } from '../../core/cluster.ts';
import { counted } from '../../core/plan-text.ts';
import { CLUSTER_LABEL, ID_LABEL, MASTERS_LABEL, networkName, ordinalOf } from './docker-names.ts';

/** Networks among which a free place is looked for. */
const PREFIXES = Array.from({ length: 200 }, (_, index) => `10.214.${index}`);

export interface ClusterNetwork {
  /** First three bytes of all addresses. */
  readonly prefix: string;
  readonly clusterId: string;
  /** Undefined for a network that does not say it. */
  readonly masters: number | undefined;
}

/** The network of that cluster; undefined when there is none. */
export async function findNetwork(
  engine: Docker,
  cluster: string,
): Promise<ClusterNetwork | undefined> {
  const filters = { label: [`${CLUSTER_LABEL}=${cluster}`] };
  const [found] = await engine.listNetworks({ filters });
  const subnet = found?.IPAM?.Config?.[0]?.Subnet;
  const clusterId = found?.Labels?.[ID_LABEL];
  if (subnet === undefined || clusterId === undefined) return undefined;
  const masters = Number(found?.Labels?.[MASTERS_LABEL]);
  return {
    prefix: subnet.replace(/\.\d+\/\d+$/, ''),
    clusterId,
    masters: Number.isSafeInteger(masters) ? masters : undefined,
  };
}

/**
 * Where the network does not say how many masters there are, those that are there do: the last one may be gone, but no
 * number is taken that they were not made for.
 * @throws OperationError `INSTALLER_CONFIGURATION`
 */
export function refuseOtherMasters(
  wanted: number,
  network: ClusterNetwork | undefined,
  hosts: readonly Pick<HostPlace, 'name' | 'role'>[],
): void {
  if (network === undefined) return;
  const ordinals = hosts.flatMap(({ role, name }) => (role === 'master' ? [ordinalOf(name)] : []));
  const masters = network.masters ?? (ordinals.length === 0 ? wanted : Math.max(...ordinals));
  if (masters === wanted) return;
  throw new OperationError(
    'INSTALLER_CONFIGURATION',
    `the cluster has ${counted(masters, 'master')}, the configuration wants ${wanted}: the number of masters is fixed for the life of a cluster`,
  );
}

export async function createNetwork(
  engine: Docker,
  cluster: string,
  options: {
    readonly clusterId: string;
    readonly masters: number;
    readonly outbound: boolean;
  },
): Promise<ClusterNetwork> {
  const { clusterId, masters, outbound } = options;
  const taken = (await engine.listNetworks()).flatMap(
    ({ IPAM }) => IPAM?.Config?.map(({ Subnet }) => Subnet ?? '') ?? [],
  );
  let refusal: unknown;
  for (const prefix of PREFIXES) {
    const subnet = `${prefix}.0/24`;
    if (taken.includes(subnet)) continue;
    try {
      await engine.createNetwork({
        Name: networkName(cluster),
        CheckDuplicate: true,
        Labels: {
          [CLUSTER_LABEL]: cluster,
          [ID_LABEL]: clusterId,
          [MASTERS_LABEL]: String(masters),
        },
        IPAM: { Config: [{ Subnet: subnet, Gateway: `${prefix}.1` }] },
        Options: outbound ? {} : { 'com.docker.network.bridge.enable_ip_masquerade': 'false' },
      });
      return { prefix, clusterId, masters };
    } catch (error) {
      // Another network of this machine, or somebody who was quicker.
      if (!/overlap/i.test(String(error))) throw error;
      refusal = error;
    }
  }
  throw new OperationError('DOCKER_NO_SUBNET', `no network is free in 10.214.0.0/16`, {
    cause: refusal,
  });
}
