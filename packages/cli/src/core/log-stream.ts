/**
 * Lines of a log as a stream of server-sent events, and what to do when the stream ends.
 *
 * `EventStreamParser` takes text in pieces of any size and gives whole events. An event or a line
 * over the bound ends the stream with an error, since nothing sane sends one.
 */

import { OperationError, isJsonObject } from '@dcos/base';
import type { JsonObject } from '@dcos/base';
import { numberField, objectField, textField } from './json-field.ts';

export interface ServerEvent {
  readonly data: string;
  readonly id?: string;
}

/** Characters that one event may have, its line ends included. */
export const eventLengthMax = 4 * 1024 * 1024;

/** Cuts a stream of server-sent events into events. */
export class EventStreamParser {
  #line = '';
  #data: string[] = [];
  #dataLength = 0;
  #id: string | undefined;

  /** The events that this piece completes. @throws OperationError CLI_STREAM_TOO_LONG */
  push(piece: string): readonly ServerEvent[] {
    const events: ServerEvent[] = [];
    const lines = (this.#line + piece).split('\n');
    this.#line = lines.pop() ?? '';
    for (const line of lines) {
      const event = this.#take(line.endsWith('\r') ? line.slice(0, -1) : line);
      if (event !== undefined) events.push(event);
    }
    if (this.#line.length + this.#dataLength > eventLengthMax) {
      throw new OperationError(
        'CLI_STREAM_TOO_LONG',
        `the log stream holds an event of more than ${eventLengthMax} characters`,
      );
    }
    return events;
  }

  #take(line: string): ServerEvent | undefined {
    if (line === '') {
      const data = this.#data;
      if (data.length === 0) return undefined;
      this.#data = [];
      this.#dataLength = 0;
      const id = this.#id;
      return { data: data.join('\n'), ...(id === undefined ? {} : { id }) };
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') {
      this.#data.push(value);
      this.#dataLength += value.length;
    } else if (field === 'id') this.#id = value;
    return undefined;
  }
}

export interface LogEntry {
  readonly message: string;
  /** Where to go on after this entry, when the server says so. */
  readonly cursor?: string;
  /** Syslog priority, 0 (emergency) to 7 (debug). */
  readonly priority?: number;
  readonly timestampMs?: number;
}

/** Reads one entry; data that is no entry is taken as the message itself. */
export function parseLogEntry(event: ServerEvent): LogEntry {
  const document = parseObject(event.data);
  const fields = objectField(document, 'fields');
  const message = textField(fields, 'MESSAGE');
  if (message === undefined) {
    return { message: event.data, ...(event.id === undefined ? {} : { cursor: event.id }) };
  }
  const cursor = textField(document, 'cursor') ?? event.id;
  const priority = Number(textField(fields, 'PRIORITY') ?? Number.NaN);
  const micros = numberField(document, 'realtime_timestamp');
  return {
    message,
    ...(cursor === undefined ? {} : { cursor }),
    ...(Number.isInteger(priority) ? { priority } : {}),
    ...(micros === undefined ? {} : { timestampMs: micros / 1000 }),
  };
}

/** The line to print, coloured by its priority on a terminal. */
export function formatLogLine(entry: LogEntry, colour: boolean): string {
  const text = entry.message.endsWith('\n') ? entry.message.slice(0, -1) : entry.message;
  const code = colour ? colourCode(entry.priority) : undefined;
  return code === undefined ? `${text}\n` : `\u001b[${code}m${text}\u001b[0m\n`;
}

/** Attempts without any progress after which following gives up. */
export const reconnectsMax = 8;
const reconnectFirstMs = 250;
const reconnectLongestMs = 5000;

/** How long to wait before the next attempt, undefined to give up. */
export function reconnectDelayMs(failures: number): number | undefined {
  if (failures >= reconnectsMax) return undefined;
  return Math.min(reconnectLongestMs, reconnectFirstMs * 2 ** failures);
}

function colourCode(priority: number | undefined): number | undefined {
  if (priority === undefined) return undefined;
  if (priority <= 3) return 31;
  return priority === 4 ? 33 : priority === 5 ? 94 : undefined;
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
