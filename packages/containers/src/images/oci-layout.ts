/**
 * OCI layouts: a directory with the file `oci-layout`, `index.json` that names images, and blobs under their digests.
 * An entry of the index is called by its annotation `org.opencontainers.image.ref.name`, a tag or a whole name, or by
 * containerd's `io.containerd.image.name`. Source: OCI image specification, "image layout".
 *
 * Invariant: manifests and configurations have the digests that led to them; layers are verified when they are unpacked.
 */

import { createHash } from 'node:crypto';
import { lstat, open, stat, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { containerError } from '../errors.ts';
import type { FoundImage } from './image-origin.ts';
import {
  hostPlatform,
  MANIFEST_BYTES_MAX,
  parseImageDocument,
  parseIndexEntries,
  parseManifest,
  type IndexEntry,
} from './manifest.ts';
import type { ImageReference } from './reference.ts';

const NAMES = ['org.opencontainers.image.ref.name', 'io.containerd.image.name'];

/** True for a directory that says that it is one. */
export async function isLayout(directory: string): Promise<boolean> {
  const stats = await lstat(join(directory, 'oci-layout')).catch(() => undefined);
  return stats?.isFile() === true;
}

/**
 * Finds the image. Throws CONTAINER_LAUNCH_FAILED when it is not there.
 * @param isOfOneName All images of the layout have the name that is looked for: only tags tell them apart.
 */
export async function findInLayout(
  directory: string,
  reference: ImageReference,
  { isOfOneName }: { readonly isOfOneName: boolean },
): Promise<FoundImage> {
  const platform = hostPlatform(process.arch);
  let { bytes, digest } = await namedManifest(directory, reference, isOfOneName);
  let manifest = parseManifest(bytes, platform);
  if (manifest.kind === 'index') {
    ({ digest } = manifest.chosen);
    bytes = await smallBlob(directory, digest);
    manifest = parseManifest(bytes, platform);
  }
  if (manifest.kind === 'index') throw failed('an index leads to another index');
  const { config, layers } = manifest;
  return {
    digest,
    async document() {
      const document = parseImageDocument(await smallBlob(directory, config.digest));
      if (document.diffIds.length !== layers.length)
        throw failed('manifest and configuration name different numbers of layers');
      return document;
    },
    async layer(index, path) {
      const blob = layers[index];
      if (blob === undefined) throw failed(`there is no layer ${index}`);
      const found = resolve(blobPath(directory, blob.digest));
      if ((await stat(found).catch(() => undefined))?.isFile() !== true)
        throw failed(`there is no ${found}`);
      // The layout may be on another disk, and is only read.
      await symlink(found, path);
    },
    async close() {
      await Promise.resolve();
    },
  };
}

interface Named {
  readonly bytes: Uint8Array;
  readonly digest: string;
}

/** The manifest or index of the image. */
async function namedManifest(
  directory: string,
  { registry, repository, tag, digest }: ImageReference,
  isOfOneName: boolean,
): Promise<Named> {
  if (digest !== undefined) return { bytes: await smallBlob(directory, digest), digest };
  const index = await smallFile(join(directory, 'index.json'));
  const entries = parseIndexEntries(index);
  const short = repository.replace(/^library\//, '');
  const names = new Set([short, repository, `${registry}/${repository}`].map((n) => `${n}:${tag}`));
  if (isOfOneName) names.add(tag ?? '');
  const found = entries.find((entry) => namesOf(entry).some((name) => names.has(name)));
  if (found !== undefined)
    return { bytes: await smallBlob(directory, found.digest), digest: found.digest };
  // Without any names the index is the image's own.
  if (isOfOneName && entries.every((entry) => namesOf(entry).length === 0))
    return {
      bytes: index,
      digest: `sha256:${createHash('sha256').update(index).digest('hex')}`,
    };
  throw failed(`there is no image '${short}:${tag}' in the layout ${directory}`);
}

function namesOf({ annotations }: IndexEntry): readonly string[] {
  return NAMES.flatMap((name) => annotations.get(name) ?? []);
}

function blobPath(directory: string, digest: string): string {
  return join(directory, 'blobs', ...digest.split(':'));
}

async function smallBlob(directory: string, digest: string): Promise<Uint8Array> {
  const bytes = await smallFile(blobPath(directory, digest));
  if (`sha256:${createHash('sha256').update(bytes).digest('hex')}` !== digest)
    throw failed(`the blob ${digest} is damaged`);
  return bytes;
}

async function smallFile(path: string): Promise<Uint8Array> {
  const file = await open(path).catch((error: unknown) => {
    throw failed(`there is no ${path}`, error);
  });
  try {
    const { size } = await file.stat();
    if (size > MANIFEST_BYTES_MAX) throw failed(`${path} is too long`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

function failed(message: string, cause?: unknown): Error {
  return containerError('CONTAINER_LAUNCH_FAILED', message, cause);
}
