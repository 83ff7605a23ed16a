/** The network between the hosts of a test: internal, so that no packet can reach a stranger. */

import type { Host } from './host.ts';
import { engine, OWNER_LABEL } from './engine.ts';

/** Private networks in which a test looks for a free place. */
const SUBNETS = Array.from({ length: 40 }, (_, index) => `10.213.${index}`);

export class HostNetwork {
  readonly name: string;
  readonly #prefix: string;
  #lastHost = 9;
  #parted: { readonly one: Host; readonly two: Host; readonly ports: readonly number[] }[] = [];

  private constructor(name: string, prefix: string) {
    this.name = name;
    this.#prefix = prefix;
  }

  static async create(name: string): Promise<HostNetwork> {
    const used = (await engine.listNetworks()).flatMap(
      (network) => network.IPAM?.Config?.map((config) => config.Subnet ?? '') ?? [],
    );
    const prefix = SUBNETS.find((subnet) => !used.includes(`${subnet}.0/24`));
    if (prefix === undefined) throw new Error('no subnet is free for the hosts of this test');
    const unique = `${name}-${process.pid}`;
    await engine.createNetwork({
      Name: unique,
      Internal: true,
      Labels: { [OWNER_LABEL]: String(process.pid) },
      IPAM: { Config: [{ Subnet: `${prefix}.0/24` }] },
    });
    return new HostNetwork(unique, prefix);
  }

  /** Of all its addresses. */
  get range(): string {
    return `${this.#prefix}.0/24`;
  }

  /** An address that no host of this network had before. */
  nextAddress(): string {
    this.#lastHost += 1;
    return `${this.#prefix}.${this.#lastHost}`;
  }

  /**
   * From now on no packet goes between hosts of one side and hosts of the other, or none of these ports; connections
   * stay open and silent.
   */
  async parts(
    side: readonly Host[],
    other: readonly Host[],
    ports: readonly number[] = [],
  ): Promise<void> {
    for (const one of side) {
      for (const two of other) {
        await one.dropsPackets(two.address, true, ports);
        this.#parted.push({ one, two, ports });
      }
    }
  }

  /** Ends every partition. */
  async heals(): Promise<void> {
    const parted = this.#parted;
    this.#parted = [];
    for (const { one, two, ports } of parted) await one.dropsPackets(two.address, false, ports);
  }

  async isRemoved(): Promise<void> {
    await engine.getNetwork(this.name).remove();
  }
}
