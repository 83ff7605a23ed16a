/**
 * The codecs against another library: protobufjs, fed with the schema itself rather than with our tables.
 */

import { BinaryWriter } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  agentProtocol,
  decode,
  encode,
  executor,
  fromJsonText,
  masterApi,
  scheduler,
  toJson,
  toJsonText,
  type MessageType,
} from './index.ts';
import { schemaTable } from './generated/schema-table.ts';
import { messageType } from './message-type.ts';
import { loadRoot } from './testing/independent-root.ts';
import { messageArbitrary } from './testing/message-arbitrary.ts';

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
        expect(JSON.stringify(toJson(type, message))).toBe(text);
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

describe('every message of the tables', () => {
  const names = Object.keys(schemaTable.messages);

  test.each(names)('%s is written and read as by another library', (name) => {
    const type = messageType<object>(name);
    // Shallow: messages inside are tested under their own names.
    const messages = messageArbitrary(type, { depthMax: 1, oddNumbers: true });
    fc.assert(
      fc.property(messages, (message) => {
        expect(plain(theirReading(name, encode(type, message)))).toEqual(plain(message));
        expect(plain(decode(type, theirBytes(name, message)))).toEqual(plain(message));
      }),
      { numRuns: 20 },
    );
  });

  test('every value of every enum has the number of the schema', () => {
    for (const [name, values] of Object.entries(schemaTable.enums)) {
      expect(root.lookupEnum(name).values, name).toEqual(values);
    }
  });
});

describe('what proto2 leaves to the reader', () => {
  const TimeInfo = messageType<{ nanoseconds: number }>('mesos.v1.TimeInfo');
  const Status = messageType<{ state?: string; source?: string }>('mesos.v1.TaskStatus');

  test.each([
    [2n ** 53n - 1n, 2 ** 53 - 1],
    [-1n, -1],
    // Beyond 2^53 a number holds the nearest value that it can.
    [2n ** 53n + 1n, 2 ** 53],
    [2n ** 63n - 1n, 2 ** 63],
    [-(2n ** 63n), -(2 ** 63)],
  ])('an int64 of %d reads as %d and is written within its bounds', (exact, read) => {
    const { fields } = root.lookupType('mesos.v1.TimeInfo');
    expect(fields['nanoseconds']?.type).toBe('int64');
    const bytes = new BinaryWriter()
      .uint32((1 << 3) | 0)
      .int64(exact)
      .finish();
    const message = decode(TimeInfo, bytes);
    expect(message).toEqual({ nanoseconds: read });
    const written = theirReading('mesos.v1.TimeInfo', encode(TimeInfo, message));
    expect(written).toEqual({ nanoseconds: read });
  });

  test('unknown fields of every wire type are skipped', () => {
    const bytes = new BinaryWriter();
    bytes.uint32((900 << 3) | 0).int64(-1n);
    bytes.uint32((901 << 3) | 1).double(1.5);
    bytes.uint32((902 << 3) | 2).string('text');
    bytes.uint32((903 << 3) | 5).float(2);
    bytes
      .uint32((904 << 3) | 3)
      .uint32((905 << 3) | 0)
      .uint32(7)
      .uint32((904 << 3) | 4);
    bytes.uint32((1 << 3) | 0).int64(5n);
    expect(decode(TimeInfo, bytes.finish())).toEqual({ nanoseconds: 5 });
  });

  test('an unknown number of an optional enum is unset, of a required one it is missing', () => {
    const status = { task_id: { value: 't' }, state: 'TASK_RUNNING', source: 'SOURCE_MASTER' };
    const bytes = encode(Status, status as never);
    const text = (at: number, to: number): Uint8Array =>
      Uint8Array.from(bytes, (byte, index) => (index === at ? to : byte));
    const sourceAt = bytes.lastIndexOf(9 << 3) + 1;
    const stateAt = bytes.indexOf(2 << 3) + 1;
    expect(decode(Status, text(sourceAt, 99))).not.toHaveProperty('source');
    expect(() => decode(Status, text(stateAt, 99))).toThrow('state: Required field is missing');
  });

  test('the last of several values of a field counts', () => {
    const bytes = new BinaryWriter().uint32(8).int64(1n).uint32(8).int64(2n).finish();
    expect(decode(TimeInfo, bytes)).toEqual({ nanoseconds: 2 });
  });
});
