/**
 * The masters' election: candidates show the MasterInfo that the original's do, so that every detector of the
 * original finds the leader; the others follow who leads, to send clients there.
 */

import { errorText, type Clock, type JsonValue, type Logger } from '@dcos/base';
import {
  guardProcess,
  masterElectionLayout,
  type ElectionLayout,
  type Leader,
  type Lease,
  type Store,
  type Unwatch,
} from '@dcos/store';
import { fromJson, MasterInfoType, toJsonText, type MasterInfo } from '@dcos/wire';

/** Name of the election in the store. */
const ELECTION = 'master';

/** Where the election is, for a store in ZooKeeper: where the original's masters and detectors look. */
export function masterElectionLayouts(path: string): Readonly<Record<string, ElectionLayout>> {
  return { [ELECTION]: masterElectionLayout(path) };
}

/** Says when the process at an address has ended for certain. */
export type ProcessGuard = typeof guardProcess;

type ElectingStore = Pick<Store, 'elect' | 'watchLeader' | 'candidates'>;

export class Election {
  readonly #store: ElectingStore;
  readonly #logger: Logger;
  readonly #guardProcess: ProcessGuard;
  readonly #unwatch: Unwatch;
  readonly #leaving = new AbortController();
  #leader: MasterInfo | undefined;
  #changed: () => void = () => undefined;
  #ownId = '';
  #lease: Lease | undefined;

  constructor(store: ElectingStore, logger: Logger, processGuard: ProcessGuard = guardProcess) {
    this.#store = store;
    this.#logger = logger;
    this.#guardProcess = processGuard;
    this.#unwatch = store.watchLeader(ELECTION, (leader) => this.#follow(leader));
  }

  /** Who leads, as far as it is known here. */
  get leader(): MasterInfo | undefined {
    return this.#leader;
  }

  /** Whether this master is the elected one. Its own election is known here before others tell of it. */
  get isOwn(): boolean {
    return this.#lease?.isHeld() === true || this.#isOwnId();
  }

  /** Resolves when this master leads; rejects once its candidacy is withdrawn. */
  async stand(info: MasterInfo, clock: Clock): Promise<Lease> {
    this.#ownId = info.id;
    this.#lease = await this.#store.elect(ELECTION, toJsonText(MasterInfoType, info), {
      signal: this.#leaving.signal,
      guard: (candidate, gone) => {
        const address = this.#read(candidate)?.address;
        const { ip, port } = address ?? {};
        if (ip === undefined || port === undefined) return () => undefined;
        return this.#guardProcess({ host: ip, port }, clock, () => {
          this.#logger.info({ event: 'election.leader-ended', ip, port }, 'a master has ended');
          gone();
        });
      },
    });
    return this.#lease;
  }

  /** Takes the candidacy back where it is not won. */
  withdraw(): void {
    this.#leaving.abort();
  }

  /** Lets the next one lead. */
  async release(): Promise<void> {
    try {
      await this.#lease?.release();
    } catch (error) {
      const fields = { event: 'election.lease-stays', error: errorText(error) };
      this.#logger.warn(fields, 'the leadership goes with the session');
    }
  }

  /** For one that has left: resolves with true when another leads, at once with false when none stands for it. */
  async succeeded(): Promise<boolean> {
    try {
      if ((await this.#store.candidates(ELECTION)).length === 0) return false;
    } catch (error) {
      const fields = { event: 'election.candidates-unknown', error: errorText(error) };
      this.#logger.warn(fields, 'who may lead next is not known');
    }
    while (this.#leader === undefined || this.#isOwnId()) {
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
    return true;
  }

  #isOwnId(): boolean {
    return this.#leader?.id === this.#ownId;
  }

  stop(): void {
    this.#unwatch();
  }

  #follow(leader: Leader | undefined): void {
    this.#leader = leader && this.#read(leader.candidate);
    this.#logger.info(
      { event: 'election.leader', leader: this.#leader?.pid ?? 'none' },
      'who leads has changed',
    );
    this.#changed();
  }

  #read(candidate: string): MasterInfo | undefined {
    try {
      return fromJson(MasterInfoType, JSON.parse(candidate) as JsonValue);
    } catch (error) {
      this.#logger.warn(
        { event: 'election.candidate-unreadable', error: errorText(error) },
        'a candidate does not say who it is',
      );
      return undefined;
    }
  }
}
