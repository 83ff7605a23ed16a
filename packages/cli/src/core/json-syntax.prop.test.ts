import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findJsonError } from './json-syntax.ts';

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('findJsonError', () => {
  test('finds nothing in any JSON text', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(0, 2, 4), (text, indent) => {
        expect(findJsonError(text)).toBeUndefined();
        expect(findJsonError(JSON.stringify(JSON.parse(text), undefined, indent))).toBeUndefined();
      }),
    );
  });

  test('agrees with the parser of the runtime on damaged texts', () => {
    const damaged = fc
      .tuple(
        fc.json(),
        fc.nat(),
        fc.nat(3),
        fc.constantFrom('', ',', '"', '}', ']', '0', 'x', '\\'),
      )
      .map(([text, at, length, patch]) => {
        const offset = at % (text.length + 1);
        return text.slice(0, offset) + patch + text.slice(offset + length);
      });
    fc.assert(
      fc.property(damaged, (text) => {
        expect(findJsonError(text) === undefined).toBe(parses(text));
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['{"a": }', 1, 7, 'a value', '"}"'],
    ['{"id": "a",\n  "cpus": }', 2, 11, 'a value', '"}"'],
    ['{"a": 1,}', 1, 9, 'a name in double quotes', '"}"'],
    ['[1 2]', 1, 4, '"," or the end of the object or list', '"2"'],
    ["{'a': 1}", 1, 2, 'a name in double quotes or "}"', '"\'"'],
    ['{"a": True}', 1, 7, 'a value', '"True"'],
    ['{"a": 1', 1, 8, '"," or the end of the object or list', 'the end'],
    ['{} x', 1, 4, 'the end', '"x"'],
    ['', 1, 1, 'a value', 'the end'],
  ])('%j', (text, line, column, expected, found) => {
    expect(findJsonError(text)).toEqual({ line, column, expected, found });
  });
});
