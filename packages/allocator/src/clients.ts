/**
 * Frameworks, roles, and clients: a client is one framework in one role, the smallest thing that is
 * offered resources.
 *
 * Invariants: a role exists while it has clients; a client is active in its role's sorter iff its
 * framework is active and subscribed to the role and has not suppressed it; a role is active iff one of
 * its clients is; what is allocated to a client is counted in its role's framework sorter and in the
 * role sorter.
 */

import { topLevelRole } from '@dcos/resources';
import type { FrameworkId } from '@dcos/base';
import { BitSet } from './bit-set.ts';
import type { ScalarVector } from './scalar-vector.ts';
import { Sorter, type SorterNode, type SorterOptions } from './sorter.ts';
import type { AgentFilter, MinAllocatable } from './types.ts';

export interface Framework {
  readonly id: FrameworkId;
  /** False for one of which only its use of agents is known, until it is added. */
  added: boolean;
  active: boolean;
  capabilities: ReadonlySet<string>;
  minAllocatable: ReadonlyMap<string, MinAllocatable>;
  agentFilters: ReadonlyMap<string, AgentFilter>;
  readonly clients: Map<string, Client>;
}

export interface Client {
  /** Small number that no other client has at the same time; index in bit sets. */
  readonly index: number;
  readonly framework: Framework;
  readonly role: Role;
  readonly leaf: SorterNode<Client>;
  subscribed: boolean;
  suppressed: boolean;
}

export interface Role {
  readonly name: string;
  /** Its top-level role, to which quota belongs. */
  readonly top: string;
  /** Whether it is below another role. */
  readonly nested: boolean;
  readonly leaf: SorterNode<Role>;
  readonly frameworks: Sorter<Client>;
  readonly clients: Set<Client>;
  /** The only client if there is one, which saves a walk. */
  sole: Client | undefined;
}

/** An allocation as the two sorters count it; they differ when frameworks of a role share a volume. */
export interface Amount {
  readonly ofClient: ScalarVector;
  readonly ofRole: ScalarVector;
}

export interface ClientTreeOptions {
  readonly roles: SorterOptions;
  readonly frameworks: SorterOptions;
}

export class ClientTree {
  readonly frameworks = new Map<FrameworkId, Framework>();
  readonly roles = new Map<string, Role>();
  readonly roleSorter: Sorter<Role>;
  /** Indices of the active clients. */
  readonly active = new BitSet();
  readonly #options: ClientTreeOptions;
  readonly #freeIndices: number[] = [];
  #indices = 0;
  #total: ScalarVector = new Float64Array(0);

  constructor(options: ClientTreeOptions) {
    this.#options = options;
    this.roleSorter = new Sorter<Role>(options.roles);
  }

  /** The framework of that id, made (inactive, without roles) when there is none. */
  framework(id: FrameworkId): Framework {
    const known = this.frameworks.get(id);
    if (known !== undefined) return known;
    const framework: Framework = {
      id,
      added: false,
      active: false,
      capabilities: new Set(),
      minAllocatable: new Map(),
      agentFilters: new Map(),
      clients: new Map(),
    };
    this.frameworks.set(id, framework);
    return framework;
  }

  /** The client, made (not subscribed) when there is none. */
  client(framework: Framework, roleName: string): Client {
    const known = framework.clients.get(roleName);
    if (known !== undefined) return known;
    const role = this.#role(roleName);
    const client = role.frameworks.add([framework.id], (leaf) => ({
      index: this.#freeIndices.pop() ?? this.#indices++,
      framework,
      role,
      leaf,
      subscribed: false,
      suppressed: false,
    }));
    framework.clients.set(roleName, client);
    role.clients.add(client);
    role.sole = role.clients.size === 1 ? client : undefined;
    return client;
  }

  /** Forgets a client that has nothing allocated; its index may be given to another one. */
  removeClient(client: Client): void {
    const { framework, role } = client;
    role.frameworks.remove(client.leaf);
    role.clients.delete(client);
    framework.clients.delete(role.name);
    this.active.delete(client.index);
    this.#freeIndices.push(client.index);
    const [first] = role.clients;
    role.sole = role.clients.size === 1 ? first : undefined;
    if (role.clients.size > 0) {
      this.roleSorter.setActive(role.leaf, { active: role.frameworks.hasActiveClients });
      return;
    }
    this.roleSorter.remove(role.leaf);
    this.roles.delete(role.name);
  }

  /** Brings both sorters in line with what the client's fields say. */
  refreshActive(client: Client): void {
    const { framework, role } = client;
    const active = framework.active && client.subscribed && !client.suppressed;
    role.frameworks.setActive(client.leaf, { active });
    if (active) this.active.add(client.index);
    else this.active.delete(client.index);
    this.roleSorter.setActive(role.leaf, { active: role.frameworks.hasActiveClients });
  }

  /** Counts an allocation (`1`) or its end (`-1`). */
  count(client: Client, amount: Amount, sign: 1 | -1): void {
    client.role.frameworks.change(client.leaf, amount.ofClient, sign);
    this.roleSorter.change(client.role.leaf, amount.ofRole, sign);
  }

  /** Tells all sorters the cluster's totals. */
  setTotal(total: ScalarVector): void {
    this.#total = total;
    this.roleSorter.setTotal(total);
    for (const role of this.roles.values()) role.frameworks.setTotal(total);
  }

  #role(name: string): Role {
    const known = this.roles.get(name);
    if (known !== undefined) return known;
    const components = name.split('/');
    const role = this.roleSorter.add(components, (leaf) => ({
      name,
      top: topLevelRole(name),
      nested: components.length > 1,
      leaf,
      frameworks: new Sorter<Client>(this.#options.frameworks),
      clients: new Set(),
      sole: undefined,
    }));
    role.frameworks.setTotal(this.#total);
    this.roles.set(name, role);
    return role;
  }
}

/** Whether the client is offered anything at all at present. */
export function isActive(client: Client): boolean {
  return client.leaf.activeLeaves > 0;
}
