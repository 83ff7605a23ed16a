/** A framework that follows the leader as one on the SDK does, and notes when each master first offered it something. */

import { silentLogger } from '@dcos/base';
import { connectScheduler, type SchedulerConnection, type SchedulerEvent } from '@dcos/sdk';
import { mastersOf } from '@dcos/store';
import { createSystemRandom, systemClock } from '../../packages/master/src/shell/system-ports.ts';
import { instantMs } from './instant.ts';

/** Longer than any measurement. */
const LONG_SECONDS = 1_000_000;

export class FailoverFramework {
  readonly #connection: SchedulerConnection;
  readonly #subscribedMs = new Map<string, number>();
  readonly #firstOfferMs = new Map<string, number>();
  #told = Promise.withResolvers<void>();
  #master = '';

  /** Takes over a framework that has launched its tasks. */
  constructor(zk: string, id: string) {
    const common = { clock: systemClock, random: createSystemRandom(), logger: silentLogger };
    this.#connection = connectScheduler({
      ...common,
      masters: mastersOf(zk, { ...common, hasTls: false }),
      framework: {
        id: { value: id },
        user: 'root',
        name: 'bench',
        roles: ['bench'],
        checkpoint: true,
        failover_timeout: LONG_SECONDS,
        capabilities: [{ type: 'MULTI_ROLE' }, { type: 'PARTITION_AWARE' }],
      },
      listener: (event) => this.#heard(event),
    });
  }

  /** Resolves with the instant at which the master took it in. */
  async subscribed(master: string): Promise<number> {
    return await this.#of(this.#subscribedMs, master);
  }

  /** Resolves with the instant at which the master first offered it something. */
  async firstOffer(master: string): Promise<number> {
    return await this.#of(this.#firstOfferMs, master);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #of(instants: ReadonlyMap<string, number>, master: string): Promise<number> {
    for (;;) {
      const known = instants.get(master);
      if (known !== undefined) return known;
      await this.#told.promise;
    }
  }

  #heard(event: SchedulerEvent): void {
    const nowMs = instantMs();
    if (event.kind === 'subscribed') {
      this.#master = event.masterUrl;
      this.#subscribedMs.set(this.#master, nowMs);
    } else if (event.kind !== 'offers') return;
    else if (!this.#firstOfferMs.has(this.#master)) this.#firstOfferMs.set(this.#master, nowMs);
    this.#told.resolve();
    this.#told = Promise.withResolvers();
    if (event.kind !== 'offers') return;
    // It has all that it wants. What a master that is killed does not hear of, its successor offers anew.
    this.#connection
      .decline(
        event.offers.map(({ id }) => id),
        { refuse_seconds: LONG_SECONDS },
      )
      .catch(() => undefined);
  }
}
