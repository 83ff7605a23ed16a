/**
 * Runs one subscription over HTTP: opens streams as the machine in `core/subscription.ts` says, cuts
 * them into events, hands the events out in order and one at a time.
 *
 * Invariants: an event of an aborted stream is never handed out; while the receiver is busy a bounded
 * number of events is read ahead (so that the end of the stream is noticed), then nothing more, so that
 * a slow receiver slows the sender down instead of filling memory.
 */

import { Agent, request, type Dispatcher } from 'undici';
import { errorText, type Cancel, type Clock, type Logger, type Random } from '@dcos/base';
import {
  createRecordDecoder,
  decodeAs,
  MEDIA_TYPES,
  type Encoding,
  type MessageType,
} from '@dcos/wire';
import { isRefusal } from '../core/answers.ts';
import { masterOrigin } from '../core/redirect.ts';
import {
  createSubscription,
  stepSubscription,
  type StopReason,
  type Subscription,
  type SubscriptionEffect,
  type SubscriptionEvent,
} from '../core/subscription.ts';
import type { Masters } from '../masters.ts';
import type { TlsOptions } from '../tls.ts';
import { tlsConnector } from './tls-connector.ts';

/** Bytes of an error body that are read and reported. */
export const PROBLEM_BYTES_MAX = 16 * 1024;
/** Events that may wait for a busy receiver before reading stops. */
export const EVENTS_WAITING_MAX = 1_000;

export interface EventStreamOptions<Event> {
  readonly masters: Masters;
  /** Path of the API such as `/api/v1/scheduler`. */
  readonly path: string;
  readonly encoding: Encoding;
  readonly eventType: MessageType<Event>;
  /** The SUBSCRIBE body; asked for anew for every attempt. */
  readonly subscribeBody: () => Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly retryMsMax: number | undefined;
  readonly tls: TlsOptions | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly receiver: EventStreamReceiver<Event>;
}

/** The stream that an event came from. */
export interface StreamSource {
  readonly generation: number;
  /** Origin of the master that answered. */
  readonly origin: string;
  readonly streamId: string | undefined;
}

/** What the receiver makes of an event. */
export type Verdict =
  | { readonly kind: 'continue' }
  /** The event opened the subscription. */
  | { readonly kind: 'subscribed'; readonly heartbeatIntervalMs: number }
  | { readonly kind: 'lost'; readonly problem: string }
  | { readonly kind: 'stop'; readonly reason: StopReason; readonly problem: string };

export interface EventStreamReceiver<Event> {
  /**
   * Decides about an event before it is delivered: cheap, synchronous, without effects outside.
   */
  judge(event: Event, source: StreamSource): Verdict;
  /** Delivers an event; the next one follows when the promise is settled. */
  deliver(event: Event, source: StreamSource): void | Promise<void>;
  disconnected(problem: string, retryInMs: number): void;
  stopped(reason: StopReason, problem: string): void;
  /** The receiver itself failed: a programmer error. The stream is closed after it. */
  failed(error: unknown): void;
}

interface OpenStream<Event> {
  readonly generation: number;
  readonly abort: AbortController;
  /** Events read and not yet delivered; the first is being delivered. */
  readonly waiting: Event[];
  delivering: boolean;
  /** Present while reading is held back for lack of room. */
  goOn: (() => void) | undefined;
}

export class EventStream<Event> {
  readonly #options: EventStreamOptions<Event>;
  readonly #dispatcher: Agent;
  readonly #text = new TextDecoder('utf-8', { fatal: true });
  #subscription: Subscription;
  #stream: OpenStream<Event> | undefined;
  #unfollow: () => unknown = () => undefined;
  #cancelRetry: Cancel | undefined;
  #cancelSilence: Cancel | undefined;

