import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatTimestamp, parseTimestamp } from './timestamp.ts';

const instants = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 });

test('the text is that of the platform, and is read back', () => {
  fc.assert(
    fc.property(instants, (instant) => {
      const text = formatTimestamp(instant);
      expect(text).toBe(new Date(instant).toISOString());
      expect(parseTimestamp(text)).toBe(instant);
    }),
    { numRuns: 2000 },
  );
});

test('the order of texts is the order of instants', () => {
  fc.assert(
    fc.property(instants, instants, (left, right) => {
      expect(formatTimestamp(left) < formatTimestamp(right)).toBe(left < right);
    }),
  );
});
