/**
 * From what a request says to a complete definition: merged with the present one where the request is an
 * update, with every default filled in.
 *
 * Invariants: completing a complete definition changes nothing; nothing is decided here that depends on
 * other apps but the role, which depends on the group. Source: behaviour of Marathon 1.10.
 */

import type {
  AppDefinition,
  AppHealthCheck,
  Container,
  Network,
  PathId,
  PortMapping,
  Version,
  Volume,
} from './app-definition.ts';
import { compact, without } from './compact.ts';
import { defaultMapping, type AppUpdate, type ContainerDraft } from './legacy-notation.ts';
import { parentOf, resolvePath } from './path-id.ts';
import type { Violation } from './problem.ts';
import type { RawVolume } from './raw-container.ts';
import type { ModelSettings } from './settings.ts';

export interface CompletionContext {
  readonly id: PathId;
  readonly defaultRole: string;
  readonly version: Version;
  readonly settings: ModelSettings;
}

export interface Completion {
  readonly app: AppDefinition;
  /** What could not be kept in a definition. With any of them the definition is not to be used. */
  readonly violations: readonly Violation[];
}

/**
 * Lays an update over a definition. A field of the update replaces the old value wholly. Not taken over,
 * as in the original, are `executorResources` and `resourceLimits`; and ports of a kind that goes with a
 * network mode which the update changes.
 */
export function mergeUpdate(base: AppDefinition, update: AppUpdate): AppUpdate {
  const kept = without(base, 'version', 'versionInfo', 'executorResources', 'resourceLimits');
  const wasHost = isHostMode(base.networks);
  const isHost = update.networks === undefined ? wasHost : isHostMode(update.networks);
  const keepsMode = wasHost === isHost;
  const setsCommand = update.cmd !== undefined;
  const setsArguments = (update.args?.length ?? 0) > 0;
  return compact({
    ...kept,
    cmd: setsArguments ? undefined : base.cmd,
    args: setsCommand ? undefined : base.args,
    container: draftOf(base.container, keepsMode && !wasHost),
    portDefinitions: keepsMode && wasHost ? base.portDefinitions : undefined,
    ...update,
  });
}

function draftOf(
  container: Container | undefined,
  keepsMappings: boolean,
): ContainerDraft | undefined {
  if (container === undefined) return undefined;
  const { portMappings, ...same } = container;
  return keepsMappings ? { ...same, portMappings } : same;
}

/** Fills in the defaults. */
export function completeApp(update: AppUpdate, context: CompletionContext): Completion {
  const { id, version } = context;
  const networking = completeNetworking(update, context.settings);
  const { container, networks, portDefinitions, isHost } = networking;
  const portCount = isHost ? portDefinitions.length : (container?.portMappings.length ?? 0);
  const app: AppDefinition = compact({
    id,
    cmd: update.cmd,
    args: update.args ?? [],
    instances: update.instances ?? 1,
    cpus: update.cpus ?? 1,
    mem: update.mem ?? 128,
    disk: update.disk ?? 0,
    gpus: update.gpus ?? 0,
    executor: update.executor ?? '',
    executorResources: update.executorResources,
    user: update.user,
    env: update.env ?? {},
    labels: update.labels ?? {},
    secrets: update.secrets ?? {},
    constraints: update.constraints ?? [],
    acceptedResourceRoles: update.acceptedResourceRoles,
    role: update.role ?? context.defaultRole,
    container,
    networks,
    portDefinitions,
    requirePorts: isHost && (update.requirePorts ?? false),
    fetch: update.fetch ?? [],
    healthChecks: (update.healthChecks ?? []).map((check) => withPort(check, portCount)),
    check: update.check,
    readinessChecks: update.readinessChecks ?? [],
    dependencies: (update.dependencies ?? []).map((path) => resolvePath(path, parentOf(id))),
    upgradeStrategy: update.upgradeStrategy ?? {
      minimumHealthCapacity: 1,
      maximumOverCapacity: 1,
    },
    backoffSeconds: update.backoffSeconds ?? 1,
    backoffFactor: update.backoffFactor ?? 1.15,
    maxLaunchDelaySeconds: update.maxLaunchDelaySeconds ?? 300,
    taskKillGracePeriodSeconds: update.taskKillGracePeriodSeconds,
    killSelection: update.killSelection ?? 'YOUNGEST_FIRST',
    unreachableStrategy: update.unreachableStrategy ?? {
      inactiveAfterSeconds: 0,
      expungeAfterSeconds: 0,
    },
    resourceLimits: update.resourceLimits,
    tty: update.tty,
    version,
    versionInfo: { lastScalingAt: version, lastConfigChangeAt: version },
  });
  return { app, violations: networking.violations };
}

