/**
 * An app and a group as they are shown.
 *
 * Invariants: what is shown can be sent back and gives the same definition. Which empty fields are left out,
 * and the order of the fields, are those of Marathon 1.5 and later as recorded; fields that only a running
 * cluster knows are added by the caller.
 */

import type { JsonObject } from '@dcos/base';
import type {
  AppDefinition,
  AppHealthCheck,
  Container,
  Group,
  Network,
  PortDefinition,
  PortMapping,
} from './app-definition.ts';
import { compact } from './compact.ts';
import { constraintFields } from './constraint.ts';
import { isHostMode } from './normalise-app.ts';

/** The definition as GET shows it, without the read-only fields about tasks and deployments. */
export function appToJson(app: AppDefinition): JsonObject {
  const isHost = isHostMode(app.networks);
  return compact({
    id: app.id,
    acceptedResourceRoles: app.acceptedResourceRoles,
    args: unlessEmpty(app.args),
    backoffFactor: app.backoffFactor,
    backoffSeconds: app.backoffSeconds,
    check: app.check,
    cmd: app.cmd,
    constraints: unlessEmpty(app.constraints.map(constraintFields)),
    container: app.container === undefined ? undefined : containerToJson(app.container, isHost),
    cpus: app.cpus,
    dependencies: unlessEmpty(app.dependencies),
    disk: app.disk,
    env: unlessEmptyMap(app.env),
    executor: app.executor,
    executorResources: app.executorResources,
    fetch: unlessEmpty(app.fetch),
    gpus: app.gpus,
    healthChecks: unlessEmpty(app.healthChecks.map(healthCheckToJson)),
    instances: app.instances,
    killSelection: app.killSelection,
    labels: app.labels,
    maxLaunchDelaySeconds: app.maxLaunchDelaySeconds,
    mem: app.mem,
    networks: app.networks.map(networkToJson),
    portDefinitions: isHost ? app.portDefinitions.map(portDefinitionToJson) : undefined,
    readinessChecks: unlessEmpty(app.readinessChecks),
    requirePorts: app.requirePorts,
    resourceLimits: app.resourceLimits,
    role: app.role,
    secrets: unlessEmptyMap(app.secrets),
    taskKillGracePeriodSeconds: app.taskKillGracePeriodSeconds,
    tty: app.tty,
    unreachableStrategy: app.unreachableStrategy,
    upgradeStrategy: app.upgradeStrategy,
    user: app.user,
    version: app.version,
    versionInfo: app.versionInfo,
  }) as unknown as JsonObject;
}

/** What of a group is shown. */
export interface GroupView {
  /** Renders an app; absent when apps are not shown. */
  readonly app?: (app: AppDefinition) => JsonObject;
  /** Whether groups below the group are shown. */
  readonly groups: boolean;
}

/** A group as GET shows it. Lists that are not asked for are left out. */
export function groupToJson(group: Group, view: GroupView): JsonObject {
  const { app, groups } = view;
  return compact({
    id: group.id,
    apps: app === undefined ? undefined : [...group.apps.values()].map((one) => app(one)),
    dependencies: group.dependencies,
    enforceRole: group.enforceRole,
    groups: groups ? [...group.groups.values()].map((one) => groupToJson(one, view)) : undefined,
    // There are no pods yet; clients that look for them find none.
    pods: app === undefined ? undefined : [],
    version: group.version,
  });
}

function containerToJson(container: Container, isHost: boolean): JsonObject {
  return compact({
    type: container.type,
    docker: container.docker,
    volumes: container.volumes,
    portMappings: isHost ? undefined : container.portMappings.map(portMappingToJson),
    linuxInfo: container.linuxInfo,
  }) as unknown as JsonObject;
}

function portMappingToJson(mapping: PortMapping): JsonObject {
  const { networkNames, ...fields } = mapping;
  return networkNames.length === 0 ? fields : { ...fields, networkNames };
}

function portDefinitionToJson(definition: PortDefinition): JsonObject {
  const { labels, ...fields } = definition;
  return Object.keys(labels).length === 0 ? fields : { ...fields, labels };
}

function networkToJson(network: Network): JsonObject {
  const { labels, ...fields } = network;
  return Object.keys(labels).length === 0 ? fields : { ...fields, labels };
}

/** Fields that say nothing for a protocol are left out. */
function healthCheckToJson(check: AppHealthCheck): JsonObject {
  const { ignoreHttp1xx, ipProtocol, ...fields } = check;
  const isOwn = check.protocol === 'HTTP' || check.protocol === 'HTTPS';
  const hasAddress = check.protocol !== 'COMMAND' && check.protocol !== 'TCP' && !isOwn;
  return {
    ...fields,
    ...(isOwn ? { ignoreHttp1xx } : {}),
    ...(hasAddress ? { ipProtocol } : {}),
  };
}

function unlessEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

function unlessEmptyMap<T extends object>(map: T): T | undefined {
  return Object.keys(map).length === 0 ? undefined : map;
}
