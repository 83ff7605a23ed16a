import { decode, encode, RECURSION_DESIRED } from 'dns-packet';
import * as fc from 'fast-check';
import { assert, describe, expect, test } from 'vitest';
import { refusal } from './answer.ts';
import {
  encodeAnswer,
  parseQuery,
  RCODE,
  TYPE,
  type Answer,
  type ResourceRecord,
} from './message.ts';

const label = fc.stringMatching(/^[a-z0-9_-]{1,20}$/);
const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));
const ipv4 = fc.ipV4();
const ipv6 = fc.ipV6().filter((ip) => !ip.includes('.'));
const record: fc.Arbitrary<ResourceRecord> = fc.record({
  name,
  ttlSeconds: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  data: fc.oneof(
    ipv4.map((address) => ({ type: 'A', address }) as const),
    ipv6.map((address) => ({ type: 'AAAA', address }) as const),
    fc
      .record({ port: fc.integer({ min: 0, max: 65_535 }), target: name })
      .map((srv) => ({ type: 'SRV', priority: 0, weight: 1, ...srv }) as const),
    name.map((target) => ({ type: 'NS', target }) as const),
  ),
});

function answerOf(records: readonly ResourceRecord[], asked = 'web.marathon.mesos'): Answer {
  return {
    id: 4711,
    opcode: 0,
    rcode: RCODE.NOERROR,
    authoritative: true,
    recursionDesired: true,
    recursionAvailable: false,
    question: { name: asked, type: TYPE.A, class: 1 },
    answers: records,
    authorities: [],
    additionals: [],
  };
}

function expected({ name: owner, ttlSeconds, data }: ResourceRecord): unknown {
  const base = { name: owner, type: data.type, ttl: ttlSeconds };
  if (data.type === 'SRV') {
    const { priority, weight, port, target } = data;
    return { ...base, data: { priority, weight, port, target } };
  }
  return data.type === 'NS' ? { ...base, data: data.target } : { ...base };
}

/** As the packet library takes it. */
const encoded = (...args: Parameters<typeof encodeAnswer>) => Buffer.from(encodeAnswer(...args));

describe('answers', () => {
  test('are read by the packet library as they were meant', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 30 }), name, (records, asked) => {
        const bytes = encoded(answerOf(records, asked), {
          bytesMax: 65_535,
          setTruncated: true,
        });
        const read = decode(bytes);
        expect(read).toMatchObject({
          id: 4711,
          flag_aa: true,
          flag_rd: true,
          flag_tc: false,
          rcode: 'NOERROR',
        });
        expect(read.questions).toMatchObject([{ name: asked, type: 'A' }]);
        expect(read.answers).toMatchObject(records.map(expected));
      }),
    );
  });

  test('keep to the limit: whole records from the front, TC when some are missing', () => {
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 60 }),
        fc.integer({ min: 300, max: 900 }),
        (records, bytesMax) => {
          const bytes = encoded(answerOf(records), { bytesMax, setTruncated: true });
          expect(bytes.length).toBeLessThanOrEqual(bytesMax);
          const read = decode(bytes);
          expect(read.answers).toMatchObject(records.slice(0, read.answers.length).map(expected));
          expect(read.flag_tc).toBe(read.answers.length < records.length);
        },
      ),
    );
  });

  test('are compressed: thirty addresses of one name fit into a datagram', () => {
    const asked = 'web.marathon.mesos';
    const records = Array.from({ length: 29 }, (_, index) => {
      return {
        name: asked,
        ttlSeconds: 60,
        data: { type: 'A', address: `10.0.0.${index}` },
      } as const;
    });
    const bytes = encoded(answerOf(records, asked), { bytesMax: 512, setTruncated: true });
    expect(decode(bytes).answers.length).toBe(29);
  });

  test('the additional section goes before an answer does, and without TC', () => {
    const a = {
      name: 'a.mesos',
      ttlSeconds: 60,
      data: { type: 'A', address: '10.0.0.1' },
    } as const;
    const answer = { ...answerOf([a]), additionals: Array.from({ length: 60 }, () => a) };
    const read = decode(encoded(answer, { bytesMax: 512, setTruncated: true }));
    expect(read.answers.length).toBe(1);
    expect(read.additionals.length).toBe(0);
    expect(read.flag_tc).toBe(false);
  });
});

describe('queries', () => {
  test('written by the packet library are understood', () => {
    fc.assert(
      fc.property(
        name,
        fc.constantFrom('A', 'AAAA', 'SRV', 'SOA', 'NS', 'ANY'),
        fc.boolean(),
        (asked, type, rd) => {
          const bytes = encode({
            type: 'query',
            id: 7,
            flags: rd ? RECURSION_DESIRED : 0,
            questions: [{ type, name: asked }],
          });
          expect(parseQuery(bytes)).toEqual({
            kind: 'query',
            query: { id: 7, recursionDesired: rd, name: asked, type: TYPE[type], class: 1 },
          });
        },
      ),
    );
  });

  test('made of noise are refused or ignored, and reading ends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(['query', 'refuse', 'ignore']).toContain(parseQuery(bytes).kind);
      }),
    );
  });

  test.each([
    ['an answer', [0, 1, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0], { kind: 'ignore' }],
    ['too short', [0, 1], { kind: 'ignore' }],
    [
      'an update',
      [0, 1, 0x28, 0, 0, 1, 0, 0, 0, 0, 0, 0],
      { kind: 'refuse', opcode: 5, rcode: RCODE.NOTIMP },
    ],
    ['no question', [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], { kind: 'refuse', rcode: RCODE.FORMERR }],
    [
      'a pointer',
      [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1],
      { kind: 'refuse', rcode: RCODE.FORMERR },
    ],
    [
      'cut off',
      [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 5, 97],
      { kind: 'refuse', rcode: RCODE.FORMERR },
    ],
  ])('%s', (_what, bytes, outcome) => {
    expect(parseQuery(Uint8Array.from(bytes))).toMatchObject(outcome);
  });

  test('with a dot inside a label are echoed, and name nothing of the zone', () => {
    const labels = [3, 97, 0x2e, 98, 5, ...Buffer.from('mesos'), 0];
    const bytes = Uint8Array.from([0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 1, 0, 1]);
    const parsed = parseQuery(bytes);
    assert(parsed.kind === 'query');
    expect(parsed.query.name).not.toBe('a.b.mesos');
    const echoed = encodeAnswer(refusal(parsed.query), { bytesMax: 512, setTruncated: true });
    expect([...echoed.subarray(12)]).toEqual([...labels, 0, 1, 0, 1]);
  });
});
