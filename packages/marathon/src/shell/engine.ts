/**
 * Runs the scheduling core: feeds it events in batches and performs its effects in order.
 *
 * Invariants: one batch at a time; the records of a batch are committed before any of its other effects is
 * performed; readers see only states whose records are committed. A commit that fails ends the engine:
 * memory and store would disagree from then on.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorText, type Cancel, type Clock, type Logger } from '@dcos/base';
import {
  stepMarathon,
  type Effect,
  type MarathonEvent,
  type MarathonState,
  type Probe,
  type ProbeAnswer,
  type RecordWrite,
  type Reply,
  type Command,
  type BusEvent,
} from '../core/index.ts';
import { notTaken } from './request.ts';

/** Events of one batch at most, so that replies are not held back for long. */
const BATCH_EVENTS_MAX = 512;
/** Longest wait for a deadline; a later one is waited for in parts. */
const WAKE_MS_MAX = 3_600_000;
/** Events that may wait; more means that the process cannot keep up. */
export const EVENTS_WAITING_MAX = 200_000;
/** Events that may wait before the master's stream is no longer read. */
const EVENTS_WAITING_SOFT_MAX = 5_000;
/**
 * Events that are published in one turn of the event loop. A change of thousands of apps makes more of them
 * than a client may leave unread: it has to have the chance to read.
 */
const EVENTS_PER_TURN_MAX = 256;
/** Commands of clients that may wait. */
export const COMMANDS_WAITING_MAX = 10_000;

/** The scheduler half of Mesos as the engine needs it. Errors are thrown as `OperationError`. */
export interface SchedulerPort {
  perform(effect: SchedulerEffect): Promise<void>;
}

export type SchedulerEffect = Extract<
  Effect,
  {
    readonly kind:
      | 'accept'
      | 'decline'
      | 'revive'
      | 'suppress'
      | 'kill'
      | 'acknowledge'
      | 'reconcile'
      | 'updateRoles';
  }
>;

export interface EnginePorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly commit: (writes: readonly RecordWrite[]) => Promise<void>;
  readonly scheduler: SchedulerPort;
  readonly probe: (probe: Probe) => Promise<ProbeAnswer>;
  readonly publish: (event: BusEvent) => void;
  /** The engine stopped because it cannot go on. */
  readonly failed: (error: unknown) => void;
}

type Work =
  | { readonly kind: 'event'; readonly event: MarathonEvent }
  | {
      readonly kind: 'read';
      readonly read: (state: MarathonState) => void;
      readonly refuse: (error: Error) => void;
    };

export class Engine {
  readonly #state: MarathonState;
  readonly #ports: EnginePorts;
  #queue: Work[] = [];
  #running = false;
  /** Nothing is taken any more, what was taken is carried out. */
  #finishing = false;
  #stopped = false;
  #wake: Cancel | undefined;
  #requests = 0;
  readonly #replies = new Map<number, (reply: Reply) => void>();
  #idle: Promise<void> = Promise.resolve();
  /** Calls to the master that are under way. */
  readonly #calls = new Set<Promise<void>>();

  constructor(state: MarathonState, ports: EnginePorts) {
    this.#state = state;
    this.#ports = ports;
  }

  /** As of the last event; undefined as long as no master has given one. */
  get frameworkId(): string | undefined {
    return this.#state.frameworkId;
  }

