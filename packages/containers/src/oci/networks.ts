/**
 * Which networks a container has. Pure.
 *
 * | asked for | network |
 * |---|---|
 * | nothing, or `HOST` | the host's |
 * | `NONE` | one of its own with nothing but the loopback |
 * | `BRIDGE` | the bridge `mesos-bridge`, with the port mappings of the Docker description |
 * | `USER`, or names in `network_infos` | each named network, `eth0` for the first |
 */

import type { ContainerInfo, NetworkInfo_PortMapping } from '@dcos/wire';
import { containerError } from '../errors.ts';

/** The network of `BRIDGE`; there also when nobody configured it. */
export const BRIDGE_NETWORK = 'mesos-bridge';
/** More interfaces than anybody needs. */
const NETWORKS_MAX = 16;

export interface PortMapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: 'tcp' | 'udp';
}

export interface WantedNetwork {
  readonly name: string;
  readonly interfaceName: string;
  readonly ports: readonly PortMapping[];
}

export type WantedNetworks =
  | { readonly kind: 'host' }
  /** Its own; with no networks the loopback alone. */
  | { readonly kind: 'private'; readonly networks: readonly WantedNetwork[] };

/** Reads a description. Throws CONTAINER_INVALID for what cannot be had. */
export function networksOf(container: ContainerInfo | undefined): WantedNetworks {
  const docker = container?.type === 'DOCKER' ? container.docker : undefined;
  const mode = docker?.network ?? (docker === undefined ? undefined : 'HOST');
  const dockerPorts = docker?.port_mappings ?? [];
  if (mode === 'NONE' || mode === 'HOST') {
    if (dockerPorts.length > 0)
      throw containerError(
        'CONTAINER_INVALID',
        `port mappings need network BRIDGE or USER, not ${mode}`,
      );
    return mode === 'NONE' ? { kind: 'private', networks: [] } : { kind: 'host' };
  }
  if (mode === 'BRIDGE') return named([{ name: BRIDGE_NETWORK, ports: dockerPorts }]);
  const infos = container?.network_infos ?? [];
  const withNames = infos.filter(({ name }) => name !== undefined && name !== '');
  if (withNames.length < infos.length && infos.some(({ port_mappings: ports }) => ports?.length))
    throw containerError('CONTAINER_INVALID', 'port mappings need a network with a name');
  if (mode === 'USER' && withNames.length === 0)
    throw containerError('CONTAINER_INVALID', 'network USER needs a name in network_infos');
  if (withNames.length === 0) return { kind: 'host' };
  return named(
    withNames.map(({ name = '', port_mappings = [] }, index) => ({
      name,
      ports: index === 0 ? [...port_mappings, ...dockerPorts] : port_mappings,
    })),
  );
}

function named(
  wanted: readonly {
    readonly name: string;
    readonly ports: readonly NetworkInfo_PortMapping[];
  }[],
): WantedNetworks {
  if (wanted.length > NETWORKS_MAX)
    throw containerError('CONTAINER_INVALID', `more than ${NETWORKS_MAX} networks`);
  if (new Set(wanted.map(({ name }) => name)).size < wanted.length)
    throw containerError('CONTAINER_INVALID', 'a network is named twice');
  return {
    kind: 'private',
    networks: wanted.map(({ name, ports }, index) => ({
      name,
      interfaceName: `eth${index}`,
      ports: ports.map(portMapping),
    })),
  };
}

function portMapping(mapping: NetworkInfo_PortMapping): PortMapping {
  const protocol = (mapping.protocol ?? 'tcp').toLowerCase();
  if (protocol !== 'tcp' && protocol !== 'udp')
    throw containerError('CONTAINER_INVALID', `the protocol '${protocol}' cannot be mapped`);
  return { hostPort: mapping.host_port, containerPort: mapping.container_port, protocol };
}
