/** A framework that gives each agent its tasks, and notes when each master first offered it something. */

import { silentLogger } from '@dcos/base';
import { connectScheduler, type SchedulerConnection, type SchedulerEvent } from '@dcos/sdk';
import { mastersOf } from '@dcos/store';
import type { Offer } from '@dcos/wire';
import { createSystemRandom, systemClock } from '../../packages/master/src/shell/system-ports.ts';
import { instantMs } from './instant.ts';
import { taskOfOffer } from './kernel-scheduler.ts';

/** Longer than any measurement. */
const LONG_SECONDS = 1_000_000;

export class FailoverFramework {
  readonly #connection: SchedulerConnection;
  readonly #tasksPerAgent: number;
  /** Agents that have got their tasks. */
  readonly #served = new Set<string>();
  readonly #firstOfferMs = new Map<string, number>();
  readonly #wanted = new Map<string, (atMs: number) => void>();
  #master = '';
  #launched = 0;

  constructor(zk: string, tasksPerAgent: number) {
    this.#tasksPerAgent = tasksPerAgent;
    const common = { clock: systemClock, random: createSystemRandom(), logger: silentLogger };
    this.#connection = connectScheduler({
      ...common,
      masters: mastersOf(zk, { ...common, hasTls: false }),
      framework: {
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

  /** When the master first offered something to it. */
  async firstOffer(master: string): Promise<number> {
    const known = this.#firstOfferMs.get(master);
    if (known !== undefined) return known;
    return await new Promise((resolve) => this.#wanted.set(master, resolve));
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  #heard(event: SchedulerEvent): void {
    if (event.kind === 'subscribed') this.#master = event.masterUrl;
    else if (event.kind === 'offers' && event.offers.length > 0) {
      if (!this.#firstOfferMs.has(this.#master)) {
        const atMs = instantMs();
        this.#firstOfferMs.set(this.#master, atMs);
        this.#wanted.get(this.#master)?.(atMs);
      }
      for (const offer of event.offers) this.#take(offer);
    }
  }

  /** A call that fails belongs to a master that was killed; its successor offers anew. */
  #take(offer: Offer): void {
    const filters = { refuse_seconds: LONG_SECONDS };
    const agent = offer.agent_id.value;
    if (this.#served.has(agent)) {
      this.#connection.decline([offer.id], filters).catch(() => undefined);
      return;
    }
    this.#served.add(agent);
    const task_infos = Array.from({ length: this.#tasksPerAgent }, () =>
      taskOfOffer(offer, this.#launched++),
    );
    this.#connection
      .accept([offer.id], [{ type: 'LAUNCH', launch: { task_infos } }], filters)
      .catch(() => undefined);
  }
}
