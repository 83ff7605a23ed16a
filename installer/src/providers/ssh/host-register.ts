/**
 * Which hosts were given to a cluster, beside its configuration: so that those which were taken out of the configuration
 * are known until they are cleared, and masters, whose order is that of ZooKeeper's ids, are not exchanged by a change
 * of a list. Where the file is lost, the configuration is all that is known.
 */

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { OperationError } from '@dcos/base';
import { z } from 'zod';
import type { HostPlace } from '../../core/cluster.ts';

const schema = z.array(
  z.object({
    name: z.string(),
    role: z.enum(['master', 'private', 'public']),
    address: z.ipv4(),
  }),
);

export class HostRegister {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Throws `HOST_REGISTER_UNREADABLE` for a file that is none. */
  list(): readonly HostPlace[] {
    if (!existsSync(this.#file)) return [];
    try {
      return schema.parse(JSON.parse(readFileSync(this.#file, 'utf8')));
    } catch (error) {
      throw new OperationError(
        'HOST_REGISTER_UNREADABLE',
        `${this.#file} is no list of hosts; look at it, and remove it if it is of no use`,
        { cause: error },
      );
    }
  }

  /** Hosts of the register that are not among these. */
  others(places: readonly HostPlace[]): readonly HostPlace[] {
    const addresses = new Set(places.map(({ address }) => address));
    return this.list().filter(({ address }) => !addresses.has(address));
  }

  /**
   * Throws `INSTALLER_CONFIGURATION` for other masters than those of the register, or in another order.
   */
  checkMasters(places: readonly HostPlace[]): void {
    const masters = (list: readonly HostPlace[]): string =>
      list.flatMap(({ role, address }) => (role === 'master' ? [address] : [])).join(', ');
    const [known, wanted] = [masters(this.list()), masters(places)];
    if (known === '' || known === wanted) return;
    throw new OperationError(
      'INSTALLER_CONFIGURATION',
      `the masters are ${known} in this order, the configuration has ${wanted}: they are fixed for the life of a cluster; ` +
        'a master that is lost is replaced by a host at its address',
    );
  }

  add(places: readonly HostPlace[]): void {
    const fresh = places.map(({ name, role, address }) => ({ name, role, address }));
    this.#write([...fresh, ...this.others(places)]);
  }

  remove(places: readonly HostPlace[]): void {
    const addresses = new Set(places.map(({ address }) => address));
    this.#write(this.list().filter(({ address }) => !addresses.has(address)));
  }

  #write(places: readonly HostPlace[]): void {
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
    writeFileSync(`${this.#file}.new`, `${JSON.stringify(places, null, 2)}\n`, { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }
}
