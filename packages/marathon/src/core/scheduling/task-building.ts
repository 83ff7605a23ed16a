/**
 * The TaskInfo of an instance: what the agent is asked to run.
 * Source: Marathon's task building as documented; field meanings from the Mesos v1 messages.
 */

import type { Random } from '@dcos/base';
import type {
  CommandInfo,
  ContainerInfo,
  DiscoveryInfo,
  HealthCheck,
  Label,
  Labels,
  NetworkInfo,
  Port,
  Resource,
  TaskInfo,
  Volume,
} from '@dcos/wire';
import {
  hostnameOf,
  type AppDefinition,
  type AppHealthCheck,
  type Volume as AppVolume,
} from '../model/index.ts';
import { isMarathonCheck, networkModeOf, portsOf, type AppPort } from './app-facts.ts';
import type { Instance } from './instance.ts';
import type { SchedulingSettings } from './settings.ts';
import { taskEnvironment } from './task-environment.ts';

const NANOSECONDS = 1e9;

export interface TaskInputs {
  /** The resources that were taken out of the offer for this task. */
  readonly taken: readonly Resource[];
  readonly settings: SchedulingSettings;
  readonly random: Random;
}

/** Builds the TaskInfo of an instance that was placed and has its ports. */
export function buildTask(app: AppDefinition, instance: Instance, inputs: TaskInputs): TaskInfo {
  const container = containerInfo(app, instance);
  const healthCheck = mesosHealthCheck(app, instance);
  const grace = app.taskKillGracePeriodSeconds;
  return {
    name: hostnameOf(app.id),
    task_id: { value: instance.task?.id ?? '' },
    agent_id: { value: instance.placement?.agentId ?? '' },
    resources: inputs.taken,
    command: commandInfo(app, instance, inputs),
    ...(container === undefined ? {} : { container }),
    ...(healthCheck === undefined ? {} : { health_check: healthCheck }),
    ...(grace === undefined
      ? {}
      : { kill_policy: { grace_period: { nanoseconds: grace * NANOSECONDS } } }),
    labels: labelsOf(app.labels),
    discovery: discoveryInfo(app, instance),
  };
}

function labelsOf(labels: Readonly<Record<string, string>>): Labels {
  return { labels: Object.entries(labels).map(([key, value]) => ({ key, value })) };
}

function commandInfo(app: AppDefinition, instance: Instance, inputs: TaskInputs): CommandInfo {
  const variables = taskEnvironment(app, instance, {
    prefix: inputs.settings.envVarsPrefix,
    random: inputs.random,
  });
  const common = {
    environment: { variables: [...variables].map(([name, value]) => ({ name, value })) },
    ...(app.user === undefined ? {} : { user: app.user }),
    ...(app.fetch.length === 0
      ? {}
      : {
          uris: app.fetch.map(({ uri, extract, executable, cache, destPath }) => ({
            value: uri,
            extract,
            executable,
            cache,
            ...(destPath === undefined ? {} : { output_file: destPath }),
          })),
        }),
  };
  if (app.cmd !== undefined) return { ...common, shell: true, value: app.cmd };
  if (app.args.length === 0) return { ...common, shell: false };
  // Without a container the first argument is also the program that is run.
  const value = app.container === undefined ? { value: app.args[0] ?? '' } : {};
  return { ...common, shell: false, ...value, arguments: app.args };
}

