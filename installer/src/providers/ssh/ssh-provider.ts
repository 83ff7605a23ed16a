/**
 * Hosts that are there already, reached by SSH. Nothing is made but a mark on each host that says whose it is; so a
 * host is never taken from another cluster, and the cluster's id is found again without a file of ours.
 */

import { randomUUID } from 'node:crypto';
import { errorText, OperationError } from '@dcos/base';
import type { HostPlace } from '../../core/cluster.ts';
import type { HostConnection } from '../../hosts/connection.ts';
import { removeInstallation } from '../../hosts/remove-installation.ts';
import { sideBySide } from '../../hosts/side-by-side.ts';
import type { Infrastructure, Progress, Provider, ProviderChange } from '../provider.ts';
import { readClaim, writeClaim, type HostClaim } from './host-claim.ts';
import { SshConnection } from './ssh-connection.ts';
import type { SshTarget } from './ssh-target.ts';

export interface SshProviderOptions {
  /** Name of the cluster. */
  readonly cluster: string;
  readonly hosts: readonly HostPlace[];
  readonly targetOf: (host: HostPlace) => SshTarget;
  /** Hosts at a time. */
  readonly parallelMax: number;
}

interface FoundHost {
  readonly place: HostPlace;
  readonly claim: HostClaim | undefined;
  /** Why it could not be asked. */
  readonly problem?: unknown;
}

export class SshProvider implements Provider {
  readonly #options: SshProviderOptions;

  constructor(options: SshProviderOptions) {
    this.#options = options;
  }

  async changes(): Promise<readonly ProviderChange[]> {
    const found = this.#ours(reached(await this.#look()));
    return found
      .filter(({ claim }) => claim === undefined)
      .map(({ place }) => ({ action: 'create', what: `mark of the cluster on ${place.name}` }));
  }

  async ensure(progress: Progress): Promise<Infrastructure> {
    const found = this.#ours(reached(await this.#look()));
    const { cluster } = this.#options;
    const clusterId = idOf(found) ?? randomUUID();
    const free = found.filter(({ claim }) => claim === undefined);
    const marked = await this.#each(
      free.map(({ place }) => place),
      async (connection, place) => {
        progress(`host ${place.name}: mark as one of ${cluster}`);
        return await writeClaim(connection, { cluster, clusterId });
      },
    );
    // Whoever was faster has it.
    this.#ours(reached(marked.map(({ value, ...rest }) => ({ ...rest, claim: value }))));
    return this.#infrastructure(clusterId, this.#options.hosts);
  }

  async existing(): Promise<Infrastructure | undefined> {
    const all = await this.#look();
    const found = this.#ours(all.filter(({ problem }) => problem === undefined));
    const clusterId = idOf(found);
    const silent = all.filter(({ problem }) => problem !== undefined);
    if (clusterId === undefined) {
      if (silent.length > 0) reached(silent);
      return undefined;
    }
    const marked = all.filter(({ claim, problem }) => claim !== undefined || problem !== undefined);
    return this.#infrastructure(
      clusterId,
      marked.map(({ place }) => place),
    );
  }

  async destroy(progress: Progress): Promise<void> {
    const all = await this.#look();
    const found = this.#ours(all.filter(({ problem }) => problem === undefined));
    const marked = found.filter(({ claim }) => claim !== undefined).map(({ place }) => place);
    const removed = await this.#each(marked, async (connection, { name }) => {
      progress(`host ${name}: remove what was installed`);
      await removeInstallation(connection);
    });
    // All that can be reached is done before the others are told of.
    reached([...all.filter(({ problem }) => problem !== undefined), ...removed]);
  }

  async #look(): Promise<readonly FoundHost[]> {
    const results = await this.#each(this.#options.hosts, readClaim);
    return results.map(({ value, ...rest }) => ({ ...rest, claim: value }));
  }

  /** The same hosts. Throws with all that belong to another cluster. */
  #ours(found: readonly FoundHost[]): readonly FoundHost[] {
    const { cluster } = this.#options;
    const id = idOf(found.filter(({ claim }) => claim?.cluster === cluster));
    const foreign = found.filter(({ claim }) => claim !== undefined && claim.clusterId !== id);
    if (foreign.length === 0) return found;
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
    return {
      clusterId,
      hosts: places.map((place) => ({
        ...place,
        connect: async () => await Promise.resolve(this.#connection(place)),
      })),
      routerNames: [],
      urls: masters.map(({ address }) => `http://${address}`),
    };
  }

  #connection(place: HostPlace): HostConnection {
    return new SshConnection(this.#options.targetOf(place));
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

/** The same hosts. Throws with all that could not be asked. */
function reached<T extends { readonly place: HostPlace; readonly problem?: unknown }>(
  found: readonly T[],
): readonly T[] {
  const problems = found.flatMap(({ place, problem }) =>
    problem === undefined ? [] : [`${place.name}: ${errorText(problem)}`],
  );
  if (problems.length === 0) return found;
  throw new OperationError('HOST_UNREACHABLE', problems.join('\n'), { retry: 'later' });
}

function idOf(found: readonly FoundHost[]): string | undefined {
  return found.find(({ claim }) => claim !== undefined)?.claim?.clusterId;
}
