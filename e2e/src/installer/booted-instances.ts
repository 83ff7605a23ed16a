/**
 * Hosts for the instances of a substitute for EC2, which has none: each instance that runs gets a container with its
 * private address, into which its key pair is let as cloud-init would do it; when it is terminated, the container goes.
 * Everything is seen through EC2's public API, by looking again and again.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeInstancesCommand,
  DescribeKeyPairsCommand,
  type EC2Client,
  type Instance,
} from '@aws-sdk/client-ec2';
import type { HostNetwork } from '../host-network.ts';
import { Host } from '../host.ts';

const LOOK_MS = 300;

export class BootedInstances {
  readonly #ec2: EC2Client;
  readonly #network: HostNetwork;
  /** By id of the instance. */
  readonly #hosts = new Map<string, Promise<Host>>();
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #problem: unknown;

  constructor(ec2: EC2Client, network: HostNetwork) {
    this.#ec2 = ec2;
    this.#network = network;
    this.#ended = this.#follow().catch((error: unknown) => void (this.#problem = error));
  }

  /** Hosts that are up, by their addresses. */
  async hosts(): Promise<ReadonlyMap<string, Host>> {
    if (this.#problem !== undefined) throw this.#problem;
    const hosts = await Promise.all(this.#hosts.values());
    return new Map(hosts.map((host) => [host.address, host]));
  }

  /** Ends the looking and removes all hosts; throws what went wrong meanwhile. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
    for (const [id, host] of this.#hosts) await this.#remove(id, host);
    if (this.#problem !== undefined) throw this.#problem;
  }

  async #follow(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const { Reservations = [] } = await this.#ec2.send(new DescribeInstancesCommand({}));
      const instances = Reservations.flatMap(({ Instances = [] }) => Instances);
      const running = new Set<string>();
      for (const instance of instances) {
        const { InstanceId: id, PrivateIpAddress: address, KeyName: keyName, State } = instance;
        if (State?.Name !== 'running' || id === undefined || !this.#isOurs(address)) continue;
        running.add(id);
        if (this.#hosts.has(id)) continue;
        const host = this.#boot(address, keyName);
        // Known at once, and told to whoever asks for the hosts.
        host.catch((error: unknown) => void (this.#problem ??= error));
        this.#hosts.set(id, host);
      }
      for (const [id, host] of this.#hosts) if (!running.has(id)) await this.#remove(id, host);
      await sleep(LOOK_MS);
    }
  }

  /** Instances of neighbours are in other networks. */
  #isOurs(address: Instance['PrivateIpAddress']): address is string {
    return address?.startsWith(this.#network.range.replace(/0\/24$/, '')) === true;
  }

  async #boot(address: string, keyName: string | undefined): Promise<Host> {
    const name = `ip-${address.replaceAll('.', '-')}`;
    const host = await Host.boot(this.#network, { name, mounts: {}, address });
    const { KeyPairs = [] } = await this.#ec2.send(
      new DescribeKeyPairsCommand({ KeyNames: [keyName ?? ''], IncludePublicKey: true }),
    );
    await host.opensDoor(KeyPairs[0]?.PublicKey ?? '');
    return host;
  }

  async #remove(id: string, host: Promise<Host>): Promise<void> {
    this.#hosts.delete(id);
    await (await host).isRemoved();
  }
}
