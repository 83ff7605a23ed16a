/**
 * Event streams of schedulers: messages in the client's encoding, one RecordIO record each.
 */

import { startStream, type FastifyReply, type OutStream } from '@dcos/http';
import {
  encode,
  encodeRecord,
  MEDIA_TYPES,
  scheduler,
  toJsonText,
  type Encoding,
} from '@dcos/wire';
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
