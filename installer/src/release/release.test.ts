import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { extractRelease, verifyRelease } from './read-release.ts';
import { writeRelease, type ReleaseFile } from './write-release.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const trustedKeys = [generateKeyPairSync('ed25519').publicKey, publicKey];
const FILES: readonly ReleaseFile[] = [
  { path: 'lib/agent/program.js', mode: '0644', content: Buffer.from('run();\n') },
  { path: 'bin/node', mode: '0755', content: Buffer.alloc(100_000, 'n') },
  { path: 'lib/agent.js', mode: '0644', content: Buffer.from('') },
  { path: 'licences/@scope+name@1.2.3.txt', mode: '0644', content: Buffer.from('yes') },
  { path: `ui/assets/${'long-'.repeat(24)}.js`, mode: '0644', content: Buffer.from('long') },
];

let folder: string;
let archive: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'release-'));
  archive = join(folder, 'whole.tar.gz');
  await write(archive, FILES);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function write(path: string, files: readonly ReleaseFile[]): Promise<void> {
  await writeRelease(path, { version: '1.2.3', platform: 'linux-x64', files }, privateKey);
}

/** An archive with other bytes in its tar. */
function changed(name: string, change: (tar: Buffer) => Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, gzipSync(change(gunzipSync(readFileSync(archive)))));
  return path;
}

function replaced(from: string, to: string): (tar: Buffer) => Buffer {
  return (tar) => {
    const at = tar.lastIndexOf(from);
    expect([at > 0, from.length]).toEqual([true, to.length]);
    return Buffer.concat([tar.subarray(0, at), Buffer.from(to), tar.subarray(at + to.length)]);
  };
}

test('what is written is what is extracted, with modes that no umask changes', async () => {
  const target = join(folder, 'extracted');
  const umask = process.umask(0o077);
  try {
    const manifest = await extractRelease(archive, target, { trustedKeys });
    expect(manifest).toEqual(await verifyRelease(archive, { trustedKeys }));
    expect(manifest.files.map(({ path }) => path)).toEqual(FILES.map(({ path }) => path).sort());
  } finally {
    process.umask(umask);
  }
  for (const { path, mode, content } of FILES) {
    expect(readFileSync(join(target, path)).equals(content)).toBe(true);
    expect((statSync(join(target, path)).mode & 0o777).toString(8)).toBe(mode.slice(1));
  }
  expect((statSync(join(target, 'lib', 'agent')).mode & 0o777).toString(8)).toBe('755');
  expect(readdirSync(target).sort()).toEqual([
    'bin',
    'lib',
    'licences',
    'manifest.json',
    'manifest.json.sig',
    'ui',
  ]);
});

test('equal content in another order gives equal bytes', async () => {
  const again = join(folder, 'again.tar.gz');
  await write(again, FILES.toReversed());
  expect(readFileSync(again).equals(readFileSync(archive))).toBe(true);
});

test('every file, its mode and its path count for the content hash', async () => {
  const { contentHash } = await verifyRelease(archive, { trustedKeys });
  const hashes = new Set([contentHash]);
  const others: readonly (readonly ReleaseFile[])[] = [
    FILES.slice(1),
    FILES.map((file) => (file.path === 'lib/agent.js' ? { ...file, mode: '0755' } : file)),
    FILES.map((file) => (file.path === 'lib/agent.js' ? { ...file, path: 'lib/a.js' } : file)),
    FILES.map((file) => ({ ...file, content: Buffer.concat([file.content, file.content]) })),
  ];
  for (const [index, files] of others.entries()) {
    const path = join(folder, `other-${index}.tar.gz`);
    await write(path, files);
    hashes.add((await verifyRelease(path, { trustedKeys })).contentHash);
  }
  expect(hashes.size).toBe(others.length + 1);
});

interface Damage {
  readonly name: string;
  readonly make: () => string;
  readonly code: string;
  readonly says: string;
  readonly keys?: readonly KeyObject[];
}

