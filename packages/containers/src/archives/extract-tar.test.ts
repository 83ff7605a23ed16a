/** Malicious and odd archives: nothing outside the directory is touched. */

import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { errorText } from '@dcos/base';
import { temporaryDirectory } from '@dcos/testkit';
import { tarOf, type LayerEntry } from '../testing/static-registry.ts';
import { extractTar, type ExtractOptions } from './extract-tar.ts';

let temporary: ReturnType<typeof temporaryDirectory>;
let directory: string;

beforeEach(() => {
  temporary = temporaryDirectory('extract');
  directory = join(temporary.path, 'inside');
  mkdirSync(directory);
  writeFileSync(join(temporary.path, 'secret'), 'secret');
});
afterEach(() => temporary.remove());

async function unpack(
  entries: readonly LayerEntry[],
  more: Partial<ExtractOptions> = {},
): Promise<string> {
  const limits = { entriesMax: 10, bytesMax: 1000, freeBytesMin: 0 };
  const options = { directory, isRootFs: false, ...limits, ...more };
  const source = Readable.from([await tarOf(entries)]);
  return await extractTar(source, options).then(() => 'done', errorText);
}

const symlink = (name: string, linkname: string): LayerEntry => [
  { name, type: 'symlink', linkname },
];
const hardLink = (name: string, linkname: string): LayerEntry => [{ name, type: 'link', linkname }];

describe('unpacking', () => {
  test('files, directories and links inside', async () => {
    const entries: readonly LayerEntry[] = [
      [{ name: './d/', type: 'directory', mode: 0o750 }],
      [{ name: '/d/f', mode: 0o6755 }, 'text'],
      symlink('d/l', '../d/f'),
      hardLink('h', 'd/f'),
    ];
    expect(await unpack(entries)).toBe('done');
    expect(readFileSync(join(directory, 'd/l'), 'utf8')).toBe('text');
    expect(statSync(join(directory, 'h')).nlink).toBe(2);
    expect(statSync(join(directory, 'd/f')).mode & 0o7777).toBe(0o755);
    expect(statSync(join(directory, 'd')).mode & 0o7777).toBe(0o750);
  });

  test.each<[what: string, entries: readonly LayerEntry[], problem: string]>([
    ['a path upwards', [[{ name: '../x' }, 'x']], "holds '..'"],
    ['a path upwards in the middle', [[{ name: 'a/../../x' }, 'x']], "holds '..'"],
    ['a link to a path', [symlink('l', '/etc/passwd')], 'leads out'],
    ['a link upwards', [symlink('a/l', '../../secret')], 'leads out'],
    ['a path through a link', [symlink('l', '.'), [{ name: 'l/x' }, 'x']], 'through a link'],
    ['a hard link upwards', [hardLink('h', '../secret')], "holds '..'"],
    ['a hard link to nothing', [hardLink('h', 'nothing')], 'nothing that can be linked'],
    [
      'a device',
      [[{ name: 'd', type: 'character-device', devmajor: 1, devminor: 3 }]],
      'not allowed',
    ],
    ['too many bytes', [[{ name: 'f' }, 'x'.repeat(1001)]], 'more than 1000 bytes'],
    [
      'too many entries',
      Array.from({ length: 11 }, (_, index): LayerEntry => [{ name: `f${index}` }, '']),
      'more than 10 entries',
    ],
  ])('%s is refused', async (_what, entries, problem) => {
    expect(await unpack(entries)).toContain(problem);
    expect(existsSync(join(temporary.path, 'x'))).toBe(false);
    expect(readFileSync(join(temporary.path, 'secret'), 'utf8')).toBe('secret');
    expect(statSync(join(temporary.path, 'secret')).nlink).toBe(1);
  });

  test('a link that was there before is replaced, not followed', async () => {
    symlinkSync('../secret', join(directory, 'f'));
    symlinkSync('..', join(directory, 'd'));
    expect(await unpack([[{ name: 'f' }, 'mine']])).toBe('done');
    expect(readFileSync(join(directory, 'f'), 'utf8')).toBe('mine');
    expect(await unpack([[{ name: 'd/secret' }, 'mine']])).toContain('through a link');
    expect(readFileSync(join(temporary.path, 'secret'), 'utf8')).toBe('secret');
  });

  test('a truncated archive fails', async () => {
    const bytes = (await tarOf([[{ name: 'f' }, 'x'.repeat(900)]])).subarray(0, 700);
    const limits = { entriesMax: 10, bytesMax: 1000, freeBytesMin: 0 };
    await expect(
      extractTar(Readable.from([bytes]), { directory, isRootFs: false, ...limits }),
    ).rejects.toThrow();
  });
});
