/**
 * Hosts as containers of this machine, with systemd, on a network of their own: for demos, workshops and tests. Nothing is
 * remembered but by the engine: every thing carries the cluster's name as a label. Containers come back with the
 * machine.
 */

import { randomUUID } from 'node:crypto';
import type Docker from 'dockerode';
import { OperationError } from '@dcos/base';
import type { HostPlace, Role } from '../../core/cluster.ts';
import type {
  Infrastructure,
  Progress,
  ProvidedHost,
  Provider,
  ProviderChange,
} from '../provider.ts';
import { DockerConnection } from './docker-connection.ts';
import {
  ADDRESS_LABEL,
  CLUSTER_LABEL,
  containerName,
  hostNames,
  networkName,
  ordinalOf,
  PORT_LABEL,
  ROLE_LABEL,
  type HostCounts,
} from './docker-names.ts';
import {
  createNetwork,
  findNetwork,
  refuseOtherMasters,
  type ClusterNetwork,
} from './docker-network.ts';
import { freePorts } from './free-ports.ts';
import { HostContainers, type HostContainerSettings } from './host-containers.ts';
import { ensureHostImage } from './host-image.ts';

export interface DockerSettings extends HostCounts, HostContainerSettings {
  readonly baseImage: string;
  /** Of the first router; those of further masters follow. */
  readonly uiPort: number;
  /** Whether that very port is wanted, or any one from there on. */
  readonly isUiPortFixed: boolean;
}

interface FoundHost extends HostPlace {
  readonly id: string;
  readonly isRunning: boolean;
  readonly isPaused: boolean;
  readonly port: string | undefined;
}

export class DockerProvider implements Provider {
  readonly #engine: Docker;
  readonly #cluster: string;
  readonly #settings: DockerSettings;
  readonly #containers: HostContainers;

  constructor(engine: Docker, cluster: string, settings: DockerSettings) {
    this.#engine = engine;
    this.#cluster = cluster;
    this.#settings = settings;
    this.#containers = new HostContainers(engine, cluster, settings);
  }

