/**
 * Messages to and from protocol buffers (proto2), driven by the same tables as the JSON codec. The
 * primitives (varints, tags, UTF-8) are those of @bufbuild/protobuf.
 *
 * 64-bit integers are JavaScript numbers: exact up to 2^53, which covers every quantity of the protocol
 * but nanoseconds since the epoch, where 256 ns are lost. Required fields are checked on both ways.
 */

import { assert } from '@dcos/base';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { MessageType } from './message-type.ts';
import { NESTING_MAX } from './json.ts';
import { enumSchema, isMessageName, messageSchema, type FieldRow } from './schema.ts';
import { WireError } from './wire-error.ts';

type Fields = { [name: string]: unknown };

/** Encodes a message. A missing required field is a programmer error. */
export function encode<T>(type: MessageType<T>, message: T): Uint8Array {
  const writer = new BinaryWriter();
  writeMessage(writer, type.name, message as Fields);
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

function writeMessage(writer: BinaryWriter, name: string, message: Fields): void {
  for (const field of messageSchema(name).fields) {
    const value = message[field.name];
    if (value === undefined) {
      assert(field.label !== 'required', `${name}.${field.name} is required`);
      continue;
    }
    writeField(writer, field, value);
  }
}

/** Encodes one field of a message, its tag included; of a repeated one all its items. */
export function encodeField(field: FieldRow, value: unknown): Uint8Array {
  const writer = new BinaryWriter();
  writeField(writer, field, value);
  return writer.finish();
}

function writeField(writer: BinaryWriter, field: FieldRow, value: unknown): void {
  if (field.label === 'repeated') {
    for (const item of value as readonly unknown[]) writeSingle(writer, field, item);
  } else if (field.label === 'map') {
    for (const [key, item] of Object.entries(value as Fields))
      writeMapEntry(writer, field, key, item);
  } else {
    writeSingle(writer, field, value);
  }
}

function writeSingle(writer: BinaryWriter, field: FieldRow, value: unknown): void {
  if (field.kind === 'message') {
    writer.tag(field.number, WireType.LengthDelimited).fork();
    writeMessage(writer, field.type, value as Fields);
    writer.join();
  } else if (field.kind === 'enum') {
    const number = enumSchema(field.type).toNumber.get(value as string);
    assert(number !== undefined, `${String(value)} is not in ${field.type}`);
    writer.tag(field.number, WireType.Varint).int32(number);
  } else {
    writeScalar(writer, field.number, field.type, value);
  }
}

function writeMapEntry(writer: BinaryWriter, field: FieldRow, key: string, value: unknown): void {
  writer.tag(field.number, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).string(key);
  if (isMessageName(field.type)) {
    writer.tag(2, WireType.LengthDelimited).fork();
    writeMessage(writer, field.type, value as Fields);
    writer.join();
  } else {
    writeScalar(writer, 2, field.type, value);
  }
  writer.join();
}

function writeScalar(writer: BinaryWriter, number: number, type: string, value: unknown): void {
  switch (type) {
    case 'string':
      writer.tag(number, WireType.LengthDelimited).string(value as string);
      return;
    case 'bytes':
      writer.tag(number, WireType.LengthDelimited).bytes(value as Uint8Array);
      return;
    case 'bool':
      writer.tag(number, WireType.Varint).bool(value as boolean);
      return;
    case 'double':
      writer.tag(number, WireType.Bit64).double(value as number);
      return;
    case 'int32':
      writer.tag(number, WireType.Varint).int32(value as number);
      return;
    case 'uint32':
      writer.tag(number, WireType.Varint).uint32(value as number);
      return;
    case 'int64':
      writer.tag(number, WireType.Varint).int64(BigInt.asIntN(64, clamped(value as number, INT64)));
      return;
    default:
      assert(type === 'uint64', `unknown scalar type ${type}`);
      writer.tag(number, WireType.Varint).uint64(clamped(value as number, UINT64));
  }
}

const INT64 = { least: -(2n ** 63n), greatest: 2n ** 63n - 1n };
const UINT64 = { least: 0n, greatest: 2n ** 64n - 1n };

function clamped(
  value: number,
  bounds: { readonly least: bigint; readonly greatest: bigint },
): bigint {
  const integer = BigInt(Math.trunc(value));
  if (integer < bounds.least) return bounds.least;
  return integer > bounds.greatest ? bounds.greatest : integer;
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
