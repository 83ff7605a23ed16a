/**
 * Messages that are too big to be encoded in one go: a tree whose long lists and branches are encoded piece
 * by piece, in either encoding, so that the one who encodes can pause between pieces.
 *
 * Making the tree is cheap and fixes what it shows, since it holds immutable messages only; encoding it
 * later never shows a mixture of two states.
 *
 * A piece is a *byte text*: a string with one character for each byte of the encoding. Such strings take a
 * byte per byte in memory, can be kept beside the message that they show, and are joined without copies.
 */

import { toUtf8 } from '@dcos/base';
import { WireType } from '@bufbuild/protobuf/wire';
import type { Encoding } from './content-type.ts';
import { toJsonText } from './json.ts';
import { fieldText } from './json-text.ts';
import type { MessageType } from './message-type.ts';
import { decode, encode, encodeField } from './protobuf.ts';
import { messageSchema, type FieldRow } from './schema.ts';

/** A long list of messages inside a large one. */
export class LongList {
  readonly length: number;
  readonly #pieceAt: (index: number, encoding: Encoding) => string;

  private constructor(length: number, pieceAt: (index: number, encoding: Encoding) => string) {
    this.length = length;
    this.#pieceAt = pieceAt;
  }

  /** `pieceOf` makes the byte text of one item; see {@link PieceCache}. */
  static of<T>(items: readonly T[], pieceOf: (item: T, encoding: Encoding) => string): LongList {
    return new LongList(items.length, (index, encoding) => pieceOf(items[index] as T, encoding));
  }

  piece(index: number, encoding: Encoding): string {
    return this.#pieceAt(index, encoding);
  }
}

/** A message with fields that are encoded piece by piece, beside ordinary ones. */
export class LargeMessage<T = unknown> {
  readonly type: MessageType<T>;
  readonly fields: LargeFields<T>;

  constructor(type: MessageType<T>, fields: LargeFields<T>) {
    this.type = type;
    this.fields = fields;
  }
}

/** The fields of a message, any of them in its large form. */
export type LargeFields<T> = {
  readonly [Name in keyof T]: T[Name] | LargeMessage | LongList | readonly LargeMessage[];
};

/** Keeps the byte texts of immutable messages, each with its message, for as long as that lives. */
export class PieceCache<T extends object> {
  readonly #make: (message: T, encoding: Encoding) => string;
  readonly #pieces: { readonly [E in Encoding]: WeakMap<T, string> } = {
    json: new WeakMap(),
    protobuf: new WeakMap(),
  };

  constructor(make: (message: T, encoding: Encoding) => string) {
    this.#make = make;
  }

  readonly pieceOf = (message: T, encoding: Encoding): string => {
    const pieces = this.#pieces[encoding];
    const known = pieces.get(message);
    if (known !== undefined) return known;
    const piece = this.#make(message, encoding);
    pieces.set(message, piece);
    return piece;
  };
}

/** The byte text of a message that is small. */
export function encodePiece<T>(type: MessageType<T>, message: T, encoding: Encoding): string {
  return encoding === 'json'
    ? byteText(toJsonText(type, message))
    : textOfBytes(encode(type, message));
}

/**
 * Encodes a large message. Yields after each piece, so that the caller may pause; returns all pieces in
 * order. How long the encoding is, is known only then: protobuf and RecordIO write lengths first.
 */
export function* encodeLarge(message: LargeMessage, encoding: Encoding): Generator<void, Pieces> {
  const pieces = new Pieces();
  yield* encoding === 'json' ? writeJson(pieces, message) : writeProtobuf(pieces, message);
  return pieces;
}

/** The same message in one piece, for those who look into it: simulations and tests. */
export function inOnePiece<T>(message: LargeMessage<T>): T {
  const work = encodeLarge(message, 'protobuf');
  let step = work.next();
  while (step.done !== true) step = work.next();
  const text = step.value.texts.join('');
  return decode(
    message.type,
    Uint8Array.from({ length: text.length }, (_, index) => text.charCodeAt(index)),
  );
}

