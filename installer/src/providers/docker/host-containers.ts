/**
 * Containers that are hosts: made with what systemd needs, started, waited for until they have booted.
 *
 * Capabilities: all but CAP_SYS_RESOURCE, which machines that are virtual themselves often lack; `privileged` would not
 * start there. What that costs: limits of processes cannot be raised above the engine's.
 */

import { stripVTControlCharacters } from 'node:util';
import type Docker from 'dockerode';
import { errorText, OperationError } from '@dcos/base';
import type { HostPlace } from '../../core/cluster.ts';
import type { ProvidedHost } from '../provider.ts';
import {
  ADDRESS_LABEL,
  CLUSTER_LABEL,
  containerName,
  hostAddress,
  networkName,
  PORT_LABEL,
  ROLE_LABEL,
} from './docker-names.ts';
import type { ClusterNetwork } from './docker-network.ts';

export interface HostContainerSettings {
  readonly image: string;
  /** Whether hosts reach what lies outside of this machine. */
  readonly outbound: boolean;
  /** Of the router on its host. */
  readonly routerPort: number;
}

const BOOT_TIMEOUT_MS = 90_000;
/** Systemd, when it starts, may end who asks it whether it is up. */
const BOOT_ATTEMPTS = 3;
const INIT = '/sbin/host-init';
/** Until it is up, systemd cannot be asked. `degraded`: a unit of the image that containers cannot have is nothing to us. */
const AWAIT_BOOT = `
until case "$(systemctl is-system-running 2>/dev/null)" in running | degraded) true ;; *) false ;; esac
do sleep 0.1; done
`;
const LAST_WORDS_LINES = 3;
/** Each systemd has about eight; 128 for all of a user's programs is the default of many distributions. */
const INOTIFY_HINT =
  'this machine lets a user watch too few files for so many hosts: sysctl -w fs.inotify.max_user_instances=1024';
/** First what a host without a way out has to forget, then its own first process. */
const INIT_WITHOUT_WAY_OUT = ['sh', '-c', `ip route del default; exec ${INIT}`];

/** The types of the engine's client lack the mode of the cgroup namespace. */
interface HostContainer extends Docker.ContainerCreateOptions {
  readonly HostConfig: Docker.HostConfig & { readonly CgroupnsMode: 'private' };
}

export class HostContainers {
  readonly #engine: Docker;
  readonly #cluster: string;
  readonly #settings: HostContainerSettings;

  constructor(engine: Docker, cluster: string, settings: HostContainerSettings) {
    this.#engine = engine;
    this.#cluster = cluster;
    this.#settings = settings;
  }

  /** Made and started. @param port of 127.0.0.1 at which its router is, where it has one. */
  async create(
    network: ClusterNetwork,
    host: Pick<HostPlace, 'name' | 'role'>,
    port: number | undefined,
  ): Promise<void> {
    const address = hostAddress(network.prefix, host);
    const name = containerName(this.#cluster, host.name);
    const options: HostContainer = {
      name,
      Image: this.#settings.image,
      Hostname: host.name,
      Labels: {
        [CLUSTER_LABEL]: this.#cluster,
        [ROLE_LABEL]: host.role,
        [ADDRESS_LABEL]: address,
        ...(port !== undefined && { [PORT_LABEL]: String(port) }),
      },
      StopSignal: 'SIGRTMIN+3',
      Tty: true,
      Cmd: this.#settings.outbound ? [INIT] : INIT_WITHOUT_WAY_OUT,
      ...(port !== undefined && { ExposedPorts: { [`${this.#settings.routerPort}/tcp`]: {} } }),
      HostConfig: {
        RestartPolicy: { Name: 'unless-stopped' },
        CapAdd: ['ALL'],
        CapDrop: ['SYS_RESOURCE'],
        CgroupnsMode: 'private',
        SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined'],
        MaskedPaths: [],
        ReadonlyPaths: [],
        Tmpfs: { '/run': 'exec', '/run/lock': '' },
        NetworkMode: networkName(this.#cluster),
        ...(port !== undefined && {
          PortBindings: {
            [`${this.#settings.routerPort}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: String(port) }],
          },
        }),
      },
      NetworkingConfig: {
        EndpointsConfig: {
          [networkName(this.#cluster)]: { IPAMConfig: { IPv4Address: address } },
        },
      },
    };
    const container = await this.#engine.createContainer(options);
    await this.start(container.id, host.name);
  }

  /** @throws OperationError `DOCKER_HOST_START` */
  async start(id: string, name: string): Promise<void> {
    try {
      await this.#engine.getContainer(id).start();
    } catch (error) {
      const hint = /port is already allocated|address already in use/i.test(String(error))
        ? '; give docker.uiPort another number'
        : '';
      throw new OperationError('DOCKER_HOST_START', `host ${name} does not start${hint}`, {
        cause: error,
      });
    }
  }

  /** Resolves when systemd has started everything. @throws OperationError `DOCKER_HOST_BOOT` */
  async booted({ name, connect }: ProvidedHost): Promise<void> {
    const connection = await connect();
    let problem: unknown;
    try {
      for (let attempt = 0; attempt < BOOT_ATTEMPTS; attempt++) {
        const boot = ['sh', '-c', AWAIT_BOOT];
        const { code, stderr } = await connection.run(boot, { timeoutMs: BOOT_TIMEOUT_MS });
        if (code === 0) return;
        problem = new OperationError('HOST_PROGRAM_FAILED', `exit code ${code} ${stderr.trim()}`);
      }
    } catch (error) {
      problem = error;
    } finally {
      await connection.close();
    }
    const said = await this.#lastWords(name);
    const hint = said.includes('Too many open files') ? `; ${INOTIFY_HINT}` : '';
    const text = `host ${name} does not boot: ${errorText(problem)}; it said: ${said}${hint}`;
    throw new OperationError('DOCKER_HOST_BOOT', text, { cause: problem });
  }

  /** Of the console of a host. */
  async #lastWords(name: string): Promise<string> {
    const container = this.#engine.getContainer(containerName(this.#cluster, name));
    const said = await container.logs({ stdout: true, stderr: true, tail: LAST_WORDS_LINES });
    return stripVTControlCharacters(said.toString('utf8'))
      .trim()
      .replaceAll(/\s*\n\s*/g, '; ');
  }
}
