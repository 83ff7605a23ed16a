import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  EventStreamParser,
  eventLengthMax,
  formatLogLine,
  parseLogEntry,
  reconnectDelayMs,
  reconnectsMax,
} from './log-stream.ts';

describe('EventStreamParser', () => {
  test('gives the same events however the stream is cut', () => {
    const message = fc.string({ unit: 'binary' }).map((text) => text.replace(/[\r\n]/g, ' '));
    const property = fc.property(
      fc.array(message, { maxLength: 8 }),
      fc.constantFrom('\n', '\r\n'),
      fc.array(fc.nat(40), { maxLength: 40 }),
      (messages, end, cuts) => {
        const stream = messages
          .map((text, index) => `: comment${end}id: ${index}${end}data: ${text}${end}${end}`)
          .join('');
        const parser = new EventStreamParser();
        const events = [];
        let at = 0;
        for (const cut of cuts) {
          events.push(...parser.push(stream.slice(at, at + cut)));
          at += cut;
        }
        events.push(...parser.push(stream.slice(at)));
        expect(events).toEqual(messages.map((data, index) => ({ data, id: String(index) })));
      },
    );
    fc.assert(property);
  });

  test('joins several data lines and keeps no half event', () => {
    const parser = new EventStreamParser();
    expect(parser.push('data: a\ndata:b\n\ndata: c\n')).toEqual([{ data: 'a\nb' }]);
    expect(parser.push('\n')).toEqual([{ data: 'c' }]);
  });

  test('refuses an event over the bound, not one below it', () => {
    const parser = new EventStreamParser();
    expect(parser.push(`data: ${'x'.repeat(eventLengthMax - 6)}`)).toEqual([]);
    expect(() => parser.push('yy')).toThrow(/more than/);
  });
});

describe('log entries', () => {
  test('are read from JSON, and taken as they are otherwise', () => {
    const data = JSON.stringify({
      fields: { MESSAGE: 'hello', PRIORITY: '3' },
      cursor: '17',
      realtime_timestamp: 1_000_000,
    });
    expect(parseLogEntry({ data, id: '16' })).toEqual({
      message: 'hello',
      cursor: '17',
      priority: 3,
      timestampMs: 1000,
    });
    expect(parseLogEntry({ data: 'plain', id: '5' })).toEqual({ message: 'plain', cursor: '5' });
  });

  test('end with one line feed and are coloured by priority on a terminal only', () => {
    expect(formatLogLine({ message: 'x\n', priority: 3 }, false)).toBe('x\n');
    expect(formatLogLine({ message: 'x', priority: 3 }, true)).toBe('\u001b[31mx\u001b[0m\n');
    expect(formatLogLine({ message: 'x', priority: 4 }, true)).toBe('\u001b[33mx\u001b[0m\n');
    expect(formatLogLine({ message: 'x', priority: 6 }, true)).toBe('x\n');
  });
});

test('pauses grow to a limit, then there are no more attempts', () => {
  const delays = Array.from({ length: reconnectsMax + 1 }, (_value, index) =>
    reconnectDelayMs(index),
  );
  expect(delays).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000, 5000, undefined]);
});
