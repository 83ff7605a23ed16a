import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recordedEvents, recordingsFacility } from '@dcos/testkit';
import { generate } from '../tools/generate.mjs';
import {
  createRecordDecoder,
  decode,
  encode,
  encodeRecord,
  encodingOfAccept,
  encodingOfContentType,
  executor,
  fromJson,
  fromJsonText,
  masterApi,
  scheduler,
  TaskInfoType,
  TaskStatusType,
  toJson,
  FiltersType,
  MasterInfoType,
  type MessageType,
  TimeInfoType,
  FrameworkInfoType,
} from './index.ts';

test('the generated files are those of the tables', () => {
  for (const [file, text] of generate()) {
    expect(readFileSync(join(import.meta.dirname, 'generated', file), 'utf8'), file).toBe(text);
  }
});

/** Empty lists in a message are no fields; only answers that are written as JSON by hand have them. */
function withoutEmptyLists(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json), (_key, value: unknown) =>
    Array.isArray(value) && value.length === 0 ? undefined : value,
  );
}

describe(`recorded events of the original${recordingsFacility.note}`, () => {
  const schedulerEvent = scheduler.EventType as MessageType<unknown>;
  const operatorEvent = masterApi.EventType as MessageType<unknown>;
  const recorded = [
    ['scheduler/1-basic/00-SUBSCRIBE', schedulerEvent],
    ['scheduler/5-operations/00-SUBSCRIBE', schedulerEvent],
    ['executor/scheduler-side/00-SUBSCRIBE', schedulerEvent],
    ['executor/20-SUBSCRIBE', executor.EventType as MessageType<unknown>],
    ['operator-events/master-subscribe', operatorEvent],
    ['operator-events/master-subscribe-scheduler-run', operatorEvent],
    ['operator-events/master-subscribe-operations-run', operatorEvent],
  ] as const;
  test.skipIf(!recordingsFacility.available).each(recorded)(
    '%s: reading and writing gives the same JSON',
    (stream, type) => {
      const events = recordedEvents(stream);
      expect(events.length).toBeGreaterThan(5);
      for (const recordedEvent of events) {
        const event = withoutEmptyLists(recordedEvent);
        const message = fromJson(type, event);
        expect(toJson(type, message)).toEqual(event);
        expect(toJson(type, decode(type, encode(type, message)))).toEqual(event);
      }
    },
  );
});

describe('JSON of Mesos', () => {
  test('schema defaults are written, deprecated ones are not', () => {
    expect(toJson(FiltersType, {})).toEqual({ refuse_seconds: 5 });
    expect(toJson(FrameworkInfoType, { user: 'u', name: 'n' })).toEqual({
      user: 'u',
      name: 'n',
      failover_timeout: 0,
      checkpoint: false,
    });
  });

  test('numeric text, null, unknown keys and unknown optional enum names are taken leniently', () => {
    const read = fromJson(scheduler.CallType, {
      type: 'NO_SUCH_CALL',
      unknown: 1,
      framework_id: null,
      decline: { offer_ids: [], filters: { refuse_seconds: '1.5' } },
    });
    expect(read).toEqual({ decline: { filters: { refuse_seconds: 1.5 } } });
  });

  test.each([
    [
      { type: 'ACCEPT', accept: { operations: [{ launch: { task_infos: [{ name: 'x' }] } }] } },
      'accept.operations[0].launch.task_infos[0].task_id: Required field is missing',
    ],
    [{ framework_id: { value: 7 } }, 'framework_id.value: Expecting a string'],
    [{ kill: { task_id: [] } }, 'kill.task_id: Expecting a JSON object'],
    [
      { acknowledge: { agent_id: { value: 'a' }, task_id: { value: 't' }, uuid: '*' } },
      'acknowledge.uuid: Expecting base64 encoded bytes',
    ],
  ])('%j is refused with its place', (json, message) => {
    expect(() => fromJson(scheduler.CallType, json)).toThrow(message);
  });

  test('keys that objects inherit are no fields, and a map may hold them', () => {
    const read = fromJsonText(
      TaskInfoType,
      '{"name":"n","task_id":{"value":"t"},"agent_id":{"value":"a"},"limits":{"__proto__":{"value":1}}}',
    );
    expect(Object.keys(read.limits ?? {})).toEqual(['__proto__']);
  });

  test('nesting is bounded', () => {
    const deep = `${'{"value":"x","parent":'.repeat(200)}{"value":"x"}${'}'.repeat(200)}`;
    expect(() =>
      fromJsonText(
        TaskStatusType,
        `{"task_id":{"value":"t"},"state":"TASK_LOST","container_status":{"container_id":${deep}}}`,
      ),
    ).toThrow('Nested too deeply');
  });
});

