/**
 * A cluster of hosts in memory as a provider, and a session with it, so that whole commands run in a unit test: in which
 * order they do what, what happens when something does not serve, and where a run ends that is killed in between.
 */

import { mkdirSync } from 'node:fs';
import { Readable } from 'node:stream';
import { readDocument, type Configuration } from '../config/configuration.ts';
import { ROLES, type HostPlace, type Role } from '../core/cluster.ts';
import type { Leaders } from '../core/plan.ts';
import type { Readiness } from '../core/wanted-host.ts';
import { ClusterFolder } from '../commands/cluster-folder.ts';
import { Reporter, type RunEvent } from '../commands/reporter.ts';
import type { Session, Surroundings } from '../commands/session.ts';
import type { Release } from '../hosts/release.ts';
import type {
  Infrastructure,
  ProvidedHost,
  Provider,
  ProviderChange,
} from '../providers/provider.ts';
import { FakeHost, type FakeUnit, type FakeWorld } from './fake-host.ts';
import { stateOf } from './fake-state.ts';

/** Thrown by everything once a run is killed. */
export class Killed extends Error {}

export type HostCounts = Readonly<Record<'masters' | 'privateAgents' | 'publicAgents', number>>;

const FIRST_ADDRESS: Readonly<Record<Role, number>> = { master: 10, private: 20, public: 140 };
const UNIT_AT_PORT: Readonly<Record<string, string>> = {
  '5050': 'dcos-mesos-master',
  '5051': 'dcos-mesos-slave',
  '8080': 'dcos-marathon',
  '8123': 'dcos-mesos-dns',
};

export class FakeCluster implements Provider, FakeWorld {
  counts: HostCounts;
  readonly hosts = new Map<string, FakeHost>();
  /** What was done on hosts, in order. */
  readonly calls: string[] = [];
  /** Why a unit that runs does not serve; undefined when it does. */
  fault: (unit: string, state: FakeUnit, host: FakeHost) => string | undefined = () => undefined;
  /** Looks until agents that leave have drained; those that never do have none. */
  looksToDrain: number | undefined = 1;
  closedWays: readonly string[] = [];
  state = stateOf();
  /** Called before each of {@link calls}. */
  onCall: (call: string) => void = () => undefined;
  /** Calls until the run is killed. */
  killedAfter = Number.POSITIVE_INFINITY;
  #leader = '';

  constructor(counts: Partial<HostCounts> = {}) {
    this.counts = { masters: 3, privateAgents: 2, publicAgents: 0, ...counts };
  }

