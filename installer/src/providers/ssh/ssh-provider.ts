/**
 * Hosts that are there already, reached by SSH. Nothing is made but a mark on each host that says whose it is; so a
 * host is never taken from another cluster, and the cluster's id is found again without a file of ours.
 */

import { randomUUID } from 'node:crypto';
import { errorText, OperationError } from '@dcos/base';
import type { HostPlace } from '../../core/cluster.ts';
import type { HostConnection } from '../../hosts/connection.ts';
import { endListening } from '../../hosts/look-for-ways.ts';
import { removeInstallation } from '../../hosts/remove-installation.ts';
import { sideBySide } from '../../hosts/side-by-side.ts';
import type {
  Infrastructure,
  Progress,
  ProvidedHost,
  Provider,
  ProviderChange,
} from '../provider.ts';
import { forgetKeys } from './known-hosts.ts';
import { readClaim, writeClaim, type HostClaim } from './host-claim.ts';
import type { HostRegister } from './host-register.ts';
import type { SshTarget } from './ssh-target.ts';

export interface SshProviderOptions {
  /** Name of the cluster. */
  readonly cluster: string;
  readonly hosts: readonly HostPlace[];
  readonly targetOf: (host: HostPlace) => SshTarget;
  /** Opens a way to a host. */
  readonly connect: (target: SshTarget) => HostConnection;
  /** Which hosts it was given before. */
  readonly register: HostRegister;
  /** Hosts at a time. */
  readonly parallelMax: number;
}

interface FoundHost {
  readonly place: HostPlace;
  readonly claim: HostClaim | undefined;
}

interface Look {
  /** Undefined where no host belongs to anybody. */
  readonly clusterId: string | undefined;
  readonly reached: readonly FoundHost[];
  readonly silent: readonly PerHost<unknown>[];
}

export class SshProvider implements Provider {
  readonly #options: SshProviderOptions;

  constructor(options: SshProviderOptions) {
    this.#options = options;
  }

  async changes(): Promise<readonly ProviderChange[]> {
    const { hosts, register } = this.#options;
    register.checkMasters(hosts);
    const { reached } = await this.#look({ asksAll: false });
    const free = reached.filter(({ claim }) => claim === undefined);
    return [
      ...free.map(({ place }): ProviderChange => ({
        action: 'create',
        what: `mark of the cluster on ${place.name}`,
      })),
      ...register
        .others(hosts)
        .map(({ name }): ProviderChange => ({ action: 'remove', what: `host ${name}` })),
    ];
  }

  /** A host that cannot be reached is the business of whoever connects to it. Nothing is changed before `claim`. */
  async ensure(): Promise<Infrastructure> {
    const { hosts, register } = this.#options;
    register.checkMasters(hosts);
    const look = await this.#look({ asksAll: false });
    const clusterId = look.clusterId ?? randomUUID();
    return {
      ...this.#infrastructure(clusterId, hosts),
      claim: async (progress) => await this.#claim(clusterId, look, progress),
    };
  }

