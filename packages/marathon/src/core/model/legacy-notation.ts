/**
 * Translates the notation of the years up to 1.4 into the present one: `container.docker.network` and
 * `container.docker.portMappings`, `ipAddress`, `ports`, `uris`.
 *
 * Invariants: the result holds nothing of the legacy notation; a request that says the same thing in both
 * notations is refused, not guessed at. Source: behaviour of Marathon 1.5 to 1.10.
 */

import { err, ok, type Result } from '@dcos/base';
import type {
  Constraint,
  DockerImage,
  FetchUri,
  LinuxInfo,
  Network,
  PortDefinition,
  PortMapping,
} from './app-definition.ts';
import { compact, without } from './compact.ts';
import { constraintViolations, wellFormed } from './constraint.ts';
import type { Violation } from './problem.ts';
import type { RawApp } from './raw-app.ts';
import type { RawContainer, RawVolume } from './raw-container.ts';
import type { ModelSettings } from './settings.ts';

/** A container in the present notation; absent port mappings are not the same as none. */
export interface ContainerDraft {
  readonly type: 'DOCKER' | 'MESOS';
  readonly docker?: DockerImage;
  readonly portMappings?: readonly PortMapping[];
  readonly volumes: readonly RawVolume[];
  readonly linuxInfo?: LinuxInfo;
}

/** What a request says about an app, in the present notation. */
export interface AppUpdate extends Omit<
  RawApp,
  'container' | 'constraints' | 'ports' | 'uris' | 'ipAddress' | 'written'
> {
  readonly container?: ContainerDraft;
  readonly constraints?: readonly Constraint[];
}

const ARCHIVES = ['.tgz', '.tar.gz', '.tbz2', '.tar.bz2', '.txz', '.tar.xz', '.zip'];

/** Translates, or says which parts of a request contradict one another. */
export function translateLegacy(
  raw: RawApp,
  settings: ModelSettings,
): Result<AppUpdate, readonly Violation[]> {
  const violations = [...legacyViolations(raw), ...constraintViolations(raw.constraints ?? [])];
  if (violations.length > 0) return err(violations);
  const { container, constraints, ports } = raw;
  const same = without(raw, 'container', 'constraints', 'ports', 'uris', 'ipAddress', 'written');
  const networks = networksOf(raw, settings);
  const isLegacyNetwork = container?.docker?.network !== undefined;
  const isHost = (networks?.[0]?.mode ?? 'host') === 'host';
  const definitions =
    ports !== undefined && raw.portDefinitions === undefined
      ? ports.map(definitionOf)
      : raw.portDefinitions;
  const padding = isLegacyNetwork && !isHost ? (definitions?.length ?? 0) : 0;
  return ok(
    compact({
      ...same,
      constraints: constraints === undefined ? undefined : wellFormed(constraints),
      networks,
      portDefinitions: isLegacyNetwork && !isHost ? undefined : definitions,
      fetch: fetchOf(raw),
      container: containerOf(raw, networks?.[0], padding),
    }),
  );
}

/** Whatever is said twice, or cannot be said in the present notation. */
function legacyViolations(raw: RawApp): readonly Violation[] {
  const violations: Violation[] = [];
  const refuse = (path: string, error: string): void => void violations.push({ path, error });
  const docker = raw.container?.docker;
  if (docker?.network !== undefined && raw.networks !== undefined) {
    refuse('/', 'must not have both container.docker.network and networks');
  }
  if (raw.ipAddress !== undefined && raw.networks !== undefined) {
    refuse('/', 'must not have both ipAddress and networks');
  }
  if (raw.ipAddress !== undefined) {
    if ((raw.ports?.length ?? 0) > 0) refuse('/', 'must not have both ipAddress and ports');
    if ((raw.portDefinitions?.length ?? 0) > 0) {
      refuse('/', 'must not have both ipAddress and portDefinitions');
    }
    if (raw.ipAddress.discoveryPorts !== undefined && raw.ipAddress.discoveryPorts.length > 0) {
      if (docker !== undefined && raw.container?.type === 'DOCKER') {
        refuse('/ipAddress/discovery/ports', 'must be empty when the Docker engine is used');
      }
      if (raw.container?.portMappings !== undefined) {
        refuse('/', 'must not have both ipAddress.discovery.ports and container.portMappings');
      }
    }
  }
  if ((raw.uris?.length ?? 0) > 0 && (raw.fetch?.length ?? 0) > 0) {
    refuse('/', 'must not have both uris and fetch');
  }
  violations.push(...portViolations(raw), ...dockerViolations(raw.container));
  return violations;
}

