import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shellWords } from './shell-words.ts';

const PRINT = 'for word in "$@"; do printf "%s\\0" "$word"; done';

test('words come apart in a shell as they were put together', () => {
  const word = fc.oneof(
    fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', '')),
    fc.constantFrom(
      '',
      "'",
      '"',
      '\\',
      '$HOME',
      '$(id)',
      '`id`',
      'a\nb',
      '-n',
      '*',
      '~',
      '!x',
      'ü',
    ),
  );
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 8 }), (words) => {
      const line = shellWords(['sh', '-c', PRINT, 'print', ...words]);
      const output = execFileSync('/bin/sh', ['-c', line], { encoding: 'utf8' });
      expect(output.split('\0').slice(0, -1)).toEqual(words);
    }),
    { numRuns: 50 },
  );
});

test('a word that no program can be given is refused', () => {
  expect(() => shellWords(['a\0b'])).toThrow('NUL');
});