  async #claim(
    clusterId: string,
    { clusterId: found, reached, silent }: Look,
    progress: Progress,
  ): Promise<void> {
    const { cluster, hosts, register } = this.#options;
    if (found === undefined) throwSilent(silent);
    const free = reached.filter(({ claim }) => claim === undefined);
    const marked = await this.#each(
      free.map(({ place }) => place),
      async (connection, place) => {
        progress(`host ${place.name}: mark as one of ${cluster}`);
        return await writeClaim(connection, { cluster, clusterId });
      },
    );
    throwProblems(marked);
    // Whoever was faster has it.
    this.#checkOurs([...reached, ...marked.map(({ place, value }) => ({ place, claim: value }))]);
    register.add(hosts);
  }

  async existing(): Promise<Infrastructure | undefined> {
    const { clusterId, reached, silent } = await this.#look();
    if (clusterId === undefined) return undefined;
    const marked = reached.filter(({ claim }) => claim !== undefined);
    const places = new Set([...marked, ...silent].map(({ place }) => place));
    return this.#infrastructure(
      clusterId,
      this.#options.hosts.filter((place) => places.has(place)),
    );
  }

  /** What is on a host that cannot be reached stays there; the cluster does not know it any more. */
  async remove(places: readonly HostPlace[], progress: Progress): Promise<void> {
    const removed = await this.#clear(places, progress);
    const silent = removed.filter(({ problem }) => problem !== undefined);
    for (const { place, problem } of silent)
      progress(`host ${place.name}: what was installed stays: ${errorText(problem)}`);
    for (const place of places) {
      // What comes in its place may be another machine.
      const { host, port, hostKeys } = this.#options.targetOf(place);
      if (hostKeys.pinsFirst) await forgetKeys(hostKeys.file, host, port);
    }
    const { hosts, register } = this.#options;
    const asked = new Set(hosts.map(({ address }) => address));
    // One that is replaced is still of the cluster: a master would be missing from those that are fixed.
    register.remove(places.filter(({ address }) => !asked.has(address)));
  }

  async destroy(progress: Progress): Promise<void> {
    const { hosts, register } = this.#options;
    const { reached, silent } = await this.#look();
    const marked = reached.filter(({ claim }) => claim !== undefined).map(({ place }) => place);
    const free = reached.filter(({ claim }) => claim === undefined).map(({ place }) => place);
    const leaving = register.others(hosts);
    const removed = await this.#clear([...marked, ...leaving], progress);
    // A deployment that was killed in its preflight had not marked them yet.
    const ended = await this.#each(free, endListening);
    // All that can be reached is done before the others are told of.
    throwProblems([...silent, ...removed, ...ended]);
    register.remove(register.list());
  }

  /** Removes what was installed; from no host that is of another cluster by now. */
  async #clear(
    places: readonly HostPlace[],
    progress: Progress,
  ): Promise<readonly PerHost<unknown>[]> {
    return await this.#each(places, async (connection, { name }) => {
      const claim = await readClaim(connection);
      if (claim?.cluster !== this.#options.cluster) return;
      progress(`host ${name}: remove what was installed`);
      await removeInstallation(connection);
    });
  }

  /**
   * Whose the hosts are. Throws with all that belong to another cluster.
   * @param options.asksAll whether it throws with all that cannot be reached, too, as long as no other says which cluster
   * they are of.
   */
  async #look({ asksAll = true } = {}): Promise<Look> {
    const all = await this.#each(this.#options.hosts, readClaim);
    const silent = all.filter(({ problem }) => problem !== undefined);
    const reached = all
      .filter(({ problem }) => problem === undefined)
      .map(({ place, value }) => ({ place, claim: value }));
    this.#checkOurs(reached);
    const clusterId = idOf(reached);
    if (asksAll && clusterId === undefined) throwSilent(silent);
    return { clusterId, reached, silent };
  }

  #checkOurs(found: readonly FoundHost[]): void {
    const { cluster } = this.#options;
    const id = idOf(found.filter(({ claim }) => claim?.cluster === cluster));
    const foreign = found.filter(({ claim }) => claim !== undefined && claim.clusterId !== id);
    if (foreign.length === 0) return;
    const lines = foreign.map(
      ({ place, claim }) => `${place.name} belongs to ${claim?.cluster} (${claim?.clusterId})`,
    );
    throw new OperationError(
      'HOST_OF_ANOTHER_CLUSTER',
      `${lines.join('\n')}\ndestroy that cluster first, or take other hosts`,
    );
  }

  #infrastructure(clusterId: string, places: readonly HostPlace[]): Infrastructure {
    const masters = places.filter(({ role }) => role === 'master');
    const provided = (place: HostPlace): ProvidedHost => ({
      ...place,
      connect: async () => await Promise.resolve(this.#connection(place)),
    });
    const { hosts, register } = this.#options;
    return {
      clusterId,
      hosts: places.map(provided),
      leaving: register.others(hosts).map(provided),
      routerNames: [],
      urls: masters.map(({ address }) => `http://${address}`),
    };
  }

  #connection(place: HostPlace): HostConnection {
    const { connect, targetOf } = this.#options;
    return connect(targetOf(place));
  }

  /** Does something on each of these hosts, side by side; what fails on one is told of that one. */
  async #each<T>(
    places: readonly HostPlace[],
    perform: (connection: HostConnection, place: HostPlace) => Promise<T>,
  ): Promise<readonly PerHost<T>[]> {
    const results = await sideBySide(places, this.#options.parallelMax, async (place) => {
      const connection = this.#connection(place);
      try {
        return await perform(connection, place);
      } finally {
        await connection.close();
      }
    });
    return results.flatMap((result, index): readonly PerHost<T>[] => {
      const place = places[index];
      if (place === undefined) return [];
      return result.status === 'fulfilled'
        ? [{ place, value: result.value }]
        : [{ place, value: undefined, problem: result.reason as unknown }];
    });
  }
}

interface PerHost<T> {
  readonly place: HostPlace;
  readonly value: T | undefined;
  readonly problem?: unknown;
}

/** For as long as nobody says which cluster the hosts are of: those that are silent might say it. */
function throwSilent(silent: readonly PerHost<unknown>[]): void {
  throwProblems(
    silent,
    'no other host has the mark of a cluster, and these may have one: all have to answer then; nothing was changed',
  );
}

/** Tells of all that failed at once. */
function throwProblems(found: readonly PerHost<unknown>[], ...more: readonly string[]): void {
  const problems = found.flatMap(({ place, problem }) =>
    problem === undefined ? [] : [`${place.name}: ${errorText(problem)}`],
  );
  if (problems.length === 0) return;
  throw new OperationError('HOST_UNREACHABLE', [...problems, ...more].join('\n'), {
    retry: 'later',
  });
}

function idOf(found: readonly FoundHost[]): string | undefined {
  return found.find(({ claim }) => claim !== undefined)?.claim?.clusterId;
}
