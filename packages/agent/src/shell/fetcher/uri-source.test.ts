import { expect, test } from 'vitest';
import { errorText } from '@dcos/base';
import type { CommandInfo_URI } from '@dcos/wire';
import { parseUri, shownUri, type ParsedUri } from './uri-source.ts';

const SUM = 'ab'.repeat(32);
const parsed = (uri: CommandInfo_URI, home?: string): string => {
  const shown = ({ source, name, checksum = '' }: ParsedUri): string =>
    [source.kind === 'file' ? source.path : source.url.href, name, checksum].join(' ').trim();
  try {
    return shown(parseUri(uri, home));
  } catch (error) {
    return errorText(error);
  }
};

test.each<[uri: CommandInfo_URI, text: string]>([
  [{ value: '/a/b.tar' }, '/a/b.tar b.tar'],
  [{ value: 'file:///a/b%20c' }, '/a/b c b c'],
  [{ value: 'http://h/a/b.zip?x=/y' }, 'http://h/a/b.zip?x=/y b.zip'],
  [{ value: 'https://h/a', output_file: 'd/e' }, 'https://h/a d/e'],
  [{ value: 'https://h/', output_file: 'd' }, 'https://h/ d'],
  [
    { value: `https://h/a#sha256=${SUM.toUpperCase()}` },
    `https://h/a#sha256=${SUM.toUpperCase()} a ${SUM}`,
  ],
  [{ value: 'https://h/a#part' }, 'https://h/a#part a'],
  [{ value: 'https://h/' }, 'the URI names no file; give it an output_file'],
  [{ value: '' }, 'the URI is empty or not a text'],
  [{ value: 'b.tar' }, 'a relative path needs an agent with frameworksHome'],
  [{ value: 'http://h:99999/a' }, 'the address is not valid'],
  [{ value: 'ftp://h/a' }, "'ftp' is not supported; serve the file over HTTP or HTTPS"],
  [{ value: 'hdfs://h/a' }, "'hdfs' needs a Hadoop client"],
  [{ value: 's3n://h/a' }, "'s3n' needs a Hadoop client"],
  [{ value: 'gopher://h/a' }, "the scheme 'gopher' is not supported"],
])('%o', (uri, text) => {
  expect(parsed(uri)).toContain(text);
});

test('relative paths begin at the home of frameworks', () => {
  expect(parsed({ value: 'x/b.tar' }, '/home')).toBe('/home/x/b.tar b.tar');
});

test.each([
  ['http://ann:word@h/a', 'http://h/a'],
  ['http://token@h/a?b=c', 'http://h/a?b=c'],
  ['http:ann:word@h/a', 'http://h/a'],
  ['hdfs://ann:word@h/a', 'hdfs://h/a'],
  ['http://ann:w@rd@h:99999/a', 'http://h:99999/a'],
  ['http://ann:wo/rd@h/a', 'http://h/a'],
  ['http://h/a@b', 'http://h/a@b'],
  ['/a@b', '/a@b'],
  ['a/b@c', 'a/b@c'],
])('%s is shown as %s', (value, shown) => {
  expect(shownUri(value)).toBe(shown);
});
