/**
 * Event streams of schedulers and operators: messages in the client's encoding, one RecordIO record each.
 */

import { startStream, type FastifyReply, type OutStream } from '@dcos/http';
import {
  encode,
  encodeRecord,
  MEDIA_TYPES,
  masterApi,
  scheduler,
  toJsonText,
  type Encoding,
} from '@dcos/wire';
import { eventJson } from '../views/v1-reads.ts';
import type { StreamId } from '../core/effects.ts';

export interface StreamOpening {
  readonly reply: FastifyReply;
  readonly encoding: Encoding;
  readonly bufferedBytesMax: number;
}

/** The open streams of schedulers. */
export class SchedulerStreams {
  readonly #streams = new Map<StreamId, { readonly out: OutStream; readonly encoding: Encoding }>();
  readonly #onClosed: (streamId: StreamId) => void;

  constructor(onClosed: (streamId: StreamId) => void) {
    this.#onClosed = onClosed;
  }

  open(streamId: StreamId, { reply, encoding, bufferedBytesMax }: StreamOpening): void {
    const out = startStream(reply, {
      contentType: MEDIA_TYPES[encoding],
      headers: { 'mesos-stream-id': streamId },
      bufferedBytesMax,
      onClose: (reason) => {
        this.#streams.delete(streamId);
        if (reason !== 'server') this.#onClosed(streamId);
      },
    });
    this.#streams.set(streamId, { out, encoding });
  }

  send(streamId: StreamId, event: scheduler.Event): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    const bytes =
      stream.encoding === 'json'
        ? Buffer.from(toJsonText(scheduler.EventType, event))
        : encode(scheduler.EventType, event);
    stream.out.write(encodeRecord(bytes));
  }

  close(streamId: StreamId): void {
    this.#streams.get(streamId)?.out.close();
  }

  closeAll(): void {
    for (const { out } of this.#streams.values()) out.close();
  }
}

/** The open streams of operators: at most so many, the oldest gives way. */
export class OperatorStreams {
  readonly #streams = new Set<{ readonly out: OutStream; readonly encoding: Encoding }>();
  readonly #streamsMax: number;

  constructor(streamsMax: number) {
    this.#streamsMax = streamsMax;
  }

  get size(): number {
    return this.#streams.size;
  }

  open(opening: StreamOpening, first: readonly masterApi.Event[]): void {
    const { reply, encoding, bufferedBytesMax } = opening;
    const [oldest] = this.#streams;
    if (this.#streams.size >= this.#streamsMax) oldest?.out.close();
    const out = startStream(reply, {
      contentType: MEDIA_TYPES[encoding],
      bufferedBytesMax,
      onClose: () => void this.#streams.delete(stream),
    });
    const stream = { out, encoding };
    this.#streams.add(stream);
    for (const event of first) out.write(recordOf(event, encoding));
  }

  /** Encodes an event once for each encoding in use, and sends it to everybody. */
  send(event: masterApi.Event): void {
    const records = new Map<Encoding, Uint8Array>();
    for (const { out, encoding } of this.#streams) {
      const record = records.get(encoding) ?? recordOf(event, encoding);
      records.set(encoding, record);
      out.write(record);
    }
  }

  closeAll(): void {
    for (const { out } of this.#streams) out.close();
  }
}

function recordOf(event: masterApi.Event, encoding: Encoding): Uint8Array {
  return encodeRecord(
    encoding === 'json'
      ? Buffer.from(JSON.stringify(eventJson(event)))
      : encode(masterApi.EventType, event),
  );
}
