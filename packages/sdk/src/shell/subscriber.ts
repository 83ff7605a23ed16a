/**
 * What every client of an event stream does alike: it keeps the stream, gives its events their typed form,
 * hands them out with the fate of the connection among them, and settles when the connection is over.
 *
 * Invariants: `stopped` is the last event; `done` settles once; a listener that throws ends the connection.
 */

import { errorText, type Clock, type Logger, type Random } from '@dcos/base';
import type { Encoding, MessageType } from '@dcos/wire';
import type { Phase, StopReason } from '../core/subscription.ts';
import { deliverByIteration, deliverTo, type Delivery, type Listener } from './delivery.ts';
import type { Masters } from '../masters.ts';
import { EventStream, type StreamSource, type Verdict } from './event-stream.ts';
import type { TlsOptions } from '../tls.ts';
import { systemClock, systemRandom } from './system-ports.ts';

/** What a connection tells about itself. */
export type ConnectionEvent =
  /** The stream is lost, or nobody took the subscription; the next try comes by itself. */
  | { readonly kind: 'disconnected'; readonly problem: string; readonly retryInMs: number }
  /** Last event: the connection is over for good. */
  | { readonly kind: 'stopped'; readonly reason: StopReason; readonly problem: string };

/** How a connection ended. */
export interface Ending {
  readonly reason: StopReason;
  readonly problem: string;
}

export interface SubscriberOptions<Wire extends { readonly type?: string }, Event> {
  /** First part of the names of log events: who subscribes. */
  readonly subject: 'framework' | 'operator' | 'executor';
  readonly origins: Masters;
  readonly path: string;
  readonly encoding: Encoding;
  readonly eventType: MessageType<Wire>;
  readonly subscribeBody: () => Uint8Array;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly retryMsMax?: number | undefined;
  readonly tls?: TlsOptions | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
  readonly logger: Logger;
  readonly listener?: Listener<Event | ConnectionEvent> | undefined;
  /** Decides about an event before it is delivered; synchronous. */
  judge(event: Wire, source: StreamSource): Verdict;
  /** The typed form; undefined for what this version does not know. */
  typed(event: Wire, source: StreamSource): Event | undefined;
  /** The consumer is done with the event. */
  handled?(event: Event, source: StreamSource): void;
  /** The stream is lost. False when nobody shall hear of it. */
  lost(problem: string): boolean;
  /** The connection is over. */
  over(problem: string): void;
}

export class Subscriber<Wire extends { readonly type?: string }, Event> {
  readonly #options: SubscriberOptions<Wire, Event>;
  readonly #stream: EventStream<Wire>;
  readonly #delivery: Delivery<Event | ConnectionEvent>;
  readonly #done = Promise.withResolvers<Ending>();

  constructor(options: SubscriberOptions<Wire, Event>) {
    this.#options = options;
    const { listener } = options;
    this.#delivery = listener === undefined ? deliverByIteration() : deliverTo(listener);
    this.#stream = new EventStream({
      masters: options.origins,
      path: options.path,
      encoding: options.encoding,
      eventType: options.eventType,
      subscribeBody: options.subscribeBody,
      headers: options.headers ?? {},
      retryMsMax: options.retryMsMax,
      tls: options.tls,
      clock: options.clock ?? systemClock,
      random: options.random ?? systemRandom,
      logger: options.logger,
      receiver: {
        judge: (event, source) => options.judge(event, source),
        deliver: (event, source) => this.#deliver(event, source),
        disconnected: (problem, retryInMs) => this.#disconnected(problem, retryInMs),
        stopped: (reason, problem) => this.#stopped(reason, problem),
        failed: (error) => this.#failed(error),
      },
    });
  }

  get phase(): Phase {
    return this.#stream.phase;
  }

  /** Settles after the last event; rejects when the listener threw. */
  get done(): Promise<Ending> {
    return this.#done.promise;
  }

  start(): void {
    this.#stream.start();
  }

  /** The stream of this generation is no longer what the other side knows: subscribe anew. */
  stale(generation: number, problem: string): void {
    this.#stream.stale(generation, problem);
  }

  stop(reason: StopReason, problem: string): void {
    this.#stream.stop(reason, problem);
  }

  iterate(): AsyncIterator<Event | ConnectionEvent> {
    return this.#delivery.iterate(() => this.stop('closed', 'the iteration was left'));
  }

  /** Leaves and waits until the last event was handed out. */
  async close(problem: string): Promise<void> {
    this.stop('closed', problem);
    // Whoever asks for `done` hears of a listener that failed.
    await this.#done.promise.catch(() => undefined);
  }

  #deliver(event: Wire, source: StreamSource): void | Promise<void> {
    const typed = this.#options.typed(event, source);
    if (typed === undefined) {
      this.#options.logger.debug(
        { event: 'subscription.event-unknown', type: event.type },
        'unknown event',
      );
      return undefined;
    }
    const delivered = this.#delivery.push(typed);
    if (delivered !== undefined)
      return delivered.then(() => this.#options.handled?.(typed, source));
    this.#options.handled?.(typed, source);
    return undefined;
  }

  #disconnected(problem: string, retryInMs: number): void {
    if (!this.#options.lost(problem)) return;
    const { logger, subject } = this.#options;
    logger.warn({ event: `${subject}.disconnected`, problem, retryInMs }, problem);
    this.#push({ kind: 'disconnected', problem, retryInMs });
  }

  #stopped(reason: StopReason, problem: string): void {
    this.#options.over(problem);
    const { logger, subject } = this.#options;
    logger.info({ event: `${subject}.stopped`, reason, problem }, problem);
    this.#push({ kind: 'stopped', reason, problem });
    this.#delivery.end();
    this.#done.resolve({ reason, problem });
  }

  /** Delivers what the connection says about itself; these events hold nobody back. */
  #push(event: ConnectionEvent): void {
    const failed = (error: unknown): void => {
      this.#failed(error);
      this.stop('closed', errorText(error));
    };
    try {
      const delivered = this.#delivery.push(event);
      if (delivered !== undefined) void delivered.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  #failed(error: unknown): void {
    const problem = errorText(error);
    const { logger, subject } = this.#options;
    logger.error({ event: `${subject}.listener-failed`, problem }, problem);
    this.#delivery.end(error);
    this.#done.reject(error);
  }
}