function portViolations(raw: RawApp): readonly Violation[] {
  const { ports, portDefinitions } = raw;
  if (ports === undefined) return [];
  const named = ports.filter((port) => port !== 0);
  if (new Set(named).size !== named.length) {
    return [{ path: '/ports', error: 'Elements must be unique' }];
  }
  const isSame =
    portDefinitions === undefined ||
    (portDefinitions.length === ports.length &&
      portDefinitions.every((definition, index) => definition.port === ports[index]));
  if (isSame || ports.length === 0 || portDefinitions.length === 0) return [];
  return [{ path: '/', error: 'must not have both ports and portDefinitions that differ' }];
}

function dockerViolations(container: RawContainer | undefined): readonly Violation[] {
  const docker = container?.docker;
  if (docker === undefined) return [];
  const violations: Violation[] = [];
  const path = '/container/docker';
  if (docker.credential !== undefined) {
    violations.push({
      path: `${path}/credential`,
      error: 'must be empty; use pullConfig, or fetch a docker configuration',
    });
  }
  if (docker.portMappings !== undefined && container?.portMappings !== undefined) {
    const error = 'must not have both container.docker.portMappings and container.portMappings';
    violations.push({ path: '/container', error });
  }
  if (docker.network !== undefined && container?.type === 'MESOS') {
    violations.push({
      path: `${path}/network`,
      error: 'must be empty for a container of type MESOS',
    });
  } else if (docker.network === 'NONE') {
    violations.push({ path: `${path}/network`, error: 'the network type NONE is not supported' });
  }
  return violations;
}

function networksOf(raw: RawApp, settings: ModelSettings): readonly Network[] | undefined {
  const { ipAddress } = raw;
  const labels = ipAddress?.labels ?? {};
  const name = ipAddress?.networkName;
  switch (raw.container?.docker?.network) {
    case 'HOST':
      return [{ mode: 'host', labels: {} }];
    case 'BRIDGE':
      return [{ mode: 'container/bridge', labels }];
    case 'USER':
      return [compact({ mode: 'container' as const, name, labels })];
    default:
      if (ipAddress === undefined) return raw.networks;
      if (name === settings.mesosBridgeName) return [{ mode: 'container/bridge', labels }];
      return [compact({ mode: 'container' as const, name, labels })];
  }
}

function containerOf(
  raw: RawApp,
  network: Network | undefined,
  mappingsMin: number,
): ContainerDraft | undefined {
  const { container, ipAddress } = raw;
  const discovered = ipAddress?.discoveryPorts?.map((port) => ({
    containerPort: port.number,
    servicePort: 0,
    protocol: port.protocol,
    name: port.name,
    labels: port.labels,
    networkNames: [],
  }));
  if (container === undefined) {
    if (ipAddress === undefined) return undefined;
    return compact({ type: 'MESOS' as const, portMappings: discovered, volumes: [] });
  }
  const isLegacyHost = container.docker?.network === 'HOST';
  const written = container.portMappings ?? container.docker?.portMappings ?? discovered;
  const mappings = isLegacyHost ? undefined : padded(written, mappingsMin, network);
  return compact({
    type: container.type,
    docker: imageOf(container),
    portMappings: mappings,
    volumes: container.volumes,
    linuxInfo: container.linuxInfo,
  });
}

function imageOf(container: RawContainer): DockerImage | undefined {
  if (container.docker === undefined) return undefined;
  const { image, forcePullImage, privileged, parameters, pullConfig } = container.docker;
  return compact({ image, forcePullImage, privileged, parameters, pullConfig });
}

/** As many mappings as there were ports in the old notation. */
function padded(
  mappings: readonly PortMapping[] | undefined,
  mappingsMin: number,
  network: Network | undefined,
): readonly PortMapping[] | undefined {
  const missing = mappingsMin - (mappings?.length ?? 0);
  if (missing <= 0) return mappings;
  const mode = network?.mode ?? 'container';
  return [...(mappings ?? []), ...Array.from({ length: missing }, () => defaultMapping(mode))];
}

/** A mapping that leaves every choice open. */
export function defaultMapping(mode: Network['mode']): PortMapping {
  return compact({
    containerPort: 0,
    hostPort: mode === 'container/bridge' ? 0 : undefined,
    servicePort: 0,
    protocol: 'tcp' as const,
    labels: {},
    networkNames: [],
  });
}

function definitionOf(port: number): PortDefinition {
  return { port, protocol: 'tcp', labels: {} };
}

function fetchOf(raw: RawApp): readonly FetchUri[] | undefined {
  if (raw.uris === undefined || (raw.fetch?.length ?? 0) > 0) return raw.fetch;
  return raw.uris.map((uri) => ({
    uri,
    extract: isArchive(uri),
    executable: false,
    cache: false,
  }));
}

function isArchive(uri: string): boolean {
  const path = uri.split(/[?#]/, 1)[0] ?? '';
  return ARCHIVES.some((suffix) => path.endsWith(suffix));
}
