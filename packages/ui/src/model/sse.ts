/** Decoder of server-sent events (text/event-stream) from text chunks; pure. */

export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
}

/** Largest unfinished event that is kept, in characters; beyond it the event is dropped. */
export const EVENT_CHARACTERS_MAX = 4 * 1024 * 1024;

export class EventStreamDecoder {
  #rest = '';
  #event = '';
  #data: string[] = [];
  #dataLength = 0;

  /** Takes a chunk of text and gives the events that are complete now. */
  push(chunk: string): readonly ServerSentEvent[] {
    const lines = (this.#rest + chunk).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    const events: ServerSentEvent[] = [];
    for (const line of lines) {
      const event = this.#line(line);
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  #line(line: string): ServerSentEvent | undefined {
    if (line === '') return this.#finish();
    if (line.startsWith(':')) return undefined;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#event = value;
    if (field === 'data' && this.#dataLength + value.length <= EVENT_CHARACTERS_MAX) {
      this.#data.push(value);
      this.#dataLength += value.length;
    }
    return undefined;
  }

  #finish(): ServerSentEvent | undefined {
    const { length } = this.#data;
    const event = {
      event: this.#event === '' ? 'message' : this.#event,
      data: this.#data.join('\n'),
    };
    this.#event = '';
    this.#data = [];
    this.#dataLength = 0;
    return length === 0 ? undefined : event;
  }
}
