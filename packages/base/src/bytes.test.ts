import { expect, test } from 'vitest';
import { bytesText, parseBytes } from './bytes.ts';

test.each([
  ['0B', 0],
  ['1023B', 1023],
  ['1536B', 1536],
  ['4KB', 4096],
  ['1025MB', 1025 * 1024 ** 2],
  ['2GB', 2 ** 31],
])('%s is %i bytes, both ways', (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes);
  expect(bytesText(bytes)).toBe(text);
});

test.each(['4', 'KB', '4kb', '4.5KB', '-1B'])('%s is no size', (text) => {
  expect(parseBytes(text)).toBeUndefined();
});
