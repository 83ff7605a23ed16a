import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { createCredential } from './credential.ts';

const folder = mkdtempSync(join(tmpdir(), 'credential-'));
const file = join(folder, 'credential');
afterAll(() => rmSync(folder, { recursive: true }));

const read = (text: string): (() => string | undefined) => {
  writeFileSync(file, text);
  return createCredential(file, silentLogger);
};
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

test.each([
  ['{"principal":"agent","secret":"top"}', basic('agent:top')],
  ['agent top\n', basic('agent:top')],
  ['{"token":"a.b.c"}', 'Bearer a.b.c'],
])('%s', (text, authorization) => {
  expect(read(text)()).toBe(authorization);
});

test('without a file there is none', () => {
  expect(createCredential(undefined, silentLogger)()).toBeUndefined();
});

test.each([
  ['', /'principal'/],
  ['agent', /'secret'/],
  ['agent top secret', /one line/],
  ['a:b top', /without a colon/],
  ['{"principal":"agent"}', /'secret'/],
  ['{"token":"a\\r\\nb"}', /'principal'/],
  ['{"secret":"top"', /not JSON/],
  ['[]', /'secret'/],
])('%j keeps the agent from starting', (text, message) => {
  expect(() => read(text)).toThrow(message);
});

test('a missing file keeps the agent from starting', () => {
  expect(() => createCredential(join(folder, 'nowhere'), silentLogger)).toThrow(/cannot be read/);
});

test('a renewed file counts from the next connection on, a broken one does not', () => {
  const credential = read('{"token":"a.b.c"}');
  writeFileSync(file, '{"token":"d.e.f"}');
  expect(credential()).toBe('Bearer d.e.f');
  writeFileSync(file, '{');
  expect(credential()).toBe('Bearer d.e.f');
});
