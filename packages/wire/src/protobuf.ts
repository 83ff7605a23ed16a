/**
 * Messages to and from protocol buffers (proto2), driven by the same tables as the JSON codec. What
 * reads the primitives (varints, tags, UTF-8) is @bufbuild/protobuf.
 *
 * 64-bit integers are JavaScript numbers: exact up to 2^53, which covers every quantity of the protocol
 * but nanoseconds since the epoch, where 256 ns are lost. Required fields are checked on both ways.
 */

import { assert } from '@dcos/base';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import type { MessageType } from './message-type.ts';
import { ReverseWriter } from './protobuf-writer.ts';
import { NESTING_MAX } from './json.ts';
import { enumSchema, isMessageName, messageSchema, type FieldRow } from './schema.ts';
import { WireError } from './wire-error.ts';

type Fields = { [name: string]: unknown };

const writer = new ReverseWriter();

/** Encodes a message. A missing required field is a programmer error. */
export function encode<T>(type: MessageType<T>, message: T): Uint8Array {
  writer.reset();
  writeMessage(type.name, message as Fields);
  return writer.finish();
}

/** Encodes one field of a message, its tag included; of a repeated one all its items. */
export function encodeField(field: FieldRow, value: unknown): Uint8Array {
  writer.reset();
  writeField(field, value);
  return writer.finish();
}

/** Decodes a message. Throws {@link WireError} for truncated bytes and missing required fields. */
export function decode<T>(type: MessageType<T>, bytes: Uint8Array): T {
  try {
    const reader = new BinaryReader(bytes);
    return readMessage(reader, type.name, bytes.length, '', 0) as T;
  } catch (error) {
    if (error instanceof WireError) throw error;
    throw new WireError('', error instanceof Error ? error.message : 'malformed protobuf');
  }
}

// All of these write from the last byte to the first, see `ReverseWriter`.

function writeMessage(name: string, message: Fields): void {
  const { fields } = messageSchema(name);
  for (let at = fields.length - 1; at >= 0; at--) {
    const field = fields[at] as FieldRow;
    const value = message[field.name];
    if (value !== undefined) writeField(field, value);
    else assert(field.label !== 'required', `${name}.${field.name} is required`);
  }
}

function writeField(field: FieldRow, value: unknown): void {
  if (field.label === 'repeated') {
    const items = value as readonly unknown[];
    for (let at = items.length - 1; at >= 0; at--) writeSingle(field, items[at]);
  } else if (field.label === 'map') {
    for (const [key, item] of Object.entries(value as Fields).reverse())
      writeMapEntry(field, key, item);
  } else {
    writeSingle(field, value);
  }
}

function writeSingle(field: FieldRow, value: unknown): void {
  if (field.kind === 'message') {
    writeNested(field.number, field.type, value as Fields);
  } else if (field.kind === 'enum') {
    const number = enumSchema(field.type).toNumber.get(value as string);
    assert(number !== undefined, `${String(value)} is not in ${field.type}`);
    writeInteger(number);
    writer.tag(field.number, WireType.Varint);
  } else {
    writeScalar(field.number, field.type, value);
  }
}

function writeNested(number: number, type: string, message: Fields): void {
  const before = writer.length;
  writeMessage(type, message);
  writer.varint(writer.length - before);
  writer.tag(number, WireType.LengthDelimited);
}

function writeMapEntry(field: FieldRow, key: string, value: unknown): void {
  const before = writer.length;
  if (isMessageName(field.type)) writeNested(2, field.type, value as Fields);
  else writeScalar(2, field.type, value);
  writer.string(key);
  writer.tag(1, WireType.LengthDelimited);
  writer.varint(writer.length - before);
  writer.tag(field.number, WireType.LengthDelimited);
}

function writeScalar(number: number, type: string, value: unknown): void {
  switch (type) {
    case 'string':
      writer.string(value as string);
      writer.tag(number, WireType.LengthDelimited);
      return;
    case 'bytes':
      writer.bytes(value as Uint8Array);
      writer.tag(number, WireType.LengthDelimited);
      return;
    case 'bool':
      writer.varint(value === true ? 1 : 0);
      writer.tag(number, WireType.Varint);
      return;
    case 'double':
      writer.double(value as number);
      writer.tag(number, WireType.Bit64);
      return;
    case 'int32':
    case 'uint32':
      assert(Number.isInteger(value), `${String(value)} is not an ${type}`);
      writeInteger(value as number);
      writer.tag(number, WireType.Varint);
      return;
    case 'int64':
      writeInteger(Math.trunc(value as number), INT64);
      writer.tag(number, WireType.Varint);
      return;
    default:
      assert(type === 'uint64', `unknown scalar type ${type}`);
      writeInteger(Math.trunc(value as number), UINT64);
      writer.tag(number, WireType.Varint);
  }
}

