/**
 * The operators' event streams. What happens in one turn of the event loop is encoded once for each kind of
 * viewer and written once to each subscriber, however many events and subscribers there are.
 *
 * Invariants: a subscriber gets the snapshot at its place in the order of events and every event after it,
 * each once and in order; what waits for one subscriber is bounded, and one that exceeds the bound is cut.
 */

import { startStream, type OutStream } from '@dcos/http';
import {
  encode,
  encodeLarge,
  encodeRecord,
  LargeMessage,
  masterApi,
  MEDIA_TYPES,
  toJsonText,
  type Encoding,
  type Pieces,
} from '@dcos/wire';
import type { Viewer } from '../core/viewer.ts';
import { visibleEvent, type EventOwner } from '../core/visible-event.ts';
import { chunksOf } from './answers.ts';
import {
  EventLog,
  positionOf,
  RESUMED_HEADER,
  SEQUENCE_HEADER,
  type LoggedEvent,
} from './event-log.ts';
import { inSlices } from './slices.ts';
import type { StreamOpening } from './streams.ts';

/** Events that are encoded in one turn, and events times subscribers that are written; keeps the turn short. */
const EVENTS_PER_TURN = 1_000;
const DELIVERIES_PER_TURN = 50_000;

/** What decides how events look to a subscriber: those of one form share the encoded bytes. */
interface Form {
  readonly encoding: Encoding;
  /** Whether events carry their numbers. */
  readonly numbered: boolean;
  readonly viewer: Viewer;
}

interface Subscriber {
  readonly out: OutStream;
  readonly form: Form;
  readonly bufferedBytesMax: number;
  /** Number of the last event that its beginning shows. */
  readonly from: number;
  /** Records that wait until the snapshot is written; undefined when it is. */
  waiting: Uint8Array[] | undefined;
  waitingBytes: number;
}

export interface OperatorStreamsOptions {
  /** Names the master whose events are numbered. */
  readonly epoch: () => string;
  /** Streams at most; the oldest gives way. */
  readonly streamsMax: number;
  readonly eventsKeptMax: number;
}

/** What a subscriber begins with. */
export interface Beginning {
  readonly snapshot: LargeMessage<masterApi.Response_GetState>;
  readonly heartbeatIntervalMs: number;
  /** For whom the snapshot was cut, and events will be. */
  readonly viewer: Viewer;
}

export class OperatorStreams {
  readonly #options: OperatorStreamsOptions;
  readonly #subscribers = new Set<Subscriber>();
  readonly #log: EventLog;
  /** Number of the last event that was written to the subscribers. */
  #written = 0;
  #flushing = false;

  constructor(options: OperatorStreamsOptions) {
    this.#options = options;
    this.#log = new EventLog(options.eventsKeptMax);
  }

  get size(): number {
    return this.#subscribers.size;
  }