/** Byte texts in order, with their length. */
export class Pieces {
  readonly texts: string[] = [];
  /** Bytes of all. */
  length = 0;

  add(text: string): void {
    this.texts.push(text);
    this.length += text.length;
  }
}

function* writeJson(pieces: Pieces, { type, fields }: LargeMessage): Generator<void, void> {
  let separator = '{';
  for (const field of messageSchema(type.name).fields) {
    const value = (fields as Fields)[field.name];
    const name = `${separator}${JSON.stringify(field.name)}:`;
    if (value instanceof LargeMessage) {
      pieces.add(name);
      yield* writeJson(pieces, value);
    } else if (isLargeList(value)) {
      pieces.add(name);
      yield* writeJsonList(pieces, value);
    } else {
      const text = fieldText(field, value);
      if (text === undefined) continue;
      pieces.add(byteText(name + text));
    }
    separator = ',';
  }
  pieces.add(separator === '{' ? '{}' : '}');
}

function* writeJsonList(
  pieces: Pieces,
  list: LongList | readonly LargeMessage[],
): Generator<void, void> {
  pieces.add('[');
  for (let index = 0; index < list.length; index++) {
    if (index > 0) pieces.add(',');
    if (list instanceof LongList) pieces.add(list.piece(index, 'json'));
    else yield* writeJson(pieces, list[index] as LargeMessage);
    yield;
  }
  pieces.add(']');
}

function* writeProtobuf(pieces: Pieces, { type, fields }: LargeMessage): Generator<void, void> {
  for (const field of messageSchema(type.name).fields) {
    const value = (fields as Fields)[field.name];
    if (value instanceof LargeMessage) {
      yield* writeNested(pieces, field, value);
    } else if (isLargeList(value)) {
      for (let index = 0; index < value.length; index++) {
        if (value instanceof LongList) {
          const piece = value.piece(index, 'protobuf');
          pieces.add(headOf(field, piece.length));
          pieces.add(piece);
        } else yield* writeNested(pieces, field, value[index] as LargeMessage);
        yield;
      }
    } else if (value !== undefined) {
      pieces.add(textOfBytes(encodeField(field, value)));
    }
  }
}

/** The head is written last: it says how long what follows is. */
function* writeNested(
  pieces: Pieces,
  field: FieldRow,
  message: LargeMessage,
): Generator<void, void> {
  const at = pieces.texts.push('') - 1;
  const before = pieces.length;
  yield* writeProtobuf(pieces, message);
  const head = headOf(field, pieces.length - before);
  pieces.texts[at] = head;
  pieces.length += head.length;
}

/** Tag and length of a field whose encoding follows. */
function headOf(field: FieldRow, length: number): string {
  return varint((field.number << 3) | WireType.LengthDelimited) + varint(length);
}

function varint(value: number): string {
  let text = '';
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80))
    text += String.fromCharCode((rest & 0x7f) | 0x80);
  return text + String.fromCharCode(rest);
}

type Fields = { readonly [name: string]: unknown };

function isLargeList(value: unknown): value is LongList | readonly LargeMessage[] {
  return value instanceof LongList || (Array.isArray(value) && value[0] instanceof LargeMessage);
}

/** Bytes that are turned into characters by one call; an argument list must not be too long. */
const BYTES_PER_CALL = 8192;

/** The byte text of bytes. */
export function textOfBytes(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += BYTES_PER_CALL)
    text += String.fromCharCode.apply(
      null,
      bytes.subarray(at, at + BYTES_PER_CALL) as unknown as number[],
    );
  return text;
}

// Every character outside of ASCII takes more than one byte.
const NOT_ASCII = /[^\0-\x7f]/;

/** The byte text of a text's UTF-8 encoding; the text itself when it is ASCII. */
export function byteText(text: string): string {
  return NOT_ASCII.test(text) ? textOfBytes(toUtf8(text)) : text;
}
