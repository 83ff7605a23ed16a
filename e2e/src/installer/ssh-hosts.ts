/** Hosts of a test that are there already: with systemd, and with a door for the installer to come in by SSH. */

import { join } from 'node:path';
import { sshKeyPair } from '@dcos/testkit';
import { Host } from '../host.ts';
import type { HostNetwork } from '../host-network.ts';

const RESOURCES = 'cpus:2;mem:1024;disk:1024;ports:[31000-31999]';

/** What an installation might leave. */
const TRACES = `
find / -xdev \\( -path /proc -o -path /sys -o -path /tmp -o -path /var/log \\) -prune -o \\
  \\( -name '*dcos*' -o -path '/root/.dcos*' \\) -print
systemctl list-units --all --plain --no-legend 'dcos*'
ps -eo args= | grep -E '[/]opt/dcos|[h]ttp.server|[z]ookeeper' || true
`;

export type HostKind = 'master' | 'private' | 'public';

export class SshHosts {
  readonly #network: HostNetwork;
  readonly #directory: string;
  readonly #publicKey: string;
  readonly #hosts: Host[] = [];

  /** @param directory for the key. */
  constructor(network: HostNetwork, directory: string) {
    this.#network = network;
    this.#directory = directory;
    this.#publicKey = sshKeyPair(directory, 'key').publicKey;
  }

  /** Boots hosts side by side: `private-1`, `private-2` and so on. */
  async boot(kind: HostKind, count: number): Promise<void> {
    const booted = this.of(kind).length;
    const names = Array.from({ length: count }, (_, index) => `${kind}-${booted + index + 1}`);
    this.#hosts.push(
      ...(await Promise.all(
        names.map(async (name) => {
          const host = await Host.boot(this.#network, { name, mounts: {} });
          await host.opensDoor(this.#publicKey);
          return host;
        }),
      )),
    );
  }

  /** A host burns, and a new machine comes up at its address: with other keys, with nothing of what it held. */
  async isNewMachine(old: Host): Promise<Host> {
    await old.burns();
    const { name, address } = old;
    const host = await Host.boot(this.#network, { name, mounts: {}, address });
    await host.opensDoor(this.#publicKey);
    this.#hosts[this.#hosts.indexOf(old)] = host;
    return host;
  }

  get all(): readonly Host[] {
    return this.#hosts;
  }

  of(kind: HostKind): readonly Host[] {
    return this.#hosts.filter(({ name }) => name.startsWith(`${kind}-`));
  }

  /** @param ordinal from 1 on. */
  one(kind: HostKind, ordinal: number): Host {
    const host = this.of(kind)[ordinal - 1];
    if (host === undefined) throw new Error(`no ${kind}-${ordinal}`);
    return host;
  }

  /** A configuration with these hosts; YAML is a superset of its JSON. */
  configuration(name: string, privateAgents = this.of('private').length): object {
    const addressesOf = (kind: HostKind): readonly string[] =>
      this.of(kind).map(({ address }) => address);
    return {
      name,
      provider: 'ssh',
      ssh: { keyFile: join(this.#directory, 'key'), keepAliveIntervalMs: 4_000 },
      hosts: {
        masters: addressesOf('master'),
        privateAgents: addressesOf('private').slice(0, privateAgents),
        publicAgents: addressesOf('public'),
      },
      privateAgentResources: RESOURCES,
      publicAgentResources: RESOURCES,
    };
  }

  async isRemoved(): Promise<void> {
    await Promise.all(this.#hosts.map(async (host) => await host.isRemoved()));
  }
}

/** What is on a host that an installation might have left; nothing when it was cleared. */
export async function tracesOn(host: Host): Promise<string> {
  return await host.does('sh', '-c', TRACES);
}
