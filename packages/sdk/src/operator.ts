/**
 * The operator client: follows the event stream of the leading master and makes operator calls there.
 *
 * Invariants: after every loss of the stream a `snapshot` comes first; events of an older stream never
 * follow it. Source: operator API v1 of the original (no resume token, hence the fresh snapshot).
 */

import { Agent, request } from 'undici';
import { errorText, OperationError, type Clock, type Logger, type Random } from '@dcos/base';
import { decodeAs, encodeAs, masterApi, MEDIA_TYPES, type Encoding } from '@dcos/wire';
import type { Phase } from './core/subscription.ts';
import { toOperatorEvent, type ObservedEvent, type OperatorEvent } from './operator-events.ts';
import { heartbeatIntervalMsOf } from './scheduler-events.ts';
import type { Masters } from './masters.ts';
import type { Listener } from './shell/delivery.ts';
import { problemText, type StreamSource, type Verdict } from './shell/event-stream.ts';
import { Subscriber, type Ending } from './shell/subscriber.ts';
import { tlsConnector } from './shell/tls-connector.ts';
import type { TlsOptions } from './tls.ts';

const PATH = '/api/v1';

/** Time for the master to answer an operator call. */
export const OPERATOR_CALL_MS_MAX = 30_000;
/** Bytes that an answer to an operator call may have; a full state of a large cluster is the greatest. */
export const OPERATOR_ANSWER_BYTES_MAX = 512 * 1024 * 1024;

export interface OperatorOptions {
  readonly masters: Masters;
  readonly logger: Logger;
  /** Protobuf unless asked otherwise. */
  readonly encoding?: Encoding;
  /** Gets every event in order; see `SchedulerOptions.listener`. */
  readonly listener?: Listener<OperatorEvent>;
  readonly headers?: Readonly<Record<string, string>>;
  /** For masters with `https:`; by default what the system trusts. */
  readonly tls?: TlsOptions;
  readonly retryMsMax?: number;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Calls whose answer has a message of the same name. */
export type OperatorRead = {
  readonly [Type in masterApi.Call_Type]: Lowercase<Type> extends keyof masterApi.Response
    ? Type
    : never;
}[masterApi.Call_Type];

/** The message that a reading call is answered with. */
export type OperatorReading<Type extends OperatorRead> = NonNullable<
  masterApi.Response[Lowercase<Type> & keyof masterApi.Response]
>;

export interface OperatorConnection extends AsyncIterable<OperatorEvent> {
  readonly phase: Phase;
  /** Origin of the master whose stream stands; undefined while none does. */
  readonly masterUrl: string | undefined;
  /** Settles after the last event; rejects when the listener threw. */
  readonly done: Promise<Ending>;
  /**
   * Makes a call at the master whose stream stands.
   * @throws OperationError `SDK_NOT_SUBSCRIBED`, `SDK_DISCONNECTED`, `SDK_CALL_REFUSED` with
   *   `details.status` and `details.body`.
   */
  call(call: masterApi.Call): Promise<masterApi.Response>;
  /** Makes a call that reads, and returns the message of its answer: `read('GET_AGENTS')`. */
  read<Type extends OperatorRead>(
    type: Type,
    fields?: Omit<masterApi.Call, 'type'>,
  ): Promise<OperatorReading<Type>>;
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
  readonly #subscriber: Subscriber<masterApi.Event, ObservedEvent>;
  readonly #text = new TextDecoder('utf-8', { fatal: true });
  readonly #callers: Agent;
  #masterUrl: string | undefined;

  constructor(options: OperatorOptions) {
    this.#options = options;
    this.#encoding = options.encoding ?? 'protobuf';
    const { headers, tls, retryMsMax, clock, random, logger, listener } = options;
    this.#callers = new Agent({
      headersTimeout: OPERATOR_CALL_MS_MAX,
      bodyTimeout: OPERATOR_CALL_MS_MAX,
      maxResponseSize: OPERATOR_ANSWER_BYTES_MAX,
      ...(tls !== undefined && { connect: tlsConnector(tls) }),
    });
    this.#subscriber = new Subscriber({
      subject: 'operator',
      origins: options.masters,
      path: PATH,
      encoding: this.#encoding,
      eventType: masterApi.EventType,
      subscribeBody: () => encodeAs(this.#encoding, masterApi.CallType, { type: 'SUBSCRIBE' }),
      headers,
      tls,
      retryMsMax,
      clock,
      random,
      logger,
      listener,
      judge: (event, source) => this.#judge(event, source),
      typed: (event, source) => toOperatorEvent(event, source.origin),
      lost: () => {
        this.#masterUrl = undefined;
        return true;
      },
      over: () => {
        this.#masterUrl = undefined;
        void this.#callers.destroy();
      },
    });
  }

  get phase(): Phase {
    return this.#subscriber.phase;
  }

  get masterUrl(): string | undefined {
    return this.#masterUrl;
  }

  get done(): Promise<Ending> {
    return this.#subscriber.done;
  }

  start(): void {
    this.#subscriber.start();
  }

  [Symbol.asyncIterator](): AsyncIterator<OperatorEvent> {
    return this.#subscriber.iterate();
  }

  async read<Type extends OperatorRead>(
    type: Type,
    fields: Omit<masterApi.Call, 'type'> = {},
  ): Promise<OperatorReading<Type>> {
    const answer: masterApi.Response = await this.call({ ...fields, type });
    const name = type.toLowerCase() as Lowercase<Type>;
    // A master that has nothing to say about it leaves the message out: it is empty.
    return (answer[name] ?? {}) as OperatorReading<Type>;
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
    await this.#subscriber.close('closed by the caller');
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
}
