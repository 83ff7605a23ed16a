/**
 * The operator client: follows the event stream of the leading master and makes operator calls there.
 *
 * Invariants: after every loss of the stream a `snapshot` comes first; events of an older stream never
 * follow it. Source: operator API v1 of the original (no resume token, hence the fresh snapshot).
 */

import { Agent, request } from 'undici';
import { errorText, OperationError, type Clock, type Logger, type Random } from '@dcos/base';
import { decodeAs, encodeAs, masterApi, MEDIA_TYPES, type Encoding } from '@dcos/wire';
import { masterOrigin } from './core/redirect.ts';
import type { Phase, StopReason } from './core/subscription.ts';
import { toOperatorEvent, type OperatorEvent } from './operator-events.ts';
import { heartbeatIntervalMsOf } from './scheduler-events.ts';
import { deliverByIteration, deliverTo, type Delivery, type Listener } from './shell/delivery.ts';
import { EventStream, problemText, type StreamSource, type Verdict } from './shell/event-stream.ts';
import { systemClock, systemRandom } from './shell/system-ports.ts';

const PATH = '/api/v1';

/** Time for the master to answer an operator call. */
export const OPERATOR_CALL_MS_MAX = 30_000;
/** Bytes that an answer to an operator call may have; a full state of a large cluster is the greatest. */
export const OPERATOR_ANSWER_BYTES_MAX = 512 * 1024 * 1024;

