/**
 * The allocator's table of behaviours: every test that it names exists, in the file that it names, and every
 * row names one.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const directory = join(import.meta.dirname, '..', '..', 'packages', 'allocator');
const readme = readFileSync(join(directory, 'README.md'), 'utf8');

interface Row {
  readonly behaviour: string;
  /** File and title; without a title the file as a whole. */
  readonly proofs: readonly (readonly [file: string, title: string])[];
}

const rows: readonly Row[] = readme.split('\n').flatMap((line) => {
  const [, behaviour = '', proofs = ''] = line.split('|').map((cell) => cell.trim());
  if (!proofs.startsWith('`')) return [];
  return [{ behaviour, proofs: proofs.split(';').flatMap(proofsOf) }];
});

/** `file`: "title", "title" */
function proofsOf(text: string): Row['proofs'] {
  const file = /`([^`]+)`/.exec(text)?.[1] ?? '';
  const titles = [...text.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title);
  return titles.length === 0 ? [[file, '']] : titles.map((title) => [file, title] as const);
}

test('the table is there', () => {
  expect(rows.length).toBeGreaterThan(30);
});

test.each(rows)('$behaviour', ({ proofs }) => {
  for (const [file, title] of proofs) {
    const source = readFileSync(join(directory, 'src', `${file}.test.ts`), 'utf8');
    expect(source).toContain(title === '' ? 'test' : `'${title}'`);
  }
});
