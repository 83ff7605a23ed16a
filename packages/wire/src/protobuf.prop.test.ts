/**
 * The codecs against another library: protobufjs, fed with the schema itself rather than with our tables.
 */

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import protobufjs from 'protobufjs';
import { describe, expect, test } from 'vitest';
import {
  agentProtocol,
  decode,
  encode,
  executor,
  fromJsonText,
  masterApi,
  scheduler,
  toJsonText,
  type MessageType,
} from './index.ts';
import { messageArbitrary } from './testing/message-arbitrary.ts';

interface SchemaField {
  readonly name: string;
  readonly number: number;
  readonly type: string;
  readonly label: 'required' | 'optional' | 'repeated' | 'map';
  readonly kind: string;
  readonly resolved?: string;
}

interface SchemaFile {
  readonly packages: Readonly<
    Record<
      string,
      {
        readonly messages: readonly {
          readonly name: string;
          readonly fields: readonly SchemaField[];
        }[];
        readonly enums: readonly {
          readonly name: string;
          readonly values: Record<string, number>;
        }[];
      }
    >
  >;
}

interface Namespace {
  nested?: Record<string, Namespace>;
  fields?: Record<string, object>;
  values?: Record<string, number>;
}

/** The node of a dotted name, made when it is not there. */
function nodeOf(root: Namespace, name: string): Namespace {
  let node = root;
  for (const part of name.split('.')) {
    node.nested ??= {};
    node = node.nested[part] ??= {};
  }
  return node;
}

function fieldOf({ number: id, type, label, resolved }: SchemaField): object {
  // A leading dot: the name is complete.
  const full = resolved ?? type;
  if (label === 'map') {
    const value = /^map<string,(.*)>$/.exec(full)?.[1] ?? '';
    return { id, keyType: 'string', type: value.includes('.') ? `.${value}` : value };
  }
  const rule = label === 'optional' ? {} : { rule: label };
  return { id, type: resolved === undefined ? type : `.${resolved}`, ...rule };
}

function loadRoot(): protobufjs.Root {
  const root: Namespace = {};
  for (const file of ['mesos-v1', 'dcos-agent']) {
    const url = new URL(`../schema/${file}.json`, import.meta.url);
    const { packages } = JSON.parse(readFileSync(url, 'utf8')) as SchemaFile;
    for (const [name, { messages, enums }] of Object.entries(packages)) {
      for (const message of messages) {
        nodeOf(root, `${name}.${message.name}`).fields = Object.fromEntries(
          message.fields.map((field) => [field.name, fieldOf(field)]),
        );
      }
      for (const { name: own, values } of enums) nodeOf(root, `${name}.${own}`).values = values;
    }
  }
  return protobufjs.Root.fromJSON(root);
}

const root = loadRoot();

const AS_PLAIN = { enums: String, longs: Number } as const;

/** What the other library reads. */
function theirReading(name: string, bytes: Uint8Array): object {
  const type = root.lookupType(name);
  return type.toObject(type.decode(bytes), AS_PLAIN);
}

function theirBytes(name: string, message: object): Uint8Array {
  const type = root.lookupType(name);
  return type.encode(type.fromObject(message)).finish();
}

/** Bytes as plain arrays, so that a Buffer equals a Uint8Array; maps without their prototypes. */
function plain(message: unknown): unknown {
  return JSON.parse(
    JSON.stringify(message, (_key, value: unknown) => {
      if (value instanceof Uint8Array) return [...value];
      return Object.is(value, -0) ? '-0' : value;
    }).replace(/\{"type":"Buffer","data":(\[[\d,]*\])\}/g, '$1'),
  );
}

const TYPES: readonly MessageType<object>[] = [
  scheduler.CallType,
  scheduler.EventType,
  executor.CallType,
  executor.EventType,
  masterApi.CallType,
  masterApi.EventType,
  masterApi.ResponseType,
  agentProtocol.ToMasterType,
  agentProtocol.ToAgentType,
];

describe.each(TYPES)('any $name', (type) => {
  const messages = messageArbitrary(type);

  test('that we encode reads the same in another library', () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(plain(theirReading(type.name, encode(type, message)))).toEqual(plain(message));
      }),
    );
  });

  test('that another library encodes reads the same here', () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(plain(decode(type, theirBytes(type.name, message)))).toEqual(plain(message));
      }),
    );
  });

  test('survives JSON text', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const text = toJsonText(type, message);
        // Defaults are written out, so only the second text equals the first.
        expect(toJsonText(type, fromJsonText(type, text))).toBe(text);
      }),
    );
  });

  test('that was damaged is read or refused, nothing else', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(messages, damage, fc.nat(), (message, bites, cut) => {
        const bytes = Uint8Array.from(encode(type, message));
        for (const [at, value] of bites) if (bytes.length > 0) bytes[at % bytes.length] = value;
        const damaged = bytes.subarray(0, cut % 3 === 0 ? cut % (bytes.length + 1) : bytes.length);
        try {
          decode(type, damaged);
        } catch (error) {
          expect(error).toMatchObject({ name: 'WireError' });
        }
      }),
    );
  });
});
