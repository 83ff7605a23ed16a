/**
 * Who uses shared resources (volumes) of an agent: shares count a shared resource once per agent for a
 * framework, and once for a role, however many users there are.
 */

import type { Entry } from '@dcos/resources';
import type { Client } from './clients.ts';

export class SharedUses {
  /** By key of the resource, which names the role, the number of uses of each client. */
  readonly #uses = new Map<string, Map<Client, number>>();

  /** Whether a use (`1`) is the first, or its end (`-1`) the last, of the client and of its role. */
  change(
    client: Client,
    entry: Entry,
    sign: 1 | -1,
  ): { readonly ofClient: boolean; readonly ofRole: boolean } {
    const { key } = entry.nature;
    const clients = this.#uses.get(key) ?? new Map<Client, number>();
    const before = clients.get(client) ?? 0;
    const clientsBefore = clients.size;
    const after = before + sign * entry.count;
    if (after === 0) clients.delete(client);
    else clients.set(client, after);
    if (clients.size === 0) this.#uses.delete(key);
    else this.#uses.set(key, clients);
    return {
      ofClient: (before === 0) !== (after === 0),
      ofRole: (clientsBefore === 0) !== (clients.size === 0),
    };
  }
}