const INT64 = { least: -(2n ** 63n), greatest: 2n ** 63n - 1n };
const UINT64 = { least: 0n, greatest: 2n ** 64n - 1n };

/** An integer; one that is out of bounds becomes the bound. */
function writeInteger(value: number, bounds = INT64): void {
  if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
    writer.varint(value);
    return;
  }
  const integer = BigInt(value);
  const { least, greatest } = bounds;
  writer.varint64(integer < least ? least : integer > greatest ? greatest : integer);
}

function readMessage(
  reader: BinaryReader,
  name: string,
  end: number,
  path: string,
  depth: number,
): Fields {
  if (depth > NESTING_MAX) throw new WireError(path, 'Nested too deeply');
  const schema = messageSchema(name);
  const message: Fields = {};
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    const field = schema.byNumber.get(number);
    if (field === undefined) reader.skip(wireType, number);
    else
      readField(
        reader,
        message,
        field,
        wireType,
        path === '' ? field.name : `${path}.${field.name}`,
        depth,
      );
  }
  if (reader.pos !== end) throw new WireError(path, 'A field exceeds its message');
  for (const field of schema.fields) {
    if (field.label === 'required' && message[field.name] === undefined) {
      throw new WireError(
        path === '' ? field.name : `${path}.${field.name}`,
        'Required field is missing',
      );
    }
  }
  return message;
}

function readField(
  reader: BinaryReader,
  message: Fields,
  field: FieldRow,
  wireType: WireType,
  path: string,
  depth: number,
): void {
  if (field.label === 'map') {
    const entries = (message[field.name] ??= Object.create(null)) as Fields;
    readMapEntry(reader, field, entries, path, depth);
    return;
  }
  if (field.label !== 'repeated') {
    const value = readSingle(reader, field, wireType, path, depth);
    if (value !== undefined) message[field.name] = value;
    return;
  }
  const items = (message[field.name] ??= []) as unknown[];
  const packed = wireType === WireType.LengthDelimited && !isLengthDelimited(field);
  if (!packed) {
    const value = readSingle(reader, field, wireType, path, depth);
    if (value !== undefined) items.push(value);
    return;
  }
  const end = reader.uint32() + reader.pos;
  while (reader.pos < end) {
    const value = readSingle(reader, field, wireTypeOf(field), path, depth);
    if (value !== undefined) items.push(value);
  }
}

function isLengthDelimited(field: FieldRow): boolean {
  return field.kind === 'message' || field.type === 'string' || field.type === 'bytes';
}

function wireTypeOf(field: FieldRow): WireType {
  if (isLengthDelimited(field)) return WireType.LengthDelimited;
  return field.type === 'double' ? WireType.Bit64 : WireType.Varint;
}

function readSingle(
  reader: BinaryReader,
  field: FieldRow,
  wireType: WireType,
  path: string,
  depth: number,
): unknown {
  if (wireType !== wireTypeOf(field)) throw new WireError(path, `Unexpected wire type ${wireType}`);
  if (field.kind === 'message') {
    const length = reader.uint32();
    return readMessage(reader, field.type, reader.pos + length, path, depth + 1);
  }
  // An enum number that this version does not know reads as unset, as proto2 does.
  if (field.kind === 'enum') return enumSchema(field.type).toName.get(reader.int32());
  return readScalar(reader, field.type);
}

function readMapEntry(
  reader: BinaryReader,
  field: FieldRow,
  entries: Fields,
  path: string,
  depth: number,
): void {
  const end = reader.uint32() + reader.pos;
  let key = '';
  let value: unknown;
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    if (number === 1 && wireType === WireType.LengthDelimited) key = reader.string();
    else if (number === 2 && isMessageName(field.type)) {
      const length = reader.uint32();
      value = readMessage(reader, field.type, reader.pos + length, `${path}["${key}"]`, depth + 1);
    } else if (number === 2) value = readScalar(reader, field.type);
    else reader.skip(wireType, number);
  }
  if (value === undefined) throw new WireError(`${path}["${key}"]`, 'Map entry without a value');
  entries[key] = value;
}

function readScalar(reader: BinaryReader, type: string): unknown {
  switch (type) {
    case 'string':
      return reader.string();
    case 'bytes':
      // A copy: the reader hands out a view that would keep the whole frame alive.
      return new Uint8Array(reader.bytes());
    case 'bool':
      return reader.bool();
    case 'double':
      return reader.double();
    case 'int32':
      return reader.int32();
    case 'uint32':
      return reader.uint32();
    case 'int64':
      return Number(reader.int64());
    default:
      assert(type === 'uint64', `unknown scalar type ${type}`);
      return Number(reader.uint64());
  }
}