const DAMAGE: readonly Damage[] = [
  {
    name: 'a file of other content',
    make: () => changed('content.tar.gz', replaced('run();', 'rm -rf')),
    code: 'RELEASE_DAMAGED',
    says: 'lib/agent/program.js is not what manifest.json says',
  },
  {
    name: 'a manifest that was changed',
    make: () => changed('manifest.tar.gz', (tar) => replaceFirst(tar, '"0644"', '"0755"')),
    code: 'RELEASE_UNTRUSTED',
    says: 'manifest.json.sig is not of a trusted key',
  },
  {
    name: 'a signature of somebody else',
    make: () => archive,
    code: 'RELEASE_UNTRUSTED',
    says: 'manifest.json.sig is not of a trusted key',
    keys: trustedKeys.slice(0, 1),
  },
  {
    name: 'a file of another name',
    make: () =>
      changed('renamed.tar.gz', (tar) => renamedEntry(tar, 'lib/agent.js', 'lib/agemt.js')),
    code: 'RELEASE_DAMAGED',
    says: 'lib/agemt.js (file) is in the archive where lib/agent.js should be',
  },
  {
    name: 'a file that leads out',
    make: () => changed('out.tar.gz', (tar) => renamedEntry(tar, 'bin/node', '../../no')),
    code: 'RELEASE_DAMAGED',
    says: '../../no (file) is in the archive where bin/node should be',
  },
  {
    name: 'an archive that broke off',
    make: () => {
      const path = join(folder, 'short.tar.gz');
      writeFileSync(path, readFileSync(archive));
      truncateSync(path, statSync(path).size - 100);
      return path;
    },
    code: 'RELEASE_UNREADABLE',
    says: 'short.tar.gz cannot be read',
  },
  {
    name: 'an archive of something else',
    make: () => {
      const path = join(folder, 'else.tar.gz');
      writeFileSync(path, gzipSync(Buffer.alloc(1024)));
      return path;
    },
    code: 'RELEASE_UNREADABLE',
    says: 'manifest.json is not where it must be',
  },
  {
    name: 'no archive at all',
    make: () => join(folder, 'absent.tar.gz'),
    code: 'RELEASE_UNREADABLE',
    says: 'absent.tar.gz cannot be read',
  },
];

test.each(DAMAGE)('$name is refused, and nothing is left', async ({ make, code, says, keys }) => {
  const path = make();
  const target = join(folder, 'refused');
  const options = { trustedKeys: keys ?? trustedKeys };
  const expected = { code, message: expect.stringContaining(says) as string };
  await expect(verifyRelease(path, options)).rejects.toMatchObject(expected);
  await expect(extractRelease(path, target, options)).rejects.toMatchObject(expected);
  expect(readdirSync(folder).filter((name) => name.startsWith('refused'))).toEqual([]);
});

test('links in an archive are refused', async () => {
  const path = join(folder, 'link.tar.gz');
  const tar = gunzipSync(readFileSync(archive));
  // Everything before the entry, then a link in its place.
  const at = tar.indexOf('bin/node\0');
  const link = pack();
  link.entry({ name: 'bin/node', type: 'symlink', linkname: '/etc/passwd' });
  link.finalize();
  const rest = await buffer(link as AsyncIterable<Buffer>);
  writeFileSync(path, gzipSync(Buffer.concat([tar.subarray(0, at), rest])));
  await expect(verifyRelease(path, { trustedKeys })).rejects.toMatchObject({
    code: 'RELEASE_DAMAGED',
    message: expect.stringContaining('bin/node (symlink)') as string,
  });
});

test('a folder that is there already is not touched', async () => {
  const target = join(folder, 'there');
  mkdirSync(target);
  await expect(extractRelease(archive, target, { trustedKeys })).rejects.toMatchObject({
    code: 'RELEASE_TARGET',
  });
  expect(readdirSync(target)).toEqual([]);
});

test.each(['../outside', '/etc/passwd', 'a/../b', 'a//b', 'with blank', 'manifest.json', '.'])(
  'a release cannot have a file %s',
  async (path) => {
    const made = join(folder, 'never.tar.gz');
    const files = [...FILES, { path, mode: '0644', content: Buffer.from('') } as const];
    await expect(write(made, files)).rejects.toThrow(`cannot be released: ${path}`);
    expect(existsSync(made)).toBe(false);
  },
);

test('a file and a folder cannot share a path', async () => {
  const files = [...FILES, { path: 'lib', mode: '0644', content: Buffer.from('') } as const];
  await expect(write(join(folder, 'never.tar.gz'), files)).rejects.toThrow('is below a file');
});

function replaceFirst(tar: Buffer, from: string, to: string): Buffer {
  const at = tar.indexOf(from);
  return Buffer.concat([tar.subarray(0, at), Buffer.from(to), tar.subarray(at + to.length)]);
}

/** Renames an entry, with the checksum of its header. */
function renamedEntry(tar: Buffer, from: string, to: string): Buffer {
  const bytes = Buffer.from(tar);
  for (let at = 0; at < bytes.length; at += 512) {
    if (bytes.toString('latin1', at, at + from.length + 1) !== `${from}\0`) continue;
    bytes.write(to, at, 'latin1');
    bytes.write('        ', at + 148, 'latin1');
    const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
  }
  return bytes;
}
