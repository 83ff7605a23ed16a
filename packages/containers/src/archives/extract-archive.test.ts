/** Archives by the names of their files; zip files that are malicious, damaged or odd. */

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { errorText } from '@dcos/base';
import { temporaryDirectory } from '@dcos/testkit';
import { tarOf } from '../testing/static-registry.ts';
import { zipOf, type ZipEntry } from '../testing/zip-of.ts';
import { extractArchive, isArchiveName } from './extract-archive.ts';

let temporary: ReturnType<typeof temporaryDirectory>;
let directory: string;

beforeEach(() => {
  temporary = temporaryDirectory('archive');
  directory = join(temporary.path, 'inside');
  mkdirSync(directory);
});
afterEach(() => temporary.remove());

async function unpack(name: string, bytes: Uint8Array, bytesMax = 1000): Promise<string> {
  const path = join(temporary.path, name);
  writeFileSync(path, bytes);
  const limits = { entriesMax: 10, bytesMax, freeBytesMin: 0 };
  return await extractArchive(path, { directory, isRootFs: false, ...limits }).then(
    () => 'done',
    errorText,
  );
}

const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
const packedBy = (program: string, bytes: Uint8Array): Buffer =>
  execFileSync(program, ['-c'], { input: bytes });

test.each<[name: string, pack: (tar: Buffer) => Uint8Array]>([
  ['a.tar', (tar) => tar],
  ['a.tar.gz', gzipSync],
  ['a.tgz', gzipSync],
  ['a.tar.bz2', (tar) => packedBy('bzip2', tar)],
  ['a.tbz2', (tar) => packedBy('bzip2', tar)],
  ['a.tar.xz', (tar) => packedBy('xz', tar)],
  ['a.txz', (tar) => packedBy('xz', tar)],
  ['a.tar.zst', zstdCompressSync],
])('%s is unpacked', async (name, pack) => {
  expect(isArchiveName(name)).toBe(true);
  const tar = await tarOf([[{ name: 'd/f' }, 'text']]);
  expect(await unpack(name, pack(tar))).toBe('done');
  expect(read('d/f')).toBe('text');
});

test('a single file is unpacked beside', async () => {
  expect(await unpack('notes.txt.gz', gzipSync('text'))).toBe('done');
  expect(read('notes.txt')).toBe('text');
  expect(['a.txt', 'gz', 'a.tar.lz', 'zip'].map(isArchiveName)).toEqual(Array(4).fill(false));
});

test('a zip file is unpacked with its modes and links', async () => {
  const zip = zipOf([
    { name: 'd/' },
    { name: 'd/run', content: 'text', mode: 0o106_755 },
    { name: 'd/link', content: 'run', mode: 0o120_777 },
    { name: 'plain', content: 'x'.repeat(900) },
  ]);
  expect(await unpack('a.zip', zip)).toBe('done');
  expect(read('d/run')).toBe('text');
  expect(statSync(join(directory, 'd/run')).mode & 0o7777).toBe(0o755);
  expect(readlinkSync(join(directory, 'd/link'))).toBe('run');
  expect(read('plain')).toBe('x'.repeat(900));
});

test.each<[what: string, entries: readonly ZipEntry[], problem: string]>([
  ['a path upwards', [{ name: '../x', content: 'x' }], 'x'],
  ['an absolute path', [{ name: '/x', content: 'x' }], 'x'],
  ['a link out', [{ name: 'l', content: '../secret', mode: 0o120_777 }], 'leads out'],
  [
    'a path through a link',
    [
      { name: 'l', content: '.', mode: 0o120_777 },
      { name: 'l/x', content: 'x' },
    ],
    'through a link',
  ],
  ['a device', [{ name: 'd', mode: 0o020_666 }], 'not allowed'],
  ['an encrypted entry', [{ name: 'f', content: 'x', isEncrypted: true }], 'encrypted'],
  ['a wrong checksum', [{ name: 'f', content: 'x', checksum: 1 }], 'damaged'],
  ['too many bytes', [{ name: 'f', content: 'x'.repeat(1001) }], 'more than 1000 bytes'],
  ['too many entries', Array.from({ length: 11 }, (_, at) => ({ name: `f${at}` })), '10 entries'],
])('%s in a zip file is refused', async (_what, entries, problem) => {
  expect(await unpack('a.zip', zipOf(entries))).toContain(problem);
  expect(existsSync(join(temporary.path, 'x'))).toBe(false);
});

test.each([
  ['a.tar.gz', gzipSync('x'.repeat(2000)).subarray(0, 20)],
  ['a.gz', gzipSync('x'.repeat(2000)).subarray(0, 20)],
  ['a.zip', zipOf([{ name: 'f', content: 'text' }]).subarray(0, 40)],
  ['a.tar.xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 1, 2, 3])],
  ['a.tar', Buffer.from('x'.repeat(2000))],
])('%s that is damaged fails', async (name, bytes) => {
  expect(await unpack(name, bytes)).not.toBe('done');
});

test('a file that would fill the disk is bounded', async () => {
  expect(await unpack('bomb.gz', gzipSync(Buffer.alloc(10_000_000)))).toContain(
    'more than 1000 bytes',
  );
});