  /** Hands an event in. Dropped after the end, and once the engine takes nothing any more. */
  post(event: MarathonEvent): void {
    if (this.#stopped || this.#finishing) return;
    if (this.#queue.length >= EVENTS_WAITING_MAX) {
      this.#fail(new Error(`more than ${EVENTS_WAITING_MAX} events wait`));
      return;
    }
    this.#queue.push({ kind: 'event', event });
    this.#start();
  }

  /** Undefined while there is room; else resolves once the events that wait are worked off. */
  pressure(): Promise<void> | undefined {
    return this.#queue.length > EVENTS_WAITING_SOFT_MAX ? this.#idle : undefined;
  }

  /** Carries out a client's command; resolves with the answer once it is durable. */
  async command(command: Command): Promise<Reply> {
    if (this.#stopped || this.#finishing) return notTaken('the scheduler is stopping');
    if (this.#replies.size >= COMMANDS_WAITING_MAX) {
      return {
        statusCode: 503,
        body: { message: `more than ${COMMANDS_WAITING_MAX} requests wait` },
      };
    }
    const requestId = ++this.#requests;
    return await new Promise<Reply>((resolve) => {
      this.#replies.set(requestId, resolve);
      this.post({ kind: 'command', requestId, command });
    });
  }

  /** Reads the state as of the last commit. */
  async read<T>(view: (state: MarathonState) => T): Promise<T> {
    if (!this.#running) return view(this.#state);
    return await new Promise<T>((resolve, reject) => {
      const read = (state: MarathonState): void => {
        try {
          resolve(view(state));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(errorText(error)));
        }
      };
      this.#queue.push({ kind: 'read', read, refuse: reject });
    });
  }

  /**
   * Takes nothing any more. Resolves when all that came before is carried out: records are durable, clients answered,
   * calls to the master made. What the master says from now on is for the next scheduler.
   */
  async finish(): Promise<void> {
    this.#finishing = true;
    while (this.#running || this.#calls.size > 0) {
      await this.#idle;
      await Promise.all(this.#calls);
    }
  }

  /** Stops taking events; resolves when the batch that is being worked on is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.#idle;
    for (const resolve of this.#replies.values()) {
      resolve({ statusCode: 503, body: { message: 'the scheduler is stopping' } });
    }
    this.#replies.clear();
  }

  #start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#idle = this.#run();
  }

  async #run(): Promise<void> {
    try {
      // What comes in the same turn of the event loop belongs to one batch.
      await Promise.resolve();
      while (this.#queue.length > 0) {
        const batch = this.#queue.splice(0, BATCH_EVENTS_MAX);
        const events = batch.flatMap((work) => (work.kind === 'event' ? [work.event] : []));
        if (events.length > 0 && !this.#stopped) await this.#step(events);
        for (const work of batch) if (work.kind === 'read') work.read(this.#state);
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#running = false;
    }
  }

  async #step(events: readonly MarathonEvent[]): Promise<void> {
    const effects = stepMarathon(this.#state, events, this.#ports.clock.now());
    const writes = new Map<string, RecordWrite>();
    for (const effect of effects) {
      if (effect.kind === 'persist')
        for (const write of effect.writes) writes.set(write.key, write);
    }
    // All records first: that is earlier than each effect's place among them asks for, and one commit.
    if (writes.size > 0) await this.#ports.commit([...writes.values()]);
    let published = 0;
    for (const effect of effects) {
      this.#perform(effect);
      if (effect.kind !== 'publish') continue;
      published += 1;
      if (published % EVENTS_PER_TURN_MAX === 0) await nextTurn();
    }
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'persist':
        return;
      case 'publish':
        this.#ports.publish(effect.event);
        return;
      case 'reply':
        this.#replies.get(effect.requestId)?.(effect.reply);
        this.#replies.delete(effect.requestId);
        return;
      case 'log':
        this.#ports.logger.info({ ...effect.fields, event: effect.event }, effect.message);
        return;
      case 'wakeAt':
        this.#wakeAt(effect.at);
        return;
      case 'probe':
        void this.#probe(effect.probe);
        return;
      default: {
        const call = this.#call(effect).finally(() => this.#calls.delete(call));
        this.#calls.add(call);
      }
    }
  }

  #wakeAt(at: number): void {
    const { clock } = this.#ports;
    this.#wake?.();
    const afterMs = Math.min(Math.max(0, Math.ceil(at - clock.now())), WAKE_MS_MAX);
    this.#wake = clock.setTimer(afterMs, () => {
      this.#wake = undefined;
      this.post({ kind: 'tick' });
    });
  }

  async #probe(probe: Probe): Promise<void> {
    const answer = await this.#ports.probe(probe);
    this.post({ kind: 'probeAnswered', probe, answer });
  }

  async #call(effect: SchedulerEffect): Promise<void> {
    try {
      await this.#ports.scheduler.perform(effect);
    } catch (error) {
      this.#ports.logger.warn(
        { event: 'call.failed', call: effect.kind, error: errorText(error) },
        `${effect.kind} failed`,
      );
      if (effect.kind !== 'accept') return;
      this.post({
        kind: 'acceptFailed',
        taskIds: effect.tasks.map(({ task_id }) => task_id.value),
      });
    }
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#wake?.();
    for (const resolve of this.#replies.values()) {
      resolve({
        statusCode: 500,
        body: { message: `the scheduler has stopped: ${errorText(error)}` },
      });
    }
    this.#replies.clear();
    const left = this.#queue.splice(0);
    for (const work of left) {
      if (work.kind === 'read')
        work.refuse(new Error(`the scheduler has stopped: ${errorText(error)}`));
    }
    this.#ports.failed(error);
  }
}
