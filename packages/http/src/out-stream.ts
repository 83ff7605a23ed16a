/**
 * Long-lived answers: RecordIO event streams and server-sent events. A reader that stops reading is cut
 * off when more than a bound waits for it, so that one slow client can never fill the memory. A burst may
 * exceed the bound for a moment: nobody has read yet what was written just now.
 */

import type { FastifyReply } from 'fastify';

/** Bytes that may wait for one reader unless the stream says otherwise. */
export const BUFFERED_BYTES_MAX = 16 * 1024 * 1024;
/** How long more than the bound may wait. */
const BURST_MS = 5_000;
/** How many times the bound may wait in a burst. */
const BURST_FACTOR = 8;

export interface OutStreamOptions {
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly bufferedBytesMax?: number;
  /** Called once, whoever ended the stream; `slow-reader` when the bound was exceeded. */
  readonly onClose?: (reason: CloseReason) => void;
}

export type CloseReason = 'client' | 'server' | 'slow-reader';

export interface OutStream {
  /** Sends bytes or text. False when the stream is closed; the data is dropped then. */
  write(data: Uint8Array | string): boolean;
  /** Resolves when little waits for the reader, or when the stream is closed. */
  drained(): Promise<void>;
  /** Ends the stream after what was written. Idempotent. */
  close(): void;
  /** Ends the stream at once, as that of a slow reader: for data that waits elsewhere. Idempotent. */
  cut(): void;
  readonly closed: boolean;
  /** Bytes that wait for the reader now. */
  readonly bufferedBytes: number;
}

/** Takes the answer over from fastify and sends the head at once. */
export function startStream(reply: FastifyReply, options: OutStreamOptions): OutStream {
  const bufferedBytesMax = options.bufferedBytesMax ?? BUFFERED_BYTES_MAX;
  reply.hijack();
  const response = reply.raw;
  response.socket?.setNoDelay(true);
  // A stream outlives any time-out meant for requests.
  response.socket?.setTimeout(0);
  let reason: CloseReason | undefined;
  let burst: NodeJS.Timeout | undefined;
  const end = (why: CloseReason): void => {
    if (reason !== undefined) return;
    reason = why;
    clearTimeout(burst);
    options.onClose?.(why);
  };
  const cut = (): void => {
    end('slow-reader');
    response.destroy();
  };
  const judge = (): boolean => {
    const waiting = response.writableLength;
    if (waiting <= bufferedBytesMax) return true;
    if (waiting > bufferedBytesMax * BURST_FACTOR) {
      cut();
      return false;
    }
    burst ??= setTimeout(() => {
      burst = undefined;
      if (response.writableLength > bufferedBytesMax) cut();
    }, BURST_MS);
    return true;
  };
  response.on('close', () => end('client'));
  response.on('error', () => end('client'));
  // A client that left before its answer began has had its `close`; nobody would ever say so again.
  if (response.destroyed) setImmediate(() => end('client'));
  response.writeHead(200, { 'content-type': options.contentType, ...options.headers });
  response.flushHeaders();
  return {
    write(data) {
      if (reason !== undefined) return false;
      response.write(data);
      return judge();
    },
    drained() {
      if (reason !== undefined || !response.writableNeedDrain) return Promise.resolve();
      return new Promise((resolve) => {
        const settle = (): void => {
          response.off('drain', settle).off('close', settle);
          resolve();
        };
        response.on('drain', settle).on('close', settle);
      });
    },
    close() {
      if (reason !== undefined) return;
      end('server');
      response.end();
    },
    cut,
    get closed() {
      return reason !== undefined;
    },
    get bufferedBytes() {
      return response.writableLength;
    },
  };
}

export interface ServerSentEvent {
  readonly event?: string;
  /** Line feeds are allowed; each line becomes a `data:` line. */
  readonly data: string;
  readonly id?: string;
}

export interface SseStream {
  send(event: ServerSentEvent): boolean;
  /** A line that clients ignore; keeps the connection alive through proxies. */
  comment(text?: string): boolean;
  close(): void;
  readonly closed: boolean;
}

/** Begins an answer of server-sent events. */
export function startSse(
  reply: FastifyReply,
  options: Omit<OutStreamOptions, 'contentType'> = {},
): SseStream {
  const stream = startStream(reply, {
    ...options,
    contentType: 'text/event-stream',
    headers: {
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      ...options.headers,
    },
  });
  return {
    send({ event, data, id }) {
      let frame = '';
      if (event !== undefined) frame += `event: ${event}\n`;
      if (id !== undefined) frame += `id: ${id}\n`;
      for (const line of data.split(/\r\n|\r|\n/)) frame += `data: ${line}\n`;
      return stream.write(`${frame}\n`);
    },
    comment: (text = '') => stream.write(`:${text}\n\n`),
    close: () => stream.close(),
    get closed() {
      return stream.closed;
    },
  };
}
