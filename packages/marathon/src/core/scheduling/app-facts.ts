/**
 * What the scheduler derives from an app definition: ports, resources, roles, backoff, addresses.
 * One place, so that matching, task building and health checks can never disagree about an index.
 */

import type { Labels } from '@dcos/wire';
import type {
  AppDefinition,
  AppHealthCheck,
  MarathonProtocol,
  NetworkMode,
  StringMap,
} from '../model/index.ts';
import type { Instance } from './instance.ts';
import type { BackoffSettings } from './launch-delay.ts';
import type { PortRequest } from './port-matching.ts';
import type { ResourceNeeds } from './resource-matching.ts';
import type { SchedulingSettings } from './settings.ts';

/** One port index of an app, whichever notation declared it. */
export interface AppPort {
  readonly name: string | undefined;
  /** `tcp`, `udp` or `udp,tcp`. */
  readonly protocol: string;
  readonly labels: StringMap;
  /** What the definition asks for by number; 0 when it leaves the choice open. */
  readonly requested: number;
  /** Port inside the container; undefined on the host network. */
  readonly containerPort: number | undefined;
  readonly servicePort: number;
  readonly request: PortRequest;
  /** Networks that the port is reachable on; empty for all. */
  readonly networkNames: readonly string[];
}

/** The network mode of all networks of an app. */
export function networkModeOf(app: AppDefinition): NetworkMode {
  return app.networks[0]?.mode ?? 'host';
}

/** The ports of an app in the order of their indexes. */
export function portsOf(app: AppDefinition): readonly AppPort[] {
  if (networkModeOf(app) !== 'host') {
    return (app.container?.portMappings ?? []).map((mapping) => ({
      name: mapping.name,
      protocol: mapping.protocol,
      labels: mapping.labels,
      requested: mapping.containerPort,
      containerPort: mapping.containerPort,
      servicePort: mapping.servicePort,
      request: portRequest(mapping.hostPort),
      networkNames: mapping.networkNames,
    }));
  }
  return app.portDefinitions.map((definition) => ({
    name: definition.name,
    protocol: definition.protocol,
    labels: definition.labels,
    requested: definition.port,
    containerPort: undefined,
    servicePort: definition.port,
    request: portRequest(app.requirePorts ? definition.port : 0),
    networkNames: [],
  }));
}

function portRequest(hostPort: number | undefined): PortRequest {
  if (hostPort === undefined) return { kind: 'none' };
  return hostPort === 0 ? { kind: 'random' } : { kind: 'fixed', port: hostPort };
}

/** The protocols of a port, one by one. */
export function protocolsOf(port: AppPort): readonly string[] {
  return port.protocol.split(',');
}

/** Labels as messages carry them. */
export function labelsOf(labels: StringMap): Labels {
  return { labels: Object.entries(labels).map(([key, value]) => ({ key, value })) };
}

/** What one instance takes out of an offer. */
export function needsOf(app: AppDefinition): ResourceNeeds {
  return {
    cpus: app.cpus,
    memMb: app.mem,
    diskMb: app.disk,
    gpus: app.gpus,
    ports: portsOf(app).map(({ request }) => request),
  };
}

/** The reservation roles whose resources an app takes. */
export function acceptedRolesOf(
  app: AppDefinition,
  settings: SchedulingSettings,
): ReadonlySet<string> {
  if (app.acceptedResourceRoles !== undefined) return new Set(app.acceptedResourceRoles);
  switch (settings.acceptedResourceRolesDefault) {
    case 'unreserved':
      return new Set(['*']);
    case 'reserved':
      return new Set([app.role]);
    default:
      return new Set([app.role, '*']);
  }
}

export function backoffSettings(app: AppDefinition): BackoffSettings {
  return {
    backoffMs: app.backoffSeconds * 1000,
    backoffFactor: app.backoffFactor,
    delayMsMax: app.maxLaunchDelaySeconds * 1000,
  };
}

/** A check that Marathon runs itself, over the network. */
export type MarathonCheck = AppHealthCheck & { readonly protocol: MarathonProtocol };

export function isMarathonCheck(check: AppHealthCheck): check is MarathonCheck {
  return check.protocol === 'HTTP' || check.protocol === 'HTTPS' || check.protocol === 'TCP';
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where a port of an instance is reached from outside its container; undefined without such a port. */
export function portAddress(
  app: AppDefinition,
  instance: Instance,
  portIndex: number,
): Address | undefined {
  const port = portsOf(app)[portIndex];
  const hostPort = instance.task?.hostPorts[portIndex] ?? undefined;
  const hostname = instance.placement?.hostname;
  if (port === undefined || hostname === undefined) return undefined;
  if (hostPort !== undefined) return { host: hostname, port: hostPort };
  const host =
    networkModeOf(app) === 'container' ? instance.task?.addresses[0]?.ipAddress : hostname;
  if (host === undefined || port.containerPort === undefined || port.containerPort === 0)
    return undefined;
  return { host, port: port.containerPort };
}

/** Where a health check of an instance goes. */
export function healthCheckAddress(
  app: AppDefinition,
  check: AppHealthCheck,
  instance: Instance,
): Address | undefined {
  if (check.port !== undefined) {
    const hostname = instance.placement?.hostname;
    const host =
      networkModeOf(app) === 'container' ? instance.task?.addresses[0]?.ipAddress : hostname;
    return host === undefined ? undefined : { host, port: check.port };
  }
  return portAddress(app, instance, check.portIndex ?? 0);
}

/** The ports that an instance is reached at, for display: host ports, or container ports where there are none. */
export function effectivePorts(
  app: AppDefinition | undefined,
  instance: Instance,
): readonly number[] {
  const hostPorts = instance.task?.hostPorts ?? [];
  if (app === undefined) return hostPorts.filter((port) => port !== null);
  return portsOf(app).map((port, index) => hostPorts[index] ?? port.containerPort ?? 0);
}