  /** Opens a stream at this place in the order of events. */
  open(opening: StreamOpening, beginning: Beginning): void {
    const { reply, encoding, bufferedBytesMax } = opening;
    const [oldest] = this.#subscribers;
    if (this.#subscribers.size >= this.#options.streamsMax) oldest?.out.close();
    const position = positionOf(reply.request);
    const missed =
      typeof position === 'object' && position.epoch === this.#options.epoch()
        ? this.#log.after(position.sequence)
        : undefined;
    const begins = missed?.[0] === undefined ? this.#log.last : missed[0].sequence - 1;
    const out = startStream(reply, {
      contentType: MEDIA_TYPES[encoding],
      bufferedBytesMax,
      headers:
        position === undefined
          ? {}
          : {
              [SEQUENCE_HEADER]: `${this.#options.epoch()}:${begins}`,
              [RESUMED_HEADER]: String(missed !== undefined),
            },
      onClose: () => void this.#subscribers.delete(subscriber),
    });
    const form: Form = { encoding, numbered: position !== undefined, viewer: beginning.viewer };
    const subscriber: Subscriber = {
      out,
      form,
      bufferedBytesMax,
      from: this.#log.last,
      waiting: [],
      waitingBytes: 0,
    };
    this.#subscribers.add(subscriber);
    const heartbeat = recordOf(HEARTBEAT, form);
    void (missed === undefined
      ? this.#writeSnapshot(subscriber, beginning, heartbeat)
      : this.#write(subscriber, missedChunks(heartbeat, missed, form)));
  }

  async #writeSnapshot(
    subscriber: Subscriber,
    { snapshot, heartbeatIntervalMs }: Beginning,
    heartbeat: Uint8Array,
  ): Promise<void> {
    const { form, out } = subscriber;
    const event = new LargeMessage(masterApi.EventType, {
      type: 'SUBSCRIBED',
      subscribed: new LargeMessage(masterApi.Event_SubscribedType, {
        get_state: snapshot,
        heartbeat_interval_seconds: heartbeatIntervalMs / 1000,
      }),
      ...(form.numbered && { sequence: this.#log.last }),
    });
    const encoded = await inSlices(encodeLarge(event, form.encoding), () => !out.closed);
    if (encoded !== undefined) await this.#write(subscriber, snapshotChunks(encoded, heartbeat));
  }

  /** Writes what a subscriber begins with, as fast as it reads, and then what has happened meanwhile. */
  async #write(subscriber: Subscriber, chunks: Iterable<Uint8Array>): Promise<void> {
    const { out } = subscriber;
    for (const chunk of chunks) {
      if (!out.write(chunk)) return;
      await out.drained();
    }
    for (const record of subscriber.waiting ?? []) out.write(record);
    subscriber.waiting = undefined;
  }

  /** Numbers an event and sends it to everybody at the end of this turn. */
  send(event: masterApi.Event, owner?: EventOwner): void {
    // Nothing may fall out of the log before it is written.
    if (this.#log.last - this.#written >= this.#options.eventsKeptMax) this.#flush();
    this.#log.add(event, owner);
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => this.#flushLater());
  }

  /** Tells everybody that the stream is alive; heartbeats have no number. */
  beat(): void {
    const records = new Map<string, Uint8Array>();
    for (const subscriber of this.#subscribers) {
      const record = shared(records, subscriber.form, (form) => recordOf(HEARTBEAT, form));
      this.#pass(subscriber, record);
    }
  }

  #flushLater(): void {
    this.#flush();
    this.#flushing = this.#written < this.#log.last;
    if (this.#flushing) setImmediate(() => this.#flushLater());
  }

  #flush(): void {
    const deliveries = Math.floor(DELIVERIES_PER_TURN / Math.max(1, this.#subscribers.size));
    const count = Math.max(1, Math.min(EVENTS_PER_TURN, deliveries));
    const events = this.#log.after(this.#written, count) ?? [];
    const before = this.#written;
    this.#written += events.length;
    const chunks = new Map<string, Uint8Array>();
    for (const subscriber of this.#subscribers) {
      const { from, form } = subscriber;
      if (from >= this.#written) continue;
      const chunk =
        from > before
          ? recordsOf(events.slice(from - before), form)
          : shared(chunks, form, () => recordsOf(events, form));
      this.#pass(subscriber, chunk);
    }
  }

  #pass(subscriber: Subscriber, chunk: Uint8Array): void {
    // Nothing of it is for this viewer's eyes.
    if (chunk.length === 0) return;
    const { waiting, out, bufferedBytesMax } = subscriber;
    if (waiting === undefined) {
      out.write(chunk);
      return;
    }
    waiting.push(chunk);
    subscriber.waitingBytes += chunk.length;
    if (subscriber.waitingBytes > bufferedBytesMax) out.cut();
  }

  closeAll(): void {
    while (this.#written < this.#log.last) this.#flush();
    for (const { out } of this.#subscribers) out.close();
  }
}

const HEARTBEAT: masterApi.Event = { type: 'HEARTBEAT' };

function* snapshotChunks(encoded: Pieces, heartbeat: Uint8Array): Generator<Uint8Array, void> {
  yield Buffer.from(`${encoded.length}\n`);
  yield* chunksOf(encoded);
  yield heartbeat;
}

function* missedChunks(
  heartbeat: Uint8Array,
  missed: readonly LoggedEvent[],
  form: Form,
): Generator<Uint8Array, void> {
  yield heartbeat;
  for (let at = 0; at < missed.length; at += EVENTS_PER_TURN)
    yield recordsOf(missed.slice(at, at + EVENTS_PER_TURN), form);
}

/** What all subscribers of a form share, made for the first of them. */
function shared(
  known: Map<string, Uint8Array>,
  form: Form,
  make: (form: Form) => Uint8Array,
): Uint8Array {
  const key = `${form.encoding}/${form.numbered}/${form.viewer.kind}`;
  const bytes = known.get(key) ?? make(form);
  known.set(key, bytes);
  return bytes;
}

/** The one place where events are made to look as subscribers of a form may see them. */
function recordsOf(events: readonly LoggedEvent[], form: Form): Uint8Array {
  return Buffer.concat(
    events.flatMap(({ event, owner, sequence }) => {
      const visible = visibleEvent(event, owner, form.viewer);
      if (visible === undefined) return [];
      return [recordOf(form.numbered ? { ...visible, sequence } : visible, form)];
    }),
  );
}

function recordOf(event: masterApi.Event, { encoding }: Form): Uint8Array {
  return encodeRecord(
    encoding === 'json'
      ? Buffer.from(toJsonText(masterApi.EventType, event))
      : encode(masterApi.EventType, event),
  );
}
