/**
 * Unpacks one layer of an image into a directory that can be a lower directory of an overlay.
 *
 * A layer marks what it removes: `.wh.<name>` for an entry, `.wh..wh..opq` for all that lower layers have in a
 * directory. The overlay knows the first as a device 0/0, the second as an extended attribute of the directory. Node
 * can make neither, so `tar` of the distribution does, from a small archive of our own; devices and pipes of the layer
 * itself go the same way. Source: OCI image specification, "layer"; kernel documentation of overlayfs.
 */

import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { promisify } from 'node:util';
import { Transform } from 'node:stream';
import { pack } from 'tar-stream';
import { compressionOf, decompressed } from '../archives/decompress.ts';
import { lstatOf, type EntryHeader, type ExtractLimits } from '../archives/tree-writer.ts';
import { extractTar } from '../archives/extract-tar.ts';

const run = promisify(execFile);
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
const OPAQUE_ATTRIBUTE = 'SCHILY.xattr.trusted.overlay.opaque';

interface Specials {
  readonly removed: string[];
  readonly opaque: (readonly string[])[];
  readonly devices: EntryHeader[];
}

export interface UnpackOptions extends ExtractLimits {
  /** The compressed layer. */
  readonly blobPath: string;
  /** Empty. */
  readonly directory: string;
  readonly diffId: string;
  readonly signal: AbortSignal;
}

/** Unpacks, and compares the digest of what was unpacked. On an error the caller removes the directory. */
export async function unpackLayer(options: UnpackOptions): Promise<void> {
  const { blobPath, directory, diffId, signal, ...limits } = options;
  const specials: Specials = { removed: [], opaque: [], devices: [] };
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const compression = await compressionOf(blobPath);
  // No media type of layers means these.
  if (compression === 'bzip2' || compression === 'xz')
    throw new Error(`a layer is packed with ${compression}; only gzip and zstd are supported`);
  const source = await decompressed(blobPath);
  source.on('error', (error) => hashing.destroy(error));
  hashing.on('close', () => source.destroy());
  await extractTar(source.pipe(hashing), {
    directory,
    signal,
    isRootFs: true,
    special: (path, header) => takeSpecial(specials, path, header),
    ...limits,
  });
  if (!hashing.readableEnded) await finished(hashing.resume());
  if (`sha256:${hash.digest('hex')}` !== diffId)
    throw new Error('the unpacked layer has another digest');
  await makeSpecials(directory, await belowOnly(directory, specials));
  await run('sync', ['-f', directory]);
}

function takeSpecial(specials: Specials, path: readonly string[], header: EntryHeader): boolean {
  const name = path.at(-1) ?? '';
  if (name === OPAQUE) {
    specials.opaque.push(path.slice(0, -1));
    return true;
  }
  if (name.startsWith(WHITEOUT)) {
    const removed = name.slice(WHITEOUT.length);
    if (removed === '' || removed === '.' || removed === '..')
      throw new Error('the whiteout names nothing');
    // Names that begin once more with the mark are notes of old storage drivers.
    if (!removed.startsWith(WHITEOUT))
      specials.removed.push([...path.slice(0, -1), removed].join('/'));
    return true;
  }
  const { type } = header;
  if (type !== 'character-device' && type !== 'block-device' && type !== 'fifo') return false;
  specials.devices.push({ ...header, name: path.join('/') });
  return true;
}

/**
 * A whiteout removes what lower layers have, never what its own layer brings: a new file hides the old one by itself,
 * a new directory has to hide all that the old one had.
 */
async function belowOnly(directory: string, specials: Specials): Promise<Specials> {
  const removed: string[] = [];
  const opaque = [...specials.opaque];
  for (const path of specials.removed) {
    const there = await lstatOf(join(directory, path));
    if (there === undefined) removed.push(path);
    else if (there.isDirectory()) opaque.push(path.split('/'));
  }
  return { ...specials, removed, opaque };
}

async function makeSpecials(directory: string, specials: Specials): Promise<void> {
  const { removed, opaque, devices } = specials;
  if (removed.length + opaque.length + devices.length === 0) return;
  const archive = pack();
  const vector = ['-x', '-p', '--numeric-owner', '--xattrs', '--xattrs-include=trusted.*'];
  const tar = spawn('tar', [...vector, '-C', directory], { stdio: ['pipe', 'ignore', 'pipe'] });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let said = '';
  tar.stderr.on('data', (chunk: Uint8Array) => {
    if (said.length < 4096) said += Buffer.from(chunk).toString('utf8');
  });
  tar.stdin.on('error', reject);
  tar.on('error', reject);
  tar.on('close', (code) =>
    code === 0 ? resolve() : reject(new Error(`cannot make whiteouts: ${said.trim()}`)),
  );
  archive.pipe(tar.stdin);
  for (const path of removed)
    archive.entry({ name: path, type: 'character-device', devmajor: 0, devminor: 0, mode: 0 });
  for (const header of devices) archive.entry(header);
  for (const path of opaque) {
    const { mode, uid, gid, mtime } = await lstat(join(directory, ...path));
    const pax = { [OPAQUE_ATTRIBUTE]: 'y' };
    const name = path.length === 0 ? './' : `${path.join('/')}/`;
    archive.entry({ name, type: 'directory', mode: mode & 0o7777, uid, gid, mtime, pax });
  }
  archive.finalize();
  await promise;
}
