import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromUtf8, toUtf8 } from './text.ts';

test('UTF-8 is read as it is written, and both agree with the platform', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const bytes = toUtf8(text);
      expect(bytes).toEqual(new TextEncoder().encode(text));
      expect(fromUtf8(bytes)).toBe(text.toWellFormed());
    }),
  );
});

test('whatever the platform refuses is refused', () => {
  const platform = (bytes: Uint8Array): string | undefined => {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return undefined;
    }
  };
  // Bytes around every boundary of the encoding.
  const edgeBytes = [
    0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec,
    0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff,
  ];
  const byte = fc.constantFrom(...edgeBytes);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 6 }), fc.array(byte, { maxLength: 5 }), (any, edges) => {
      for (const bytes of [any, Uint8Array.from(edges)]) {
        expect(fromUtf8(bytes)).toBe(platform(bytes));
      }
    }),
    { numRuns: 2_000 },
  );
});
