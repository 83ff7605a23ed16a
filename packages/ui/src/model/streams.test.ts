import { describe, expect, test } from 'vitest';
import { parseAnsi, stripAnsi } from './ansi.ts';
import { RecordDecoder } from './record-io.ts';
import { EventStreamDecoder } from './sse.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (record: Uint8Array): string => new TextDecoder().decode(record);

describe('RecordIO', () => {
  test('the same records come out wherever the stream is cut', () => {
    // The second record has two characters of two bytes each.
    const stream = bytes('5\nhello13\nhéllo wörld0\n1\nx');
    for (let cut = 0; cut <= stream.length; cut += 1) {
      const decoder = new RecordDecoder();
      const records = [
        ...decoder.push(stream.subarray(0, cut)),
        ...decoder.push(stream.subarray(cut)),
      ].map(text);
      expect(records).toEqual(['hello', 'héllo wörld', '', 'x']);
    }
  });

  test('a length that is no number ends the stream', () => {
    expect(() => new RecordDecoder().push(bytes('x\nabc'))).toThrow('bad length');
    expect(() => new RecordDecoder().push(bytes('no line feed at all'))).toThrow('no length');
  });
});

describe('server-sent events', () => {
  test('events come out wherever the stream is cut', () => {
    const stream = ':\n\nevent: a\ndata: {"x":1}\n\ndata: one\r\ndata: two\r\n\r\n';
    for (let cut = 0; cut <= stream.length; cut += 1) {
      const decoder = new EventStreamDecoder();
      const events = [...decoder.push(stream.slice(0, cut)), ...decoder.push(stream.slice(cut))];
      expect(events).toEqual([
        { event: 'a', data: '{"x":1}' },
        { event: 'message', data: 'one\ntwo' },
      ]);
    }
  });
});

describe('terminal colours', () => {
  const line = '\u001B[1;31mERROR\u001B[0m plain \u001B[2Krest';

  test('become parts', () => {
    expect(parseAnsi(line)).toEqual([
      { text: 'ERROR', color: 1, bold: true },
      { text: ' plain ', color: undefined, bold: false },
      { text: 'rest', color: undefined, bold: false },
    ]);
  });

  test('are invisible to search', () => {
    expect(stripAnsi(line)).toBe('ERROR plain rest');
  });
});