  async changes(): Promise<readonly ProviderChange[]> {
    const [network, hosts] = await this.#look();
    const wanted = hostNames(this.#settings);
    refuseOtherMasters(this.#settings.masters, network, hosts);
    const changes: ProviderChange[] = [];
    if (network === undefined)
      changes.push({ action: 'create', what: `network ${networkName(this.#cluster)}` });
    for (const { name } of wanted) {
      const found = hosts.find((host) => host.name === name);
      const what = `host ${containerName(this.#cluster, name)}`;
      if (found === undefined) changes.push({ action: 'create', what });
      else if (!found.isRunning) changes.push({ action: 'start', what });
    }
    for (const { name } of leavingOf(hosts, wanted))
      changes.push({ action: 'remove', what: `host ${containerName(this.#cluster, name)}` });
    return changes;
  }

  async ensure(progress: Progress): Promise<Infrastructure> {
    const [foundNetwork, found] = await this.#look();
    const wanted = hostNames(this.#settings);
    refuseOtherMasters(this.#settings.masters, foundNetwork, found);
    await ensureHostImage(this.#engine, this.#settings, progress);
    const leaving = leavingOf(found, wanted);
    const network = foundNetwork ?? (await this.#createNetwork(progress));
    const missing = wanted.filter(({ name }) => !found.some((host) => host.name === name));
    const ports = await this.#portsFor(missing.filter(({ role }) => role === 'master'));
    await Promise.all([
      ...missing.map(async (host) => {
        progress(`host ${host.name}: create`);
        await this.#containers.create(network, host, ports.get(host.name));
      }),
      ...found
        .filter((host) => !host.isRunning && !leaving.includes(host))
        .map(async ({ id, name }) => {
          progress(`host ${name}: start`);
          await this.#containers.start(id, name);
        }),
    ]);
    const infrastructure = await this.existing();
    if (infrastructure === undefined)
      throw new OperationError('DOCKER_HOSTS_GONE', 'the hosts went away while they were made');
    // A run that was cut short may have left one that has not booted yet.
    const paused = new Set(found.flatMap(({ name, isPaused }) => (isPaused ? [name] : [])));
    const booting = infrastructure.hosts.filter(({ name }) => !paused.has(name));
    await Promise.all(booting.map(async (host) => await this.#containers.booted(host)));
    return infrastructure;
  }

  async existing(): Promise<Infrastructure | undefined> {
    const [network, found] = await this.#look();
    if (network === undefined) return undefined;
    const order: readonly Role[] = ['master', 'private', 'public'];
    const hosts = [...found].sort(
      (a, b) =>
        order.indexOf(a.role) - order.indexOf(b.role) ||
        a.name.localeCompare(b.name, 'en', { numeric: true }),
    );
    const leaving = leavingOf(hosts, hostNames(this.#settings));
    return {
      clusterId: network.clusterId,
      hosts: hosts.filter((host) => !leaving.includes(host)).map((host) => this.#provided(host)),
      leaving: leaving.map((host) => this.#provided(host)),
      routerNames: [],
      urls: hosts.flatMap(({ port }) => (port === undefined ? [] : [`http://127.0.0.1:${port}`])),
    };
  }

  async remove(places: readonly HostPlace[], progress: Progress): Promise<void> {
    const [, hosts] = await this.#look();
    const names = new Set(places.map(({ name }) => name));
    await this.#removeHosts(
      hosts.filter(({ name }) => names.has(name)),
      progress,
    );
  }

  async destroy(progress: Progress): Promise<void> {
    const [, hosts] = await this.#look();
    await this.#removeHosts(hosts, progress);
    const filters = { label: [`${CLUSTER_LABEL}=${this.#cluster}`] };
    for (const { Id, Name } of await this.#engine.listNetworks({ filters })) {
      progress(`network ${Name}: remove`);
      await ignoreMissing(this.#engine.getNetwork(Id).remove());
    }
  }

  async #removeHosts(hosts: readonly FoundHost[], progress: Progress): Promise<void> {
    await Promise.all(
      hosts.map(async ({ id, name }) => {
        progress(`host ${name}: remove`);
        await ignoreMissing(this.#engine.getContainer(id).remove({ force: true, v: true }));
      }),
    );
  }

  #provided({ id, name, role, address }: FoundHost): ProvidedHost {
    const container = this.#engine.getContainer(id);
    const connect = async (): Promise<DockerConnection> =>
      new DockerConnection(this.#engine, container, name);
    return { name, role, address, connect };
  }

  async #look(): Promise<readonly [ClusterNetwork | undefined, readonly FoundHost[]]> {
    const filters = { label: [`${CLUSTER_LABEL}=${this.#cluster}`] };
    try {
      const [network, containers] = await Promise.all([
        findNetwork(this.#engine, this.#cluster),
        this.#engine.listContainers({ all: true, filters }),
      ]);
      return [network, containers.map((container) => this.#foundHost(container))];
    } catch (error) {
      throw new OperationError(
        'DOCKER_UNREACHABLE',
        'no Docker Engine answers; start it, or name its socket in DOCKER_HOST',
        { cause: error },
      );
    }
  }

  #foundHost({ Id, Names, Labels, State }: Docker.ContainerInfo): FoundHost {
    const prefix = `/${containerName(this.#cluster, '')}`;
    return {
      id: Id,
      name: Names[0]?.slice(prefix.length) ?? Id,
      role: (Labels[ROLE_LABEL] ?? 'private') as Role,
      address: Labels[ADDRESS_LABEL] ?? '',
      // One that somebody paused cannot be started; it is told of as unreachable.
      isPaused: State === 'paused',
      isRunning: ['running', 'paused'].includes(State),
      port: Labels[PORT_LABEL],
    };
  }

  async #createNetwork(progress: Progress): Promise<ClusterNetwork> {
    progress(`network ${networkName(this.#cluster)}: create`);
    return await createNetwork(this.#engine, this.#cluster, {
      clusterId: randomUUID(),
      masters: this.#settings.masters,
      outbound: this.#settings.outbound,
    });
  }

  async #portsFor(
    masters: readonly { readonly name: string }[],
  ): Promise<ReadonlyMap<string, number>> {
    const { uiPort, isUiPortFixed } = this.#settings;
    if (isUiPortFixed) {
      // Each has its own, also one that replaces another.
      const own = masters.map(({ name }) => [name, uiPort + ordinalOf(name) - 1] as const);
      for (const [, port] of own) await freePorts(port, 1, true);
      return new Map(own);
    }
    const ports = await freePorts(uiPort, masters.length, false);
    return new Map(masters.map(({ name }, index) => [name, ports[index] ?? uiPort + index]));
  }
}

/** Agents that are not wanted any more. */
function leavingOf(
  found: readonly FoundHost[],
  wanted: readonly { readonly name: string }[],
): readonly FoundHost[] {
  const names = new Set(wanted.map(({ name }) => name));
  return found.filter(({ name, role }) => role !== 'master' && !names.has(name));
}

async function ignoreMissing(action: Promise<unknown>): Promise<void> {
  try {
    await action;
  } catch (error) {
    // Gone already, or somebody else is removing it.
    if (![404, 409].includes((error as { readonly statusCode?: number }).statusCode ?? 0))
      throw error;
  }
}
