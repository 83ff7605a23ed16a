/**
 * A scheduler's way through its election: it stands, leads from what is stored, and gives the leadership up.
 *
 * Invariant: once it is leaving it does not begin to lead, and whoever follows finds all that was answered.
 */

import { errorText, OperationError, type Clock, type Logger, type Random } from '@dcos/base';
import type { readTls } from '@dcos/http';
import type { SchedulerConnection, SchedulerOptions } from '@dcos/sdk';
import { guardProcess, type Lease, type Store } from '@dcos/store';
import type { Metrics } from '@dcos/telemetry';
import { restoreMarathon } from '../core/index.ts';
import { schedulingSettings, type MarathonConfig } from './config.ts';
import { Engine, type SchedulerPort } from './engine.ts';
import type { EventBus } from './event-bus.ts';
import type { LeadingEngine } from './leading-engine.ts';
import { MesosLink } from './mesos-link.ts';
import { registerMetrics } from './metrics.ts';
import { Prober } from './prober.ts';
import { commitRecords, loadRecords } from './record-store.ts';

/** The election of the leading scheduler in the store. */
export const ELECTION = 'marathon';

/** What the parts of a scheduler share. */
export interface Surroundings {
  readonly store: Store;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  readonly connect: (options: SchedulerOptions) => SchedulerConnection;
  readonly tls: ReturnType<typeof readTls>;
  readonly abdicate?: () => void;
  readonly failed: (error: unknown) => void;
}

export interface CandidacyInput {
  /** `host:port` by which it stands. */
  readonly own: string;
  readonly config: MarathonConfig;
  readonly engine: LeadingEngine;
  readonly bus: EventBus;
  readonly metrics: Metrics;
  readonly url: string;
  readonly surroundings: Surroundings;
  /** Aborted when it is to lead no more. */
  readonly leaving: AbortSignal;
}

/** What there is while it leads. */
interface Leadership {
  readonly engine: Engine;
  readonly mesos: MesosLink;
  readonly prober: Prober;
}

export class Candidacy {
  /** Resolves when it leads and is subscribed at a master. */
  readonly leading: Promise<void>;
  readonly #input: CandidacyInput;
  readonly #settled: Promise<void>;
  #lease: Lease | undefined;
  #leadership: Leadership | undefined;
  #isReleased = false;

  constructor(input: CandidacyInput) {
    this.#input = input;
    this.#settled = this.#stand();
    this.leading = this.#settled.then(async () => await this.#leadership?.mesos.subscribed);
  }

  /** From now on requests are passed on; resolves when those that came before are carried out and answered. */
  async finish(): Promise<void> {
    this.#input.engine.follow();
    await this.#leadership?.engine.finish();
  }

  /** Lets the next one lead. What is not carried out by now is refused. */
  async release(): Promise<void> {
    this.#isReleased = true;
    const { logger } = this.#input.surroundings;
    try {
      // It may wait for a write, which the next one need not.
      void this.#leadership?.engine.stop();
      await this.#leadership?.mesos.close();
      await this.#lease?.release();
    } catch (error) {
      const fields = { event: 'marathon.lease-stays', error: errorText(error) };
      logger.warn(fields, 'the leadership goes with the session');
    }
  }

  /** With true once another one leads, at once with false when none stands for it. For one that was released. */
  async succeeded(): Promise<boolean> {
    const { own, surroundings } = this.#input;
    const { store, logger } = surroundings;
    try {
      if ((await store.candidates(ELECTION)).length === 0) return false;
    } catch (error) {
      const fields = { event: 'marathon.succession-unknown', error: errorText(error) };
      logger.warn(fields, 'who leads next is not known');
    }
    const next = Promise.withResolvers<void>();
    const unwatch = store.watchLeader(ELECTION, (leader) => {
      if (leader !== undefined && leader.candidate !== own) next.resolve();
    });
    await next.promise;
    unwatch();
    return true;
  }

  /** A candidacy that was not won ends with the store. */
  async close(): Promise<void> {
    if (this.#lease === undefined) return;
    this.#isReleased = true;
    // Whoever waits for the leadership is told what went wrong.
    await this.#settled.catch(() => undefined);
    const { engine, mesos, prober } = this.#leadership ?? {};
    await mesos?.close();
    await engine?.stop();
    await prober?.close();
    await this.#lease.release();
  }

  /** Resolves when it leads, or must not any more. */
  async #stand(): Promise<void> {
    const { own, surroundings, leaving } = this.#input;
    const { store, clock, logger, failed } = surroundings;
    const lease = await store.elect(ELECTION, own, {
      signal: leaving,
      // The one before it in the line has gone when its process has ended.
      guard(candidate, gone) {
        const { hostname, port } = new URL(`http://${candidate}`);
        const address = { host: hostname.replaceAll(/^\[|\]$/g, ''), port: Number(port) };
        return guardProcess(address, clock, () => {
          logger.info({ event: 'marathon.ended', candidate }, 'a scheduler has ended');
          gone();
        });
      },
    });
    this.#lease = lease;
    if (!leaving.aborted) {
      logger.info({ event: 'marathon.elected', epoch: lease.epoch }, `${own} leads`);
      void lease.lost.then(() => {
        if (!this.#isReleased) failed(leadershipLost());
      });
      await this.#lead(lease);
    }
    if (this.#leadership === undefined) await lease.release();
  }

  /** Takes the state over and subscribes. */
  async #lead(lease: Lease): Promise<void> {
    const { config, bus, metrics, url, leaving } = this.#input;
    const { store, clock, random, logger, failed, connect, tls } = this.#input.surroundings;
    const records = await loadRecords(store);
    if (leaving.aborted) return;
    const settings = schedulingSettings(config);
    const state = restoreMarathon({ settings, random, now: clock.now(), records });
    const prober = new Prober({ concurrencyMax: config.concurrentHealthChecksMax });
    const link: { scheduler: SchedulerPort } = { scheduler: { perform: notConnected } };
    const engine = new Engine(state, {
      clock,
      logger,
      commit: async (writes) => await commitRecords(store, lease, writes),
      scheduler: { perform: async (effect) => await link.scheduler.perform(effect) },
      probe: async (probe) => await prober.probe(probe),
      publish: (event) => bus.publish(event),
      failed,
    });
    registerMetrics(metrics, state, clock.now());
    const mesos = new MesosLink({
      config,
      engine,
      state,
      url,
      logger,
      connect,
      failed,
      tls: tls.client,
    });
    link.scheduler = mesos.port;
    this.#leadership = { engine, mesos, prober };
    this.#input.engine.lead(engine);
  }
}

/** Why a scheduler ends that leads no longer. */
export function leadershipLost(): OperationError {
  return new OperationError('MARATHON_LEADERSHIP_LOST', 'the leadership was lost');
}

async function notConnected(): Promise<void> {
  throw new Error('not connected to a master yet');
}
