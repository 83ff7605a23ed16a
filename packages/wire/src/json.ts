/**
 * Messages to and from JSON as Mesos writes it, which is not the JSON of protocol buffers: snake_case
 * names, 64-bit integers as numbers, schema defaults written out unless the field is deprecated,
 * unknown keys ignored, an unknown name of an optional enum read as unset.
 * Source: observed behaviour of the original, see the recorded exchanges in the conformance tests.
 */

import { fromBase64, isJsonObject, toBase64, type JsonValue } from '@dcos/base';
import { messageText } from './json-text.ts';
import type { MessageType } from './message-type.ts';
import { enumSchema, isMessageName, messageSchema, type FieldRow } from './schema.ts';
import { WireError } from './wire-error.ts';

/** How deep messages may nest; a bound on the recursion that a client can cause. */
export const NESTING_MAX = 64;

type Fields = { [name: string]: unknown };

/** The JSON value of a message. */
export function toJson<T>(type: MessageType<T>, message: T): JsonValue {
  return messageToJson(type.name, message as Fields);
}

/** The JSON text of a message. */
export function toJsonText<T>(type: MessageType<T>, message: T): string {
  return messageText(type.name, message);
}

/** Reads a message from a parsed JSON value. Throws {@link WireError}. */
export function fromJson<T>(type: MessageType<T>, json: unknown): T {
  return messageFromJson(type.name, json, '', 0) as T;
}

/** Reads a message from JSON text. Throws {@link WireError}. */
export function fromJsonText<T>(type: MessageType<T>, text: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new WireError('', error instanceof Error ? error.message : 'not JSON');
  }
  return fromJson(type, json);
}

function messageToJson(name: string, message: Fields): JsonValue {
  const json: { [key: string]: JsonValue } = {};
  for (const field of messageSchema(name).fields) {
    const value = message[field.name];
    if (value === undefined) {
      if (field.default !== undefined && field.deprecated !== true)
        json[field.name] = field.default;
      continue;
    }
    if (field.label === 'repeated') {
      const items = value as readonly unknown[];
      json[field.name] = items.map((item) => singleToJson(field, item));
    } else if (field.label === 'map') {
      const entries = Object.entries(value as Fields);
      if (entries.length > 0) {
        json[field.name] = Object.fromEntries(
          entries.map(([key, item]) => [key, mapValueToJson(field.type, item)]),
        );
      }
    } else {
      json[field.name] = singleToJson(field, value);
    }
  }
  return json;
}

function singleToJson(field: FieldRow, value: unknown): JsonValue {
  if (field.kind === 'message') return messageToJson(field.type, value as Fields);
  if (field.kind === 'enum') return value as string;
  return scalarToJson(value);
}

function mapValueToJson(type: string, value: unknown): JsonValue {
  return isMessageName(type) ? messageToJson(type, value as Fields) : scalarToJson(value);
}

function scalarToJson(value: unknown): JsonValue {
  if (value instanceof Uint8Array) return toBase64(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return value as JsonValue;
}

function messageFromJson(name: string, json: unknown, path: string, depth: number): Fields {
  if (!isJsonObject(json)) throw new WireError(path, 'Expecting a JSON object');
  if (depth > NESTING_MAX) throw new WireError(path, 'Nested too deeply');
  const message: Fields = {};
  for (const field of messageSchema(name).fields) {
    const value = json[field.name];
    const place = path === '' ? field.name : `${path}.${field.name}`;
    const read =
      value === undefined || value === null ? undefined : fieldFromJson(field, value, place, depth);
    if (read !== undefined) message[field.name] = read;
    else if (field.label === 'required') throw new WireError(place, 'Required field is missing');
  }
  return message;
}

function fieldFromJson(field: FieldRow, value: unknown, place: string, depth: number): unknown {
  if (field.label === 'repeated') {
    if (!Array.isArray(value)) throw new WireError(place, 'Expecting a JSON array');
    const items: unknown[] = [];
    for (const [index, item] of value.entries()) {
      const read = singleFromJson(field, item, `${place}[${index}]`, depth);
      if (read !== undefined) items.push(read);
    }
    // No items is no field, as in protobuf. Only a message made here can carry an empty list, and then it
    // is written: some answers of the original have `"tasks":[]`.
    return items.length === 0 ? undefined : items;
  }
  if (field.label === 'map') {
    if (!isJsonObject(value)) throw new WireError(place, 'Expecting a JSON object');
    const entries: Fields = Object.create(null) as Fields;
    for (const [key, item] of Object.entries(value)) {
      const at = `${place}[${JSON.stringify(key)}]`;
      entries[key] = isMessageName(field.type)
        ? messageFromJson(field.type, item, at, depth + 1)
        : scalarFromJson(field.type, item, at);
    }
    return entries;
  }
  return singleFromJson(field, value, place, depth);
}

function singleFromJson(field: FieldRow, value: unknown, place: string, depth: number): unknown {
  if (field.kind === 'message') return messageFromJson(field.type, value, place, depth + 1);
  if (field.kind === 'enum') {
    if (typeof value !== 'string')
      throw new WireError(place, 'Expecting the name of an enum value');
    if (enumSchema(field.type).toNumber.has(value)) return value;
    if (field.label === 'required') throw new WireError(place, `Unknown enum value '${value}'`);
    return undefined;
  }
  return scalarFromJson(field.type, value, place);
}

function scalarFromJson(type: string, value: unknown, place: string): unknown {
  switch (type) {
    case 'string':
      if (typeof value !== 'string') throw new WireError(place, 'Expecting a string');
      return value;
    case 'bool':
      if (typeof value === 'boolean') return value;
      if (value === 'true' || value === 'false') return value === 'true';
      throw new WireError(place, 'Expecting a boolean');
    case 'bytes': {
      const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
      if (bytes === undefined) throw new WireError(place, 'Expecting base64 encoded bytes');
      return bytes;
    }
    case 'double':
      return numberFromJson(value, place);
    default:
      return integerFromJson(type, value, place);
  }
}

function numberFromJson(value: unknown, place: string): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && /^-?(\d+(\.\d*)?([eE][-+]?\d+)?|Infinity)$/.test(value)) {
    return Number(value);
  }
  throw new WireError(place, 'Expecting a number');
}

const INTEGER_BOUNDS: { readonly [type: string]: readonly [number, number] } = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [-(2 ** 63), 2 ** 63],
  uint64: [0, 2 ** 64],
};

function integerFromJson(type: string, value: unknown, place: string): number {
  const number = numberFromJson(value, place);
  const [least, greatest] = INTEGER_BOUNDS[type] ?? [0, 0];
  if (!Number.isFinite(number) || number < least || number > greatest) {
    throw new WireError(place, `Value ${String(value)} is out of range for ${type}`);
  }
  return Math.trunc(number);
}
