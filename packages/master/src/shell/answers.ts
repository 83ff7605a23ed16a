/**
 * Answers that several routes share, as the original gives them.
 */

import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { markNotTaken, type FastifyReply, type FastifyRequest } from '@dcos/http';
import {
  encodeLarge,
  MEDIA_TYPES,
  type Encoding,
  type LargeMessage,
  type Pieces,
} from '@dcos/wire';
import { chunks, type Document } from '../views/document.ts';
import { firstSlice, inSlices } from './slices.ts';

const TEXT = 'text/plain; charset=utf-8';
/** Characters that are joined before they are written; keeps the number of small writes down. */
const CHUNK_LENGTH = 64 * 1024;
/** Names that a `jsonp` parameter may have: it becomes program text in the client. */
const CALLBACK = /^[A-Za-z_$][\w$.]{0,127}$/;

/** What clients are told while nobody leads, as far as is known here. */
export const NO_LEADER = 'No leader elected';
/** What it answers between its election and its recovery. */
export const NOT_RECOVERED = 'Master has not finished recovery';

/** An error with a text for a person. */
export function refuse(reply: FastifyReply, status: number, text: string): void {
  void reply.code(status).type(TEXT).send(text);
}

/** What a master answers that does not lead and knows of nobody who does: 503, and that nothing was done. */
export function refuseNotTaken(reply: FastifyReply, text = NO_LEADER): void {
  refuse(markNotTaken(reply), 503, text);
}

/** 405 with the methods that would do. */
export function refuseMethod(
  request: FastifyRequest,
  reply: FastifyReply,
  allowed: readonly string[],
): void {
  const names = allowed.map((method) => `'${method}'`).join(', ');
  void reply.header('allow', allowed.join(', '));
  refuse(
    reply,
    405,
    `405 Method Not Allowed. Expecting one of { ${names} }, but received '${request.method}'.`,
  );
}

/** A whole answer. As bytes, since a text would get a charset added to its type. */
export function sendBytes(reply: FastifyReply, type: string, bytes: Uint8Array): void {
  void reply.code(200).header('content-type', type).send(bytes);
}

/** An answer without a body. */
export function sendEmpty(reply: FastifyReply, status: number): void {
  void reply.code(status).send();
}

/** Sends a document in chunks, with a turn of the event loop whenever the client is slower than we. */
export function sendDocument(
  request: FastifyRequest,
  reply: FastifyReply,
  document: Document,
): void {
  const callback = queryOf(request)['jsonp'];
  if (callback !== undefined && !CALLBACK.test(callback)) {
    refuse(reply, 400, "Expecting 'jsonp' to be the name of a function");
    return;
  }
  const type = callback === undefined ? 'application/json' : 'text/javascript';
  const texts = callback === undefined ? chunks(document) : chunks(document, `${callback}(`, ')');
  const first = texts.next();
  const second = texts.next();
  if (second.done === true) {
    // Most answers fit into one chunk and so have a length.
    sendBytes(reply, type, Buffer.from(first.done === true ? '' : first.value, 'latin1'));
    return;
  }
  const rest = [first.value, second.value].filter((chunk) => chunk !== undefined);
  void reply
    .code(200)
    .header('content-type', type)
    .send(Readable.from(paced(rest, texts), { objectMode: false }));
}

/** The event loop gets a turn between chunks, so that a big answer never holds up the others. */
async function* paced(
  first: readonly string[],
  rest: Iterable<string>,
): AsyncGenerator<Buffer, void> {
  for (const chunk of first) yield Buffer.from(chunk, 'latin1');
  for (const chunk of rest) {
    await nextTurn();
    yield Buffer.from(chunk, 'latin1');
  }
}

/**
 * Sends a message that may be big. It is encoded in slices of time before the first byte leaves, since
 * protobuf writes lengths first, and sent in chunks after that.
 */
export function sendMessage(reply: FastifyReply, message: LargeMessage, encoding: Encoding): void {
  const work = encodeLarge(message, encoding);
  const encoded = firstSlice(work);
  const type = MEDIA_TYPES[encoding];
  if (encoded !== undefined && encoded.result.length < CHUNK_LENGTH) {
    sendBytes(reply, type, Buffer.from(encoded.result.texts.join(''), 'latin1'));
    return;
  }
  const isWanted = (): boolean => !reply.raw.destroyed;
  const bytes = async function* (): AsyncGenerator<Buffer, void> {
    const whole = encoded?.result ?? (await inSlices(work, isWanted));
    if (whole === undefined) return;
    for (const chunk of chunksOf(whole)) {
      yield chunk;
      await nextTurn();
    }
  };
  void reply
    .code(200)
    .header('content-type', type)
    .send(Readable.from(bytes(), { objectMode: false }));
}

/** The bytes of pieces, in chunks of a size that is good to write. */
export function* chunksOf({ texts }: Pieces): Generator<Buffer, void> {
  let chunk = '';
  for (const text of texts) {
    chunk += text;
    if (chunk.length < CHUNK_LENGTH) continue;
    yield Buffer.from(chunk, 'latin1');
    chunk = '';
  }
  if (chunk !== '') yield Buffer.from(chunk, 'latin1');
}

/** The query parameters; of a repeated one the first. */
export function queryOf(request: FastifyRequest): { readonly [name: string]: string | undefined } {
  const { query } = request;
  if (typeof query !== 'object' || query === null) return {};
  return Object.fromEntries(
    Object.entries(query).map(([name, value]: [string, unknown]) => {
      const first: unknown = Array.isArray(value) ? value[0] : value;
      return [name, typeof first === 'string' ? first : undefined];
    }),
  );
}
