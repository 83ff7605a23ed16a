import { expect, test } from 'vitest';
import { Credentials } from './credentials.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

test.each([
  ['JSON', '{"credentials":[{"principal":"a","secret":"x:y"},{"principal":"b","secret":"z"}]}'],
  ['lines', 'a x:y\n\nb   z\r\n'],
])('credentials as %s', (_form, text) => {
  const credentials = Credentials.parse(text);
  expect(credentials.principalOf(basic('a:x:y'))).toBe('a');
  expect(credentials.principalOf(basic('b:z'))).toBe('b');
});

test.each([
  ['no header', undefined],
  ['a wrong secret', basic('a:no')],
  ['an empty secret', basic('a:')],
  ['the secret of another', basic('a:y')],
  ['a stranger', basic('c:x')],
  ['no colon', basic('ax')],
  ['another scheme', basic('a:x').replace('Basic', 'Bearer')],
  ['no base64', 'Basic ???'],
  ['something after it', `${basic('a:x')} more`],
])('%s proves nothing', (_what, header) => {
  expect(Credentials.parse('a x\nb y').principalOf(header)).toBeUndefined();
});

test.each([
  ['{"credentials":[{"principal":"a","secret":"geheim"}', 'it is not JSON'],
  ['{"credential":[]}', "expecting an array 'credentials'"],
  ['{"credentials":[{"secret":"geheim"}]}', "credentials[0] has no 'principal'"],
  ['{"credentials":[{"principal":"a"}]}', "credentials[0] has no 'secret'"],
  ['a', "expecting 'principal secret' in line 1"],
  ['b x\na geheim c', "expecting 'principal secret' in line 2"],
  ['a geheim\na x', "principal 'a' is there twice"],
  ['a:b geheim', 'line 1 has a principal with a colon'],
])('refuses %s without showing a secret', (text, problem) => {
  const parse = (): unknown => Credentials.parse(text);
  expect(parse).toThrow(problem);
  expect(parse).not.toThrow('geheim');
});