interface Networking {
  readonly isHost: boolean;
  readonly networks: readonly Network[];
  readonly container: Container | undefined;
  readonly portDefinitions: AppDefinition['portDefinitions'];
  readonly violations: readonly Violation[];
}

function completeNetworking(update: AppUpdate, settings: ModelSettings): Networking {
  const violations: Violation[] = [];
  const networks = completeNetworks(update.networks, settings);
  const isHost = isHostMode(networks);
  for (const [index, network] of networks.entries()) {
    if (network.mode === 'container' && network.name === undefined) {
      const error = 'Network name must be specified when container network is selected.';
      violations.push({ path: `/networks(${index})/name`, error });
    }
  }
  if (isHost && (update.container?.portMappings?.length ?? 0) > 0) {
    const error = 'must be empty in host mode; use portDefinitions instead';
    violations.push({ path: '/container/portMappings', error });
  }
  if (!isHost && (update.portDefinitions?.length ?? 0) > 0) {
    const error = 'must be empty unless in host mode; use container.portMappings instead';
    violations.push({ path: '/portDefinitions', error });
  }
  const draft =
    update.container ?? (isHost ? undefined : ({ type: 'MESOS', volumes: [] } as const));
  violations.push(...unsupportedVolumes(draft?.volumes ?? []));
  return {
    isHost,
    networks,
    container: draft === undefined ? undefined : completeContainer(draft, networks),
    portDefinitions: isHost ? (update.portDefinitions ?? [DEFAULT_DEFINITION]) : [],
    violations,
  };
}

const DEFAULT_DEFINITION = { port: 0, protocol: 'tcp', name: 'default', labels: {} } as const;

function completeNetworks(
  networks: readonly Network[] | undefined,
  settings: ModelSettings,
): readonly Network[] {
  if (networks === undefined || networks.length === 0) return [{ mode: 'host', labels: {} }];
  const name = settings.defaultNetworkName;
  return networks.map((network) =>
    network.mode === 'container' && network.name === undefined && name !== undefined
      ? { ...network, name }
      : network,
  );
}

function completeContainer(draft: ContainerDraft, networks: readonly Network[]): Container {
  return compact({
    type: draft.type,
    docker: draft.docker,
    portMappings: isHostMode(networks) ? [] : completeMappings(draft.portMappings, networks),
    volumes: draft.volumes.filter(isSupported),
    linuxInfo: draft.linuxInfo,
  });
}

function completeMappings(
  mappings: readonly PortMapping[] | undefined,
  networks: readonly Network[],
): readonly PortMapping[] {
  const mode = networks[0]?.mode ?? 'container';
  if (mappings === undefined) return [{ ...defaultMapping(mode), name: 'default' }];
  if (mode !== 'container/bridge') return mappings;
  return mappings.map((mapping) => ({ ...mapping, hostPort: mapping.hostPort ?? 0 }));
}

/** Host mode is all or nothing; the rules refuse a mixture. */
export function isHostMode(networks: readonly Network[]): boolean {
  return networks.every(({ mode }) => mode === 'host');
}

function withPort(check: AppHealthCheck, portCount: number): AppHealthCheck {
  const isOpen = check.port === undefined && check.portIndex === undefined;
  return isOpen && check.protocol !== 'COMMAND' && portCount > 0
    ? { ...check, portIndex: 0 }
    : check;
}

function unsupportedVolumes(volumes: readonly RawVolume[]): readonly Violation[] {
  return volumes.flatMap((volume, index) =>
    isSupported(volume)
      ? []
      : [
          {
            path: `/container/volumes(${index})/${volume.unsupported}`,
            error: `${volume.unsupported} volumes are not supported yet; host volumes are`,
          },
        ],
  );
}

function isSupported(volume: RawVolume): volume is Volume {
  return !('unsupported' in volume);
}
