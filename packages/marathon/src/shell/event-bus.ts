/**
 * The event stream's clients. Each gets the events that it asked for, from its attachment on; one that
 * leaves more than a bound of messages unread is cut off.
 */

import type { Instant } from '@dcos/base';
import { busEvent, type BusEvent } from '../core/index.ts';

/** Where the events of one client go. */
export interface EventSink {
  readonly send: (event: { readonly event: string; readonly data: string }) => boolean;
  readonly comment: () => boolean;
  readonly close: () => void;
}

export interface Attachment {
  /** Types that are wanted; empty for all. */
  readonly eventTypes: ReadonlySet<string>;
  readonly remoteAddress: string;
  readonly sink: EventSink;
}

export class EventBus {
  readonly #attachments = new Set<Attachment>();
  readonly #now: () => Instant;
  readonly #clientsMax: number;

  constructor(options: { readonly clientsMax: number; readonly now: () => Instant }) {
    this.#clientsMax = options.clientsMax;
    this.#now = options.now;
  }

  get size(): number {
    return this.#attachments.size;
  }

  get isFull(): boolean {
    return this.#attachments.size >= this.#clientsMax;
  }

  /** Adds a client; the returned function removes it and may be called again. */
  attach(attachment: Attachment): () => void {
    this.#attachments.add(attachment);
    const { remoteAddress } = attachment;
    this.publish(busEvent('event_stream_attached', { remoteAddress }, this.#now()));
    return () => {
      if (!this.#attachments.delete(attachment)) return;
      this.publish(busEvent('event_stream_detached', { remoteAddress }, this.#now()));
    };
  }

  publish(event: BusEvent): void {
    let data: string | undefined;
    for (const { eventTypes, sink } of this.#attachments) {
      if (eventTypes.size > 0 && !eventTypes.has(event.eventType)) continue;
      data ??= JSON.stringify(event.data);
      sink.send({ event: event.eventType, data });
    }
  }

  /** Keeps idle connections open through proxies. */
  keepAlive(): void {
    for (const { sink } of this.#attachments) sink.comment();
  }

  close(): void {
    for (const { sink } of this.#attachments) sink.close();
    this.#attachments.clear();
  }
}
