/**
 * The JSON of Mesos row by row: how each kind of field is written, what is taken for it, what is refused.
 */

import { describe, expect, test } from 'vitest';
import { fromJsonText, toJson, toJsonText } from './json.ts';
import { messageType } from './message-type.ts';
import { WireError } from './wire-error.ts';

/** A field, the JSON text of its value, and what is read; an error when its message is given. */
type Row = readonly [type: string, field: string, text: string, read: unknown];

const refused = (message: string) => ({ refused: message });
const OUT = refused('out of range');

const ROWS: readonly Row[] = [
  // int32, uint32, int64, uint64: numbers or numeric strings.
  ['Port', 'number', '80', 80],
  ['Port', 'number', '"80"', 80],
  ['Port', 'number', '4294967295', 4_294_967_295],
  ['Port', 'number', '4294967296', OUT],
  ['Port', 'number', '-1', OUT],
  ['Port', 'number', '"x"', refused('Expecting a number')],
  ['Port', 'number', 'true', refused('Expecting a number')],
  ['Port', 'number', '{}', refused('Expecting a number')],
  ['TimeInfo', 'nanoseconds', '-5', -5],
  ['TimeInfo', 'nanoseconds', '1700000000123456789', 1_700_000_000_123_456_800],
  ['TimeInfo', 'nanoseconds', '9223372036854775807', 2 ** 63],
  ['TimeInfo', 'nanoseconds', '1e30', OUT],
  ['TimeInfo', 'nanoseconds', '"Infinity"', OUT],
  ['Value.Range', 'begin', '18446744073709551615', 2 ** 64],
  ['Value.Range', 'begin', '-1', OUT],
  // double: number, numeric string, infinities; JSON has no NaN.
  ['Value.Scalar', 'value', '0.1', 0.1],
  ['Value.Scalar', 'value', '"1e3"', 1000],
  ['Value.Scalar', 'value', '"Infinity"', Number.POSITIVE_INFINITY],
  ['Value.Scalar', 'value', '"-Infinity"', Number.NEGATIVE_INFINITY],
  ['Value.Scalar', 'value', '"NaN"', refused('Expecting a number')],
  ['Value.Scalar', 'value', '""', refused('Expecting a number')],
  ['Value.Scalar', 'value', '"0x10"', refused('Expecting a number')],
  // bool
  ['FrameworkInfo', 'checkpoint', 'true', true],
  ['FrameworkInfo', 'checkpoint', '"false"', false],
  ['FrameworkInfo', 'checkpoint', '"yes"', refused('Expecting a boolean')],
  ['FrameworkInfo', 'checkpoint', '1', refused('Expecting a boolean')],
  // string
  ['Value.Text', 'value', '"ü"', 'ü'],
  ['Value.Text', 'value', '7', refused('Expecting a string')],
  // bytes
  ['TaskInfo', 'data', '"AQI="', Uint8Array.from([1, 2])],
  ['TaskInfo', 'data', '""', new Uint8Array()],
  ['TaskInfo', 'data', '"*"', refused('Expecting base64 encoded bytes')],
  ['TaskInfo', 'data', '[1]', refused('Expecting base64 encoded bytes')],
  // enums by name; an unknown name of an optional one is unset, of a required one an error
  ['CheckInfo', 'type', '"HTTP"', 'HTTP'],
  ['CheckInfo', 'type', '"NONE"', undefined],
  ['CheckInfo', 'type', '2', refused('Expecting the name of an enum value')],
  ['Attribute', 'type', '"NONE"', refused("Unknown enum value 'NONE'")],
  // messages, lists, maps
  ['TaskInfo', 'labels', 'null', undefined],
  ['TaskInfo', 'labels', '{}', {}],
  ['TaskInfo', 'labels', '[]', refused('Expecting a JSON object')],
  ['TaskInfo', 'resources', '[]', undefined],
  ['TaskInfo', 'resources', '{}', refused('Expecting a JSON array')],
  [
    'TaskInfo',
    'limits',
    '{"cpus":{"value":"Infinity"}}',
    { cpus: { value: Number.POSITIVE_INFINITY } },
  ],
  ['TaskInfo', 'limits', '{"cpus":{}}', refused('limits["cpus"].value: Required field is missing')],
  ['TaskInfo', 'limits', '[]', refused('Expecting a JSON object')],
  ['TaskInfo', 'no_such_field', '{"any":1}', undefined],
];

/** Required fields beside the one in question. */
const REST: { readonly [type: string]: object } = {
  Port: {},
  'Value.Range': { end: 1 },
  FrameworkInfo: { user: 'u', name: 'n' },
  TaskInfo: { name: 'n', task_id: { value: 't' }, agent_id: { value: 'a' } },
  Attribute: { name: 'n' },
};

describe('a value in JSON', () => {
  test.each(ROWS)('%s.%s given %s', (name, field, text, expected) => {
    const type = messageType<Record<string, unknown>>(`mesos.v1.${name}`);
    const rest = JSON.stringify(REST[name] ?? {}).slice(1, -1);
    const body = `{${rest}${rest === '' ? '' : ','}"${field}":${text}}`;
    if (typeof expected === 'object' && expected !== null && 'refused' in expected) {
      expect(() => fromJsonText(type, body)).toThrow(WireError);
      expect(() => fromJsonText(type, body)).toThrow(String(expected.refused));
      return;
    }
    expect({ ...fromJsonText(type, body) }[field]).toEqual(expected);
  });

  test.each([
    ['Value.Scalar', { value: Number.POSITIVE_INFINITY }, '{"value":"Infinity"}'],
    ['Value.Scalar', { value: Number.NEGATIVE_INFINITY }, '{"value":"-Infinity"}'],
    ['Value.Scalar', { value: 1.5 }, '{"value":1.5}'],
    ['TimeInfo', { nanoseconds: 2 ** 53 + 2 }, '{"nanoseconds":9007199254740994}'],
    ['TimeInfo', { nanoseconds: -7 }, '{"nanoseconds":-7}'],
    // The shortest digits that name the number, never an exponent.
    ['Value.Range', { begin: 2 ** 64 - 2048, end: 0 }, '{"begin":18446744073709550000,"end":0}'],
    ['Filters', {}, '{"refuse_seconds":5}'],
    ['Labels', { labels: [] }, '{"labels":[]}'],
    ['Labels', {}, '{}'],
    [
      'Value.Text',
      { value: 'ü "\\ \n\u0000\u007f\u2028 😀' },
      '{"value":"ü \\"\\\\ \\n\\u0000\u007f\u2028 😀"}',
    ],
    ['Value.Text', { value: 'a\n' }, '{"value":"a\\n"}'],
    ['Value.Text', { value: 'a\\b' }, '{"value":"a\\\\b"}'],
    // Half of a surrogate pair has no UTF-8.
    ['Value.Text', { value: '\ud83d' }, '{"value":"\\ud83d"}'],
    ['CommandInfo', { arguments: ['a', '"'] }, '{"shell":true,"arguments":["a","\\""]}'],
  ])('%s %j is written as %s', (name, message, text) => {
    const type = messageType<object>(`mesos.v1.${name}`);
    expect(toJsonText(type, message)).toBe(text);
    expect(JSON.stringify(toJson(type, message))).toBe(text);
  });
});
