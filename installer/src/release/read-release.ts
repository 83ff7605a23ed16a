/**
 * Reads the archive of a release. Nothing of it is believed before the signature of its manifest is that of a trusted
 * key, and no file before its bytes have the size and the SHA-256 that the manifest gives. Extraction creates
 * the files of the manifest and nothing else: no links, no devices, no path that leads out of the folder.
 */

import { createHash, verify, type KeyObject } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { errorText, operationErrorCode } from '@dcos/base';
import { extract, type Extract } from 'tar-stream';
import { releaseError } from './errors.ts';
import {
  foldersOf,
  MANIFEST_BYTES_MAX,
  MANIFEST_PATH,
  parseManifest,
  SIGNATURE_PATH,
  type Manifest,
  type ManifestFile,
} from './manifest.ts';

const SIGNATURE_BYTES = 64;
const FOLDER_MODE = 0o755;

export interface ReadOptions {
  /** Public keys, Ed25519; one of them must have signed. */
  readonly trustedKeys: readonly KeyObject[];
}

type Entry = Extract extends AsyncIterable<infer E> ? E : never;
type Take = (file: ManifestFile, content: AsyncIterable<Uint8Array>) => Promise<void>;

/**
 * Checks a whole release.
 * @throws OperationError with a code of `errors.ts`
 */
export async function verifyRelease(archivePath: string, options: ReadOptions): Promise<Manifest> {
  return await readRelease(archivePath, options, {
    begin: async () => undefined,
    take: async (_file, content) => {
      for await (const _chunk of content);
    },
  });
}

/**
 * Extracts a release into a folder that is not there yet. The folder appears when all of it is checked, and not before.
 * @throws OperationError with a code of `errors.ts`
 */
export async function extractRelease(
  archivePath: string,
  target: string,
  options: ReadOptions,
): Promise<Manifest> {
  const partial = `${target}.partial-${process.pid}`;
  const folders = new Set<string>();
  try {
    const manifest = await readRelease(archivePath, options, {
      begin: async (bytes, signature) => {
        await onTarget(target, () => makeFolder(partial));
        await writeNew(join(partial, MANIFEST_PATH), 0o644, [bytes]);
        await writeNew(join(partial, SIGNATURE_PATH), 0o644, [signature]);
      },
      take: async ({ path, mode }, content) => {
        for (const folder of foldersOf(path)) {
          if (!folders.has(folder)) await makeFolder(join(partial, folder));
          folders.add(folder);
        }
        await writeNew(join(partial, path), Number.parseInt(mode, 8), content);
      },
    });
    // Renaming onto an empty folder would succeed.
    await onTarget(target, () => mkdir(target));
    await onTarget(target, () => rename(partial, target));
    return manifest;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

interface Visitor {
  readonly begin: (manifest: Uint8Array, signature: Uint8Array) => Promise<void>;
  readonly take: Take;
}

async function readRelease(
  archivePath: string,
  options: ReadOptions,
  visitor: Visitor,
): Promise<Manifest> {
  const tar = extract();
  // Its failure is that of the loop below.
  pipeline(createReadStream(archivePath), createGunzip(), tar, () => undefined);
  const entries = tar[Symbol.asyncIterator]();
  try {
    const bytes = await readSmall(entries, MANIFEST_PATH, MANIFEST_BYTES_MAX);
    const signature = await readSmall(entries, SIGNATURE_PATH, SIGNATURE_BYTES);
    const manifest = trusted(archivePath, { bytes, signature }, options.trustedKeys);
    await visitor.begin(bytes, signature);
    await readFiles(entries, manifest, visitor.take);
    return manifest;
  } catch (error) {
    if (operationErrorCode(error) !== undefined) throw error;
    throw releaseError('RELEASE_UNREADABLE', `${archivePath} cannot be read`, error);
  } finally {
    tar.destroy();
  }
}

async function readSmall(
  entries: AsyncIterator<Entry>,
  path: string,
  bytesMax: number,
): Promise<Buffer> {
  const { value, done } = await entries.next();
  const { name, type, size = 0 } = done === true ? {} : value.header;
  if (name !== path || type !== 'file' || size > bytesMax) {
    throw releaseError('RELEASE_UNREADABLE', `it is no release: ${path} is not where it must be`);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of value as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function trusted(
  archivePath: string,
  { bytes, signature }: { readonly bytes: Buffer; readonly signature: Buffer },
  keys: readonly KeyObject[],
): Manifest {
  if (!keys.some((key) => verify(null, bytes, key, signature))) {
    throw releaseError(
      'RELEASE_UNTRUSTED',
      `${archivePath}: ${SIGNATURE_PATH} is not of a trusted key: the archive was changed, or the public key is not that of its maker`,
    );
  }
  const parsed = parseManifest(bytes.toString());
  if (parsed.ok) return parsed.value;
  throw releaseError('RELEASE_UNREADABLE', `${archivePath}: ${MANIFEST_PATH}: ${parsed.error}`);
}

/** The files come in the manifest's order, folders before what is in them. */
async function readFiles(
  entries: AsyncIterator<Entry>,
  manifest: Manifest,
  take: Take,
): Promise<void> {
  const folders = new Set(manifest.files.flatMap(({ path }) => foldersOf(path)));
  let next = 0;
  for (;;) {
    const { value, done } = await entries.next();
    if (done === true) break;
    const { name, type } = value.header;
    if (type === 'directory' && folders.has(name.replace(/\/$/, ''))) {
      value.resume();
      continue;
    }
    const file = manifest.files[next];
    if (type !== 'file' || name !== file?.path) {
      throw releaseError(
        'RELEASE_DAMAGED',
        `${name} (${type}) is in the archive where ${file?.path ?? 'its end'} should be`,
      );
    }
    await take(file, checked(file, value as AsyncIterable<Uint8Array>));
    next += 1;
  }
  const missing = manifest.files[next];
  if (missing !== undefined)
    throw releaseError('RELEASE_DAMAGED', `${missing.path} is missing in the archive`);
}

async function* checked(
  { path, sizeBytes, sha256 }: ManifestFile,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let seenBytes = 0;
  for await (const chunk of content) {
    seenBytes += chunk.byteLength;
    if (seenBytes > sizeBytes) break;
    hash.update(chunk);
    yield chunk;
  }
  if (seenBytes !== sizeBytes || hash.digest('hex') !== sha256)
    throw releaseError('RELEASE_DAMAGED', `${path} is not what ${MANIFEST_PATH} says`);
}

/** Here and below the umask has no say: services of other users read what is made. */
async function makeFolder(path: string): Promise<void> {
  await mkdir(path);
  await chmod(path, FOLDER_MODE);
}

async function writeNew(
  path: string,
  mode: number,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    for await (const chunk of content) await file.writeFile(chunk);
    await file.chmod(mode);
  } finally {
    await file.close();
  }
}

async function onTarget(target: string, act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    throw releaseError('RELEASE_TARGET', `${target} cannot be made: ${errorText(error)}`, error);
  }
}
