/** The container of a task: image, volumes, networks and mapped ports. */

import type { ContainerInfo, LinuxInfo, NetworkInfo, Secret, Volume } from '@dcos/wire';
import type { AppDefinition, Container, Volume as AppVolume } from '../model/index.ts';
import { labelsOf, networkModeOf, portsOf, protocolsOf } from './app-facts.ts';
import type { Instance } from './instance.ts';

/** The container of an instance's task; undefined for a plain process, which has one for its terminal alone. */
export function containerInfo(app: AppDefinition, instance: Instance): ContainerInfo | undefined {
  const { container } = app;
  if (container === undefined)
    return app.tty === true ? { type: 'MESOS', mesos: {}, tty_info: {} } : undefined;
  const linuxInfo = linuxInfoOf(container);
  const common = {
    ...(container.volumes.length === 0 ? {} : { volumes: container.volumes.map(volumeInfo) }),
    ...(linuxInfo === undefined ? {} : { linux_info: linuxInfo }),
    ...(app.tty === true ? { tty_info: {} } : {}),
  };
  return container.type === 'MESOS'
    ? { type: 'MESOS', ...common, mesos: mesosInfo(app, container), ...networkInfos(app, instance) }
    : { type: 'DOCKER', ...common, ...dockerInfo(app, container, instance) };
}

function mesosInfo(app: AppDefinition, { docker }: Container): NonNullable<ContainerInfo['mesos']> {
  if (docker === undefined) return {};
  const config =
    docker.pullConfig === undefined ? undefined : secretOf(app, docker.pullConfig.secret);
  return {
    image: {
      type: 'DOCKER',
      docker: { name: docker.image, ...(config === undefined ? {} : { config }) },
      cached: !docker.forcePullImage,
    },
  };
}

function dockerInfo(
  app: AppDefinition,
  { docker }: Container,
  instance: Instance,
): Pick<ContainerInfo, 'docker' | 'network_infos'> {
  const network = ({ host: 'HOST', 'container/bridge': 'BRIDGE', container: 'USER' } as const)[
    networkModeOf(app)
  ];
  const mappings = portMappings(app, instance);
  return {
    docker: {
      image: docker?.image ?? '',
      network,
      privileged: docker?.privileged ?? false,
      force_pull_image: docker?.forcePullImage ?? false,
      parameters: [
        ...(docker?.parameters ?? []).map(({ key, value }) => ({ key, value })),
        { key: 'label', value: `MESOS_TASK_ID=${instance.task?.id ?? ''}` },
      ],
      ...(network === 'HOST' || mappings.length === 0 ? {} : { port_mappings: mappings }),
    },
    ...(network === 'USER' ? networkInfos(app, instance) : {}),
  };
}

/** A declared secret as agents look it up. */
export function secretOf(app: AppDefinition, name: string): Secret {
  return { type: 'REFERENCE', reference: { name: app.secrets[name]?.source ?? name } };
}

function linuxInfoOf({ linuxInfo }: Container): LinuxInfo | undefined {
  if (linuxInfo === undefined) return undefined;
  const { seccomp, ipcInfo } = linuxInfo;
  return {
    ...(seccomp === undefined
      ? {}
      : {
          seccomp: {
            unconfined: seccomp.unconfined,
            ...(seccomp.profileName === undefined ? {} : { profile_name: seccomp.profileName }),
          },
        }),
    ...(ipcInfo === undefined
      ? {}
      : {
          ipc_mode: ipcInfo.mode,
          ...(ipcInfo.shmSize === undefined ? {} : { shm_size: ipcInfo.shmSize }),
        }),
  };
}

function volumeInfo(volume: AppVolume): Volume {
  return { container_path: volume.containerPath, host_path: volume.hostPath, mode: volume.mode };
}

interface Mapping {
  readonly host_port: number;
  readonly container_port: number;
  readonly protocol: string;
}

/**
 * Host to container ports, one entry per protocol; ports without a host port are not mapped.
 * @param network only the ports that are reachable on this network; all when absent.
 */
function portMappings(app: AppDefinition, instance: Instance, network?: string): Mapping[] {
  return portsOf(app).flatMap((port, index) => {
    const hostPort = instance.task?.hostPorts[index] ?? undefined;
    if (hostPort === undefined || port.containerPort === undefined) return [];
    const elsewhere =
      port.networkNames.length > 0 && network !== undefined && !port.networkNames.includes(network);
    if (elsewhere) return [];
    const container_port = port.containerPort === 0 ? hostPort : port.containerPort;
    return protocolsOf(port).map((protocol) => ({ host_port: hostPort, container_port, protocol }));
  });
}

function networkInfos(
  app: AppDefinition,
  instance: Instance,
): { readonly network_infos?: readonly NetworkInfo[] } {
  const networks = app.networks.filter(({ mode }) => mode !== 'host');
  if (networks.length === 0) return {};
  return {
    network_infos: networks.map((network) => {
      const mapped = portMappings(app, instance, network.name);
      return {
        ip_addresses: [{}],
        ...(network.name === undefined ? {} : { name: network.name }),
        labels: labelsOf(network.labels),
        ...(mapped.length === 0 ? {} : { port_mappings: mapped }),
      };
    }),
  };
}
