/**
 * Writes a release as one `.tar.gz`: manifest, signature, then folders and files, sorted by path. Owner, times and
 * modes are constants, so that equal content gives equal bytes, whoever packs it, where and when.
 */

import { createHash, sign, type KeyObject } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack, type Header, type Pack } from 'tar-stream';
import {
  createManifest,
  foldersOf,
  MANIFEST_PATH,
  manifestText,
  parseManifest,
  SIGNATURE_PATH,
  type Manifest,
  type ManifestFile,
  type Platform,
} from './manifest.ts';

/** A file on its way into a release. */
export interface ReleaseFile {
  readonly path: string;
  readonly mode: ManifestFile['mode'];
  readonly content: Uint8Array;
}

export interface ReleaseContent {
  readonly version: string;
  readonly platform: Platform;
  /** In any order. */
  readonly files: readonly ReleaseFile[];
}

/** Early enough to be no file's real time, late enough for every archiver. */
const MODIFIED_AT = new Date('1980-01-01T00:00:00Z');
const FOLDER_MODE = 0o755;

/**
 * Writes the archive; a file of that name is replaced when the new one is whole.
 * @param signingKey private, Ed25519
 */
export async function writeRelease(
  archivePath: string,
  content: ReleaseContent,
  signingKey: KeyObject,
): Promise<Manifest> {
  const manifest = manifestOf(content);
  const bytes = Buffer.from(manifestText(manifest));
  const contents = new Map(content.files.map((file) => [file.path, file.content]));
  const archive = pack();
  const partial = `${archivePath}.partial`;
  const written = pipeline(
    archive as unknown as Readable,
    createGzip(),
    createWriteStream(partial),
  );
  try {
    await Promise.all([
      written,
      (async () => {
        await add(archive, MANIFEST_PATH, bytes, '0644');
        await add(archive, SIGNATURE_PATH, sign(null, bytes, signingKey), '0644');
        const folders = new Set<string>();
        for (const { path, mode } of manifest.files) {
          for (const folder of foldersOf(path)) {
            if (folders.has(folder)) continue;
            folders.add(folder);
            archive.entry(entry(`${folder}/`, { type: 'directory', mode: FOLDER_MODE, size: 0 }));
          }
          await add(archive, path, contents.get(path) ?? new Uint8Array(), mode);
        }
        archive.finalize();
      })(),
    ]);
  } catch (error) {
    archive.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
  await rename(partial, archivePath);
  return manifest;
}

/** @throws Error that names the file for content that no reader would take */
function manifestOf({ version, platform, files }: ReleaseContent): Manifest {
  const manifest = createManifest(
    version,
    platform,
    files.map(({ path, mode, content }) => ({
      path,
      sha256: createHash('sha256').update(content).digest('hex'),
      sizeBytes: content.byteLength,
      mode,
    })),
  );
  const parsed = parseManifest(manifestText(manifest));
  if (parsed.ok) return manifest;
  const index = /^files\.(\d+)/.exec(parsed.error)?.[1];
  const path = index === undefined ? undefined : manifest.files[Number(index)]?.path;
  throw new Error(`cannot be released: ${path === undefined ? '' : `${path}: `}${parsed.error}`);
}

async function add(
  archive: Pack,
  name: string,
  content: Uint8Array,
  mode: ManifestFile['mode'],
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const header = entry(name, {
    type: 'file',
    mode: Number.parseInt(mode, 8),
    size: content.length,
  });
  archive.entry(header, Buffer.from(content), (error) => {
    if (error) reject(error);
    else resolve();
  });
  await promise;
}

function entry(name: string, facts: Partial<Header>): Partial<Header> & { name: string } {
  return { name, ...facts, mtime: MODIFIED_AT, uid: 0, gid: 0, uname: 'root', gname: 'root' };
}
