import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameReader, JuteError, JuteReader, JuteWriter } from './jute.ts';

test('whatever is written is read, at every length of the buffer', () => {
  const field = fc.oneof(
    fc
      .integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
      .map((value) => ({ kind: 'int', value }) as const),
    fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map((value) => ({ kind: 'long', value }) as const),
    fc.boolean().map((value) => ({ kind: 'bool', value }) as const),
    fc.uint8Array({ maxLength: 300 }).map((value) => ({ kind: 'buffer', value }) as const),
    fc.string({ unit: 'grapheme' }).map((value) => ({ kind: 'text', value }) as const),
  );
  fc.assert(
    fc.property(fc.array(field), (fields) => {
      const writer = new JuteWriter();
      for (const { kind, value } of fields) {
        if (kind === 'int') writer.int(value);
        else if (kind === 'long') writer.long(value);
        else if (kind === 'bool') writer.bool(value);
        else if (kind === 'buffer') writer.buffer(value);
        else writer.text(value);
      }
      const reader = new JuteReader(writer.bytes());
      expect(fields.map(({ kind }) => reader[kind]())).toEqual(fields.map(({ value }) => value));
      expect(reader.remaining).toBe(0);
    }),
  );
});

describe('what a packet claims is not believed', () => {
  test.each([
    ['a buffer longer than the packet', [0x7f, 0xff, 0xff, 0xff, 1], (r: JuteReader) => r.buffer()],
    ['a negative length', [0xff, 0xff, 0xff, 0xfe], (r: JuteReader) => r.buffer()],
    ['a list longer than the packet', [0x10, 0, 0, 0], (r: JuteReader) => r.list(() => r.int())],
    ['half an integer', [0, 0], (r: JuteReader) => r.int()],
    ['a text that is not UTF-8', [0, 0, 0, 1, 0xff], (r: JuteReader) => r.text()],
  ])('%s', (_name, bytes, read) => {
    expect(() => read(new JuteReader(Uint8Array.from(bytes)))).toThrow(JuteError);
  });

  test('absent buffers and lists are empty', () => {
    const absent = Uint8Array.from([0xff, 0xff, 0xff, 0xff]);
    expect(new JuteReader(absent).buffer()).toEqual(new Uint8Array());
    expect(new JuteReader(absent).list(() => 1)).toEqual([]);
  });
});

test('packets are cut out of the stream however it is cut', () => {
  const packets = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 });
  fc.assert(
    fc.property(packets, fc.infiniteStream(fc.integer({ min: 1, max: 12 })), (sent, cuts) => {
      const stream = Uint8Array.from(
        sent.flatMap((data) => [...new JuteWriter().buffer(data).bytes()]),
      );
      const frames = new FrameReader(20);
      const got: number[][] = [];
      for (let from = 0; from < stream.length;) {
        const to = from + cuts.next().value;
        frames.push(stream.subarray(from, to));
        from = to;
        for (let next = frames.next(); next !== undefined; next = frames.next())
          got.push([...next]);
      }
      expect(got).toEqual(sent.map((data) => [...data]));
    }),
  );
});

test('a packet above the bound is refused by its length alone', () => {
  const frames = new FrameReader(20);
  frames.push(Uint8Array.from([0, 0, 0, 21]));
  expect(() => frames.next()).toThrow('a packet of 21 bytes, at most 20 are taken');
});
