/**
 * A provider: where the hosts of a cluster come from. It ends where a list of hosts with names, roles and addresses
 * begins, each with a connection; from there on all clusters are installed in the same way.
 *
 * A provider keeps its state where its hosts are (labels, tags), so that a lost laptop loses nothing, and every call
 * may be repeated after it was cut short.
 */

import type { HostPlace } from '../core/cluster.ts';
import type { HostConnection } from '../hosts/connection.ts';

export interface ProvidedHost extends HostPlace {
  /** Opens a way to it; whoever does closes it. */
  readonly connect: () => Promise<HostConnection>;
}

/** Something that a provider would make, mend or remove, in words. */
export interface ProviderChange {
  readonly action: 'create' | 'start' | 'change' | 'remove';
  /** Such as `container dcos-demo-master-1`. */
  readonly what: string;
}

export interface Infrastructure {
  /** Of the cluster; kept with its hosts. */
  readonly clusterId: string;
  /** Those that the configuration asks for. */
  readonly hosts: readonly ProvidedHost[];
  /** Agents that are there and that it does not ask for any more. */
  readonly leaving: readonly ProvidedHost[];
  /** Names and addresses under which people reach routers, besides those of their hosts. */
  readonly routerNames: readonly string[];
  /** Where people find the cluster. */
  readonly urls: readonly string[];
  /**
   * Takes hold of hosts that were there before the cluster, so that no other gets them; before anything is installed, and
   * not before all are fit. Absent where hosts are made for the cluster.
   */
  readonly claim?: (progress: Progress) => Promise<void>;
}

export interface Progress {
  (text: string): void;
}

export interface Provider {
  /** What is missing; changes nothing. */
  changes(): Promise<readonly ProviderChange[]>;
  /** What people should know beside that: costs, and what differs and stays. Changes nothing. */
  notes?(): Promise<readonly string[]>;
  /** Makes what is missing. Hosts that are not asked for any more stay until `remove`: they may run tasks. */
  ensure(progress: Progress): Promise<Infrastructure>;
  /** What is there; undefined when nothing is. */
  existing(): Promise<Infrastructure | undefined>;
  /**
   * Takes hosts away, whether they are asked for or not; no error when one is gone. What the next `ensure` makes in the
   * place of one that is asked for has the same name.
   */
  remove(hosts: readonly HostPlace[], progress: Progress): Promise<void>;
  /** Removes all that it made for this cluster and nothing else; no error when nothing is there. */
  destroy(progress: Progress): Promise<void>;
}