function containerInfo(app: AppDefinition, instance: Instance): ContainerInfo | undefined {
  const { container } = app;
  if (container === undefined) return undefined;
  const volumes = container.volumes.map(volumeInfo);
  const common = {
    ...(volumes.length === 0 ? {} : { volumes }),
    ...(app.tty === true ? { tty_info: {} } : {}),
  };
  const docker = container.docker;
  if (container.type === 'MESOS') {
    return {
      type: 'MESOS',
      ...common,
      mesos:
        docker === undefined
          ? {}
          : {
              image: {
                type: 'DOCKER',
                docker: { name: docker.image },
                cached: !docker.forcePullImage,
              },
            },
      ...networkInfos(app, instance),
    };
  }
  const network = ({ host: 'HOST', 'container/bridge': 'BRIDGE', container: 'USER' } as const)[
    networkModeOf(app)
  ];
  const mappings = portMappings(app, instance);
  return {
    type: 'DOCKER',
    ...common,
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

function protocolsOf(port: AppPort): string[] {
  return port.protocol.split(',');
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

function discoveryInfo(app: AppDefinition, instance: Instance): DiscoveryInfo {
  return {
    visibility: 'FRAMEWORK',
    name: hostnameOf(app.id),
    ports: {
      ports: portsOf(app).flatMap((port, index) => discoveryPorts(app, instance, { port, index })),
    },
  };
}

/** One entry per protocol, and for container ports per network that they are reachable on. */
function discoveryPorts(
  app: AppDefinition,
  instance: Instance,
  { port, index }: { readonly port: AppPort; readonly index: number },
): Port[] {
  const hostPort = instance.task?.hostPorts[index] ?? undefined;
  const name = port.name === undefined ? {} : { name: port.name };
  return protocolsOf(port).flatMap((protocol): Port[] => {
    if (networkModeOf(app) === 'host') {
      const labels = scopeLabels(port, []);
      return [{ number: hostPort ?? 0, ...name, protocol, ...labels }];
    }
    if (hostPort !== undefined) {
      return [
        {
          number: hostPort,
          ...name,
          protocol,
          ...scopeLabels(port, [{ key: 'network-scope', value: 'host' }]),
        },
      ];
    }
    const names = app.networks
      .flatMap((network) => network.name ?? [])
      .filter((network) => port.networkNames.length === 0 || port.networkNames.includes(network));
    return names.map((network) => ({
      number: port.containerPort ?? 0,
      ...name,
      protocol,
      ...scopeLabels(port, [
        { key: 'network-scope', value: 'container' },
        { key: 'network-name', value: network },
      ]),
    }));
  });
}

function scopeLabels(port: AppPort, scope: readonly Label[]): { readonly labels?: Labels } {
  const labels = [...Object.entries(port.labels).map(([key, value]) => ({ key, value })), ...scope];
  return labels.length === 0 ? {} : { labels: { labels } };
}

/** The one health check that Mesos executes; the first, should old data have several. */
function mesosHealthCheck(app: AppDefinition, instance: Instance): HealthCheck | undefined {
  const check = app.healthChecks.find((candidate) => !isMarathonCheck(candidate));
  if (check === undefined) return undefined;
  const common = {
    delay_seconds: check.delaySeconds,
    interval_seconds: check.intervalSeconds,
    timeout_seconds: check.timeoutSeconds,
    consecutive_failures: check.maxConsecutiveFailures,
    grace_period_seconds: check.gracePeriodSeconds,
  };
  if (check.protocol === 'COMMAND') {
    return {
      ...common,
      type: 'COMMAND',
      command: { shell: true, value: check.command?.value ?? '' },
    };
  }
  const port = checkPort(app, check, instance);
  const protocol = { protocol: check.ipProtocol };
  if (check.protocol === 'MESOS_TCP') return { ...common, type: 'TCP', tcp: { port, ...protocol } };
  const scheme = check.protocol === 'MESOS_HTTPS' ? 'https' : 'http';
  return { ...common, type: 'HTTP', http: { port, path: check.path ?? '/', scheme, ...protocol } };
}

/** The port that an executor probes: it is inside the container's network. */
function checkPort(app: AppDefinition, check: AppHealthCheck, instance: Instance): number {
  if (check.port !== undefined) return check.port;
  const index = check.portIndex ?? 0;
  const port = portsOf(app)[index];
  const hostPort = instance.task?.hostPorts[index] ?? 0;
  return port?.containerPort === undefined || port.containerPort === 0
    ? hostPort
    : port.containerPort;
}
