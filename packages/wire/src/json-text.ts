/**
 * The JSON text of messages. The text is written as it goes: it is what most messages are wanted for, and a
 * tree of objects that is made only to be turned into text costs twice as much.
 *
 * What a message type's schema says is looked at once, when the first of the type is written: each field
 * becomes a function with the text of its key prepared. The rules are those of `json.ts`.
 */

import { toBase64 } from '@dcos/base';
import { isMessageName, messageSchema, type FieldRow } from './schema.ts';

type Fields = { readonly [name: string]: unknown };
type Write = (value: unknown) => string;

interface FieldWriter {
  readonly name: string;
  /** The key with its quotes and colon. */
  readonly key: string;
  /** What is written when the field is not set. */
  readonly unset: string | undefined;
  /** Undefined when the value is not written: maps without entries. */
  readonly write: (value: unknown) => string | undefined;
}

const messageWriters = new Map<string, Write>();
const fieldWriters = new WeakMap<FieldRow, FieldWriter>();

/** The JSON text of a message by the full name of its type. */
export function messageText(name: string, message: unknown): string {
  return messageWriter(name)(message);
}

/** The JSON text of one field; undefined when it is not written. */
export function fieldText(field: FieldRow, value: unknown): string | undefined {
  const { unset, write } = fieldWriter(field);
  return value === undefined ? unset : write(value);
}

function messageWriter(name: string): Write {
  let write = messageWriters.get(name);
  if (write === undefined) {
    // Types may contain themselves, so that a field's writer is made when its message is first written.
    let writers: readonly FieldWriter[] | undefined;
    write = (message) => {
      writers ??= messageSchema(name).fields.map(fieldWriter);
      return fieldsText(writers, message as Fields);
    };
    messageWriters.set(name, write);
  }
  return write;
}

function fieldsText(writers: readonly FieldWriter[], message: Fields): string {
  let text = '';
  for (const { name, key, unset, write } of writers) {
    const value = message[name];
    const written = value === undefined ? unset : write(value);
    if (written === undefined) continue;
    text += text === '' ? key : `,${key}`;
    text += written;
  }
  return `{${text}}`;
}

function fieldWriter(field: FieldRow): FieldWriter {
  let writer = fieldWriters.get(field);
  if (writer === undefined) {
    const silent = field.default === undefined || field.deprecated === true;
    writer = {
      name: field.name,
      key: `"${field.name}":`,
      unset: silent ? undefined : JSON.stringify(field.default),
      write: valueWriter(field),
    };
    fieldWriters.set(field, writer);
  }
  return writer;
}

function valueWriter(field: FieldRow): FieldWriter['write'] {
  if (field.label === 'map') return mapWriter(itemWriter(isMessageName(field.type), field));
  if (field.kind === 'enum') return listWriter(field, (value) => `"${value as string}"`);
  return listWriter(field, itemWriter(field.kind === 'message', field));
}

function itemWriter(isMessage: boolean, field: FieldRow): Write {
  if (isMessage) return messageWriter(field.type);
  return field.type === 'string' ? (value) => stringText(value as string) : scalarText;
}

function listWriter(field: FieldRow, write: Write): Write {
  if (field.label !== 'repeated') return write;
  return (items) => {
    let text = '';
    for (const item of items as readonly unknown[]) {
      if (text !== '') text += ',';
      text += write(item);
    }
    return `[${text}]`;
  };
}

function mapWriter(write: Write): FieldWriter['write'] {
  return (map) => {
    const entries = Object.entries(map as Fields);
    if (entries.length === 0) return undefined;
    const texts = entries.map(([key, item]) => `${JSON.stringify(key)}:${write(item)}`);
    return `{${texts.join(',')}}`;
  };
}

// What JSON must escape: quotes, backslashes, control characters, and surrogates that may stand alone.
// oxlint-disable-next-line no-control-regex
const ESCAPED = /["\\\0-\x1f\ud800-\udfff]/;

/** Most texts need no escapes, and to see that is cheaper than to have them written. */
function stringText(value: string): string {
  return ESCAPED.test(value) ? JSON.stringify(value) : `"${value}"`;
}

function scalarText(value: unknown): string {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : `"${value}"`;
  if (value instanceof Uint8Array) return JSON.stringify(toBase64(value));
  return JSON.stringify(value);
}