export interface OperatorOptions {
  /** The masters as `http://host:port`, asked in this order. A redirect to the leader is followed. */
  readonly masters: readonly string[];
  readonly logger: Logger;
  /** Protobuf unless asked otherwise. */
  readonly encoding?: Encoding;
  /** Gets every event in order; see `SchedulerOptions.listener`. */
  readonly listener?: Listener<OperatorEvent>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly retryMsMax?: number;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface OperatorConnection extends AsyncIterable<OperatorEvent> {
  readonly phase: Phase;
  /** Origin of the master whose stream stands; undefined while none does. */
  readonly masterUrl: string | undefined;
  /** Settles after the last event; rejects when the listener threw. */
  readonly done: Promise<{ readonly reason: StopReason; readonly problem: string }>;
  /**
   * Makes a call at the master whose stream stands.
   * @throws OperationError `SDK_NOT_SUBSCRIBED`, `SDK_DISCONNECTED`, `SDK_CALL_REFUSED` with
   *   `details.status` and `details.body`.
   */
  call(call: masterApi.Call): Promise<masterApi.Response>;
  /** Leaves. Idempotent. */
  close(): Promise<void>;
}

/** Follows the leading master until closed. */
export function subscribeOperator(options: OperatorOptions): OperatorConnection {
  const connection = new Connection(options);
  connection.start();
  return connection;
}

class Connection implements OperatorConnection {
  readonly #options: OperatorOptions;
  readonly #encoding: Encoding;
  readonly #stream: EventStream<masterApi.Event>;
  readonly #delivery: Delivery<OperatorEvent>;
  readonly #done = Promise.withResolvers<{ reason: StopReason; problem: string }>();
  readonly #text = new TextDecoder('utf-8', { fatal: true });
  readonly #callers = new Agent({
    headersTimeout: OPERATOR_CALL_MS_MAX,
    bodyTimeout: OPERATOR_CALL_MS_MAX,
    maxResponseSize: OPERATOR_ANSWER_BYTES_MAX,
  });
  #masterUrl: string | undefined;

  constructor(options: OperatorOptions) {
    this.#options = options;
    this.#encoding = options.encoding ?? 'protobuf';
    this.#delivery =
      options.listener === undefined ? deliverByIteration() : deliverTo(options.listener);
    this.#stream = new EventStream({
      masters: options.masters.map(masterOrigin),
      path: PATH,
      encoding: this.#encoding,
      eventType: masterApi.EventType,
      subscribeBody: () => encodeAs(this.#encoding, masterApi.CallType, { type: 'SUBSCRIBE' }),
      headers: options.headers ?? {},
      retryMsMax: options.retryMsMax,
      clock: options.clock ?? systemClock,
      random: options.random ?? systemRandom,
      logger: options.logger,
      receiver: {
        judge: (event, source) => this.#judge(event, source),
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

  get masterUrl(): string | undefined {
    return this.#masterUrl;
  }

  get done(): Promise<{ readonly reason: StopReason; readonly problem: string }> {
    return this.#done.promise;
  }

  start(): void {
    this.#stream.start();
  }

  [Symbol.asyncIterator](): AsyncIterator<OperatorEvent> {
    return this.#delivery.iterate(() => this.#stream.stop('closed', 'the iteration was left'));
  }

  async call(call: masterApi.Call): Promise<masterApi.Response> {
    const origin = this.#masterUrl;
    if (origin === undefined) {
      throw new OperationError('SDK_NOT_SUBSCRIBED', `${call.type}: no master is known to lead`, {
        retry: 'later',
      });
    }
    const { status, body } = await this.#post(origin, call);
    if (status === 200 || status === 202) {
      if (body.length === 0) return {};
      return decodeAs(this.#encoding, masterApi.ResponseType, body, (bytes) =>
        this.#text.decode(bytes),
      );
    }
    const text = new TextDecoder().decode(body).trim();
    throw new OperationError(
      'SDK_CALL_REFUSED',
      `the master answered ${call.type} with ${status}: ${text}`,
      {
        retry: status >= 500 || status === 307 ? 'later' : 'never',
        details: { status, body: text },
      },
    );
  }

  async close(): Promise<void> {
    this.#stream.stop('closed', 'closed by the caller');
    await this.#done.promise.catch(() => undefined);
  }

  async #post(origin: string, call: masterApi.Call): Promise<{ status: number; body: Uint8Array }> {
    const mediaType = MEDIA_TYPES[this.#encoding];
    try {
      const answer = await request(`${origin}${PATH}`, {
        method: 'POST',
        headers: { ...this.#options.headers, 'content-type': mediaType, accept: mediaType },
        body: encodeAs(this.#encoding, masterApi.CallType, call),
        dispatcher: this.#callers,
      });
      if (answer.statusCode >= 400) {
        const text = await problemText(answer.body);
        return { status: answer.statusCode, body: new TextEncoder().encode(text) };
      }
      return { status: answer.statusCode, body: await answer.body.bytes() };
    } catch (error) {
      throw new OperationError(
        'SDK_DISCONNECTED',
        `${call.type} was not answered: ${errorText(error)}`,
        {
          retry: 'later',
          cause: error,
        },
      );
    }
  }

  #judge(event: masterApi.Event, source: StreamSource): Verdict {
    if (event.subscribed === undefined) return { kind: 'continue' };
    this.#masterUrl = source.origin;
    this.#options.logger.info(
      { event: 'operator.subscribed', master: source.origin },
      'following the leading master',
    );
    const seconds = event.subscribed.heartbeat_interval_seconds;
    return { kind: 'subscribed', heartbeatIntervalMs: heartbeatIntervalMsOf(seconds) };
  }

  #deliver(event: masterApi.Event, source: StreamSource): void | Promise<void> {
    const typed = toOperatorEvent(event, source.origin);
    if (typed !== undefined) return this.#delivery.push(typed);
    this.#options.logger.debug(
      { event: 'subscription.event-unknown', type: event.type },
      'unknown event',
    );
    return undefined;
  }

  #disconnected(problem: string, retryInMs: number): void {
    this.#masterUrl = undefined;
    this.#options.logger.warn({ event: 'operator.disconnected', problem, retryInMs }, problem);
    this.#push({ kind: 'disconnected', problem, retryInMs });
  }

  #stopped(reason: StopReason, problem: string): void {
    this.#masterUrl = undefined;
    void this.#callers.destroy();
    this.#push({ kind: 'stopped', reason, problem });
    this.#delivery.end();
    this.#done.resolve({ reason, problem });
  }

  #push(event: OperatorEvent): void {
    const failed = (error: unknown): void => {
      this.#failed(error);
      this.#stream.stop('closed', errorText(error));
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
    this.#options.logger.error({ event: 'operator.listener-failed', problem }, problem);
    this.#delivery.end(error);
    this.#done.reject(error);
  }
}