describe('protobuf', () => {
  test('a missing required field is refused with its place', () => {
    const bytes = encode(scheduler.CallType, { framework_id: { value: 'x' } });
    // Field 1 with an empty FrameworkID: the value is gone.
    expect(() => decode(scheduler.CallType, Uint8Array.from([0x0a, 0x00]))).toThrow(
      'framework_id.value: Required field is missing',
    );
    expect(() => decode(scheduler.CallType, bytes.subarray(0, bytes.length - 1))).toThrow();
  });

  test('bytes known from the clients of the original', () => {
    // GET_AGENTS as the original command line sends it.
    expect(encode(masterApi.CallType, { type: 'GET_AGENTS' })).toEqual(
      Uint8Array.from([0x08, 0x0a]),
    );
    expect(decode(masterApi.CallType, Uint8Array.from([0x08, 0x0b]))).toEqual({
      type: 'GET_FRAMEWORKS',
    });
  });

  test('64-bit integers keep their sign and range', () => {
    for (const nanoseconds of [0, -1, 2 ** 53 - 1, -(2 ** 53) + 1]) {
      expect(decode(TimeInfoType, encode(TimeInfoType, { nanoseconds }))).toEqual({ nanoseconds });
    }
    expect(
      decode(MasterInfoType, encode(MasterInfoType, { id: 'm', ip: 2 ** 32 - 1, port: 5050 })),
    ).toEqual({ id: 'm', ip: 2 ** 32 - 1, port: 5050 });
  });

  test('any bytes give a message or an error, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(['message', 'WireError']).toContain(outcome(bytes));
      }),
      { numRuns: 2000 },
    );
  });
});

function outcome(bytes: Uint8Array): string {
  try {
    decode(scheduler.CallType, bytes);
    return 'message';
  } catch (error) {
    return (error as Error).name;
  }
}

describe('RecordIO', () => {
  test('the recorded stream is cut into its records, wherever the bytes are cut', () => {
    const records = ['{"type":"HEARTBEAT"}', 'x', '{"a":"ü"}'].map((text) =>
      new TextEncoder().encode(text),
    );
    const stream = Buffer.concat(records.map(encodeRecord));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: stream.length })), (cuts) => {
        const decoder = createRecordDecoder();
        const places = [0, ...cuts.sort((left, right) => left - right), stream.length];
        const read = places
          .slice(1)
          .flatMap((end, index) => decoder.push(stream.subarray(places[index], end)));
        expect(read.map((record) => Buffer.from(record).toString())).toEqual(
          records.map((record) => Buffer.from(record).toString()),
        );
        expect(decoder.idle).toBe(true);
      }),
    );
  });

  test.each(['x\n', '12x\n', '\n', '99999999999999999999999\n', '-1\n'])(
    'the length %j is refused',
    (head) => {
      expect(() => createRecordDecoder().push(new TextEncoder().encode(head))).toThrow();
    },
  );

  test('a record over the bound is refused before it is read', () => {
    expect(() => createRecordDecoder(10).push(new TextEncoder().encode('11\n'))).toThrow(
      'A record of 11 bytes exceeds 10',
    );
  });
});

test.each([
  [undefined, 'json'],
  ['*/*', 'json'],
  ['application/x-protobuf, application/json', 'json'],
  ['application/x-protobuf', 'protobuf'],
  ['application/x-protobuf;q=0.5', 'protobuf'],
  ['application/json;q=0, application/x-protobuf', 'protobuf'],
  ['text/html', undefined],
])('Accept %s means %s', (accept, encoding) => {
  expect(encodingOfAccept(accept)).toBe(encoding);
});

test.each([
  ['application/json; charset=utf-8', 'json'],
  ['application/x-protobuf', 'protobuf'],
  ['text/plain', undefined],
])('Content-Type %s is %s', (contentType, encoding) => {
  expect(encodingOfContentType(contentType)).toBe(encoding);
});

test.each([
  ['application/x-protobuf, text/html', 'protobuf'],
  ['application/*', 'json'],
  ['', 'json'],
  ['APPLICATION/JSON', 'json'],
  ['application/recordio', undefined],
  ['application/json;q=0', undefined],
])('Accept %j means %s too', (accept, encoding) => {
  expect(encodingOfAccept(accept)).toBe(encoding);
});