  constructor(options: EventStreamOptions<Event>) {
    this.#options = options;
    const { masters } = options;
    this.#subscription = createSubscription({
      masters: 'follow' in masters ? [] : masters.map(masterOrigin),
      ...(options.retryMsMax === undefined ? {} : { retryMsMax: options.retryMsMax }),
    });
    // Streams are silent between heartbeats: the machine watches them, not the HTTP client.
    this.#dispatcher = new Agent({
      bodyTimeout: 0,
      headersTimeout: 0,
      pipelining: 1,
      ...(options.tls !== undefined && { connect: tlsConnector(options.tls) }),
    });
  }

  get phase(): Subscription['phase'] {
    return this.#subscription.phase;
  }

  start(): void {
    this.#step({ kind: 'start' });
    const { masters } = this.#options;
    if (!('follow' in masters)) return;
    this.#unfollow = masters.follow((known) =>
      this.#step({ kind: 'masters', masters: known.map(masterOrigin) }),
    );
    // Nobody is to be asked where a listener has stopped it already.
    if (this.phase === 'stopped') this.#unfollow();
  }

  /** The stream of this generation is no longer what the master knows: subscribe anew. */
  stale(generation: number, problem: string): void {
    this.#step({ kind: 'stale', generation, problem });
  }

  stop(reason: StopReason, problem: string): void {
    this.#step({ kind: 'stop', reason, problem });
  }

  #step(event: SubscriptionEvent): void {
    const { clock, random } = this.#options;
    const step = stepSubscription(this.#subscription, event, clock.monotonicMs(), random);
    this.#subscription = step.state;
    for (const effect of step.effects) this.#perform(effect);
  }

  #perform(effect: SubscriptionEffect): void {
    const { clock, receiver } = this.#options;
    switch (effect.kind) {
      case 'open':
        void this.#open(effect.generation, effect.origin);
        return;
      case 'abort':
        this.#abandon(effect.generation);
        return;
      case 'retryAfter':
        this.#cancelRetry = clock.setTimer(effect.afterMs, () =>
          this.#step({ kind: 'retryDue', generation: effect.generation }),
        );
        return;
      case 'watchSilence':
        this.#cancelSilence?.();
        this.#cancelSilence = clock.setTimer(effect.afterMs, () =>
          this.#silenceDue(effect.generation),
        );
        return;
      case 'disconnected':
        receiver.disconnected(effect.problem, effect.retryInMs);
        return;
      case 'stopped':
        this.#cancelRetry?.();
        this.#cancelSilence?.();
        this.#unfollow();
        void this.#dispatcher.destroy();
        receiver.stopped(effect.reason, effect.problem);
        return;
    }
  }

  #abandon(generation: number): void {
    const stream = this.#stream;
    if (stream?.generation !== generation) return;
    this.#stream = undefined;
    stream.abort.abort();
    stream.goOn?.();
  }

  #silenceDue(generation: number): void {
    // While reading is held back the silence is ours, not the master's.
    if (this.#stream?.goOn !== undefined) this.#step({ kind: 'activity', generation });
    this.#step({ kind: 'silenceDue', generation });
  }

  async #open(generation: number, origin: string): Promise<void> {
    const stream: OpenStream<Event> = {
      generation,
      abort: new AbortController(),
      waiting: [],
      delivering: false,
      goOn: undefined,
    };
    this.#stream = stream;
    let problem = `${origin} closed the event stream`;
    try {
      const answer = await this.#request(origin, stream.abort.signal);
      if (answer.statusCode !== 200) {
        await this.#notAccepted(generation, origin, answer);
        return;
      }
      this.#step({ kind: 'accepted', generation });
      const streamId = headerText(answer.headers['mesos-stream-id']);
      await this.#read(stream, answer.body, { generation, origin, streamId });
    } catch (error) {
      problem = `${origin}: ${errorText(error)}`;
    }
    this.#step({ kind: 'ended', generation, problem });
  }

  #request(origin: string, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { path, encoding, headers, subscribeBody } = this.#options;
    const mediaType = MEDIA_TYPES[encoding];
    return request(`${origin}${path}`, {
      method: 'POST',
      headers: { ...headers, 'content-type': mediaType, accept: mediaType },
      body: subscribeBody(),
      dispatcher: this.#dispatcher,
      signal,
    });
  }

  async #notAccepted(
    generation: number,
    origin: string,
    answer: Dispatcher.ResponseData,
  ): Promise<void> {
    const status = answer.statusCode;
    const location = headerText(answer.headers.location);
    const body = await problemText(answer.body);
    if (location !== undefined && (status === 307 || status === 308 || status === 302)) {
      this.#step({ kind: 'redirected', generation, from: origin, location });
      return;
    }
    const problem = `${origin} answered SUBSCRIBE with ${status}${body === '' ? '' : `: ${body}`}`;
    this.#step({ kind: isRefusal(status) ? 'refused' : 'ended', generation, problem });
  }

  async #read(
    stream: OpenStream<Event>,
    body: Dispatcher.ResponseData['body'],
    source: StreamSource,
  ): Promise<void> {
    const { encoding, eventType, receiver } = this.#options;
    const decoder = createRecordDecoder();
    for await (const chunk of body) {
      this.#step({ kind: 'activity', generation: stream.generation });
      for (const record of decoder.push(chunk as Uint8Array)) {
        const event = decodeAs(encoding, eventType, record, (bytes) => this.#text.decode(bytes));
        if (this.#stream !== stream) return;
        const verdict = receiver.judge(event, source);
        if (verdict.kind === 'subscribed')
          this.#step({ ...verdict, generation: stream.generation });
        if (verdict.kind === 'lost' || verdict.kind === 'stop') {
          this.#lastWord(stream, { event, verdict, source });
          return;
        }
        stream.waiting.push(event);
        if (!stream.delivering) void this.#deliverWaiting(stream, source);
        if (stream.waiting.length >= EVENTS_WAITING_MAX) await this.#room(stream);
      }
      if (this.#stream !== stream) return;
    }
  }

  async #room(stream: OpenStream<Event>): Promise<void> {
    await new Promise<void>((resolve) => {
      stream.goOn = resolve;
    });
    stream.goOn = undefined;
    this.#step({ kind: 'activity', generation: stream.generation });
  }

  /** Hands out what waits. */
  async #deliverWaiting(stream: OpenStream<Event>, source: StreamSource): Promise<void> {
    stream.delivering = true;
    try {
      for (let next = stream.waiting[0]; next !== undefined; next = stream.waiting[0]) {
        if (this.#stream !== stream) break;
        const delivered = this.#options.receiver.deliver(next, source);
        if (delivered !== undefined) await delivered;
        stream.waiting.shift();
        stream.goOn?.();
      }
    } catch (error) {
      this.#failed(error);
    }
    stream.delivering = false;
  }

  /**
   * The event with which the master ends the stream. It takes effect at once, whatever the receiver is
   * busy with; what waits before it belongs to a stream that is gone.
   */
  #lastWord(
    stream: OpenStream<Event>,
    last: { readonly event: Event; readonly verdict: Verdict; readonly source: StreamSource },
  ): void {
    const { event, verdict, source } = last;
    stream.waiting.length = 0;
    try {
      const delivered = this.#options.receiver.deliver(event, source);
      if (delivered !== undefined) void delivered.catch((error: unknown) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
    if (verdict.kind === 'lost') {
      this.#step({ kind: 'ended', generation: stream.generation, problem: verdict.problem });
    } else if (verdict.kind === 'stop') this.stop(verdict.reason, verdict.problem);
  }

  #failed(error: unknown): void {
    this.#options.receiver.failed(error);
    this.stop('closed', `the listener failed: ${errorText(error)}`);
  }
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** The beginning of an error body as one line. */
export async function problemText(body: AsyncIterable<unknown>): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length >= PROBLEM_BYTES_MAX) break;
  }
  return text.slice(0, PROBLEM_BYTES_MAX).trim();
}