  get #wanted(): readonly HostPlace[] {
    const { masters, privateAgents, publicAgents } = this.counts;
    const counts = { master: masters, private: privateAgents, public: publicAgents };
    return ROLES.flatMap((role) =>
      Array.from({ length: counts[role] }, (_, index) => ({
        name: `${role}-${index + 1}`,
        role,
        address: `10.0.0.${FIRST_ADDRESS[role] + index}`,
      })),
    );
  }

  /** The same cluster as hosts are now, of which nobody has asked anything. */
  copy(): FakeCluster {
    const copy = new FakeCluster(this.counts);
    for (const [name, host] of this.hosts) copy.hosts.set(name, host.copy(copy));
    copy.#leader = this.#leader;
    copy.state = this.state;
    return copy;
  }

  /** The host of that name. */
  host(name: string): FakeHost {
    const host = this.hosts.get(name);
    if (host === undefined) throw new Error(`there is no host ${name}`);
    return host;
  }

  /** Lets another master lead. */
  elect(name: string): void {
    this.#leader = this.host(name).place.address;
  }

  // As a provider.

  async changes(): Promise<readonly ProviderChange[]> {
    const wanted = this.#wanted;
    const missing = wanted.filter(({ name }) => !this.hosts.has(name));
    return await Promise.resolve([
      ...missing.map(({ name }) => ({ action: 'create' as const, what: name })),
      ...this.#leaving().map(({ place }) => ({ action: 'remove' as const, what: place.name })),
    ]);
  }

  async ensure(): Promise<Infrastructure> {
    for (const place of this.#wanted) {
      if (this.hosts.has(place.name)) continue;
      this.#say(`make ${place.name}`);
      this.hosts.set(place.name, new FakeHost(place, this));
    }
    return await this.existing();
  }

  async existing(): Promise<Infrastructure> {
    const leaving = this.#leaving();
    const staying = this.#wanted.flatMap(({ name }) => this.hosts.get(name) ?? []);
    return await Promise.resolve({
      clusterId: '8f3c0f62-0000-4000-8000-000000000000',
      hosts: staying.map(provided),
      leaving: leaving.map(provided),
      routerNames: [],
      urls: ['http://127.0.0.1:8180'],
    });
  }

  async remove(places: readonly HostPlace[]): Promise<void> {
    for (const { name } of places) {
      this.#say(`remove ${name}`);
      this.hosts.delete(name);
    }
    await Promise.resolve();
  }

  async destroy(): Promise<void> {
    this.hosts.clear();
    await Promise.resolve();
  }

  #leaving(): readonly FakeHost[] {
    const names = new Set(this.#wanted.map(({ name }) => name));
    return [...this.hosts.values()].filter(({ place }) => !names.has(place.name));
  }

  // As what hosts see.

  begins(_host: FakeHost, what: string): void {
    this.#say(what);
  }

  #say(what: string): void {
    if (this.calls.length >= this.killedAfter) throw new Killed('the run was killed');
    this.calls.push(what);
    this.onCall(what);
  }

  problemOf(host: FakeHost, readiness: Readiness): string | undefined {
    if (readiness.kind === 'cluster') return this.#clusterProblem(readiness.agents);
    if (readiness.kind === 'zookeeper') return this.#unitProblem(host, 'dcos-zookeeper');
    const unit = UNIT_AT_PORT[new URL(readiness.url).port] ?? 'dcos-adminrouter';
    const isPublic = unit === 'dcos-mesos-slave' && host.place.role === 'public';
    return this.#unitProblem(host, isPublic ? 'dcos-mesos-slave-public' : unit);
  }

  #clusterProblem(agents: number): string | undefined {
    const all = [...this.hosts.values()];
    const problems = all.map((host) => {
      const { role } = host.place;
      const unit = {
        master: 'dcos-mesos-master',
        private: 'dcos-mesos-slave',
        public: 'dcos-mesos-slave-public',
      }[role];
      return { role, problem: this.#unitProblem(host, unit) };
    });
    const serving = problems.filter(({ problem }) => problem === undefined);
    if (!serving.some(({ role }) => role === 'master')) return 'no master leads';
    const found = serving.filter(({ role }) => role !== 'master').length;
    return found >= agents ? undefined : `${found} of ${agents} agents are registered`;
  }

  #unitProblem(host: FakeHost, unit: string): string | undefined {
    const state = host.units.get(unit);
    if (!host.isReachable || state?.active !== 'active') return 'connection refused';
    return this.fault(unit, state, host);
  }

  leaders(): Leaders {
    const able = [...this.hosts.values()].filter(
      (host) =>
        host.place.role === 'master' && this.#unitProblem(host, 'dcos-mesos-master') === undefined,
    );
    const stays = able.some(({ place }) => place.address === this.#leader);
    if (!stays) this.#leader = able[0]?.place.address ?? '';
    const zooKeeperAway = [...this.hosts.values()].flatMap((host) =>
      host.place.role === 'master' && this.#unitProblem(host, 'dcos-zookeeper') !== undefined
        ? host.place.address
        : [],
    );
    return { ...(this.#leader !== '' && { master: this.#leader }), zooKeeperAway };
  }

  agentsLeave(action: string, addresses: readonly string[]): object {
    this.calls.push(`the leading master: ${action} ${addresses.join(' ')}`);
    if (action === 'gone') return { done: true };
    if (this.looksToDrain === undefined)
      return { done: false, reason: `still running: web at ${addresses.join()}` };
    this.looksToDrain -= 1;
    return this.looksToDrain <= 0 ? { done: true } : { done: false, reason: 'still running: web' };
  }

  // For commands.

  /** What commands are given. */
  session(folder: string, release: Release = fakeRelease('a')): FakeSession {
    const read = readDocument({ name: 'test', provider: 'docker', docker: this.counts });
    if (!read.ok) throw new Error(JSON.stringify(read.error));
    const configuration: Configuration = read.value;
    const events: RunEvent[] = [];
    const streams = {
      out: (text: string) => void events.push(JSON.parse(text) as RunEvent),
      err: () => undefined,
    };
    const clusterFolder = new ClusterFolder(folder, 'test');
    mkdirSync(clusterFolder.path, { recursive: true });
    const interruption = new AbortController();
    return {
      events,
      interrupt: () => interruption.abort(),
      session: {
        configuration,
        keep: () => undefined,
        provider: this,
        folder: clusterFolder,
        reporter: new Reporter(streams, { json: true, verbose: true }),
        release: async () => await Promise.resolve(release),
      },
      surroundings: {
        streams,
        environment: {},
        directory: folder,
        signal: interruption.signal,
        confirm: undefined,
      },
    };
  }
}

export interface FakeSession {
  readonly session: Session;
  readonly surroundings: Surroundings;
  /** What the command told. */
  readonly events: readonly RunEvent[];
  /** Ctrl-C. */
  readonly interrupt: () => void;
}

function provided(host: FakeHost): ProvidedHost {
  return { ...host.place, connect: async () => await Promise.resolve(host.connect()) };
}

/** A release without content. */
export function fakeRelease(letter: string): Release {
  return {
    hash: letter.repeat(32),
    version: `0.1.0-${letter}`,
    platform: 'linux-x64',
    archive: { sizeBytes: 0, sha256: '', open: () => Readable.from([]) },
  };
}
