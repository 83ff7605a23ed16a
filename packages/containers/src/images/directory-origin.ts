/**
 * Images in a directory: archives as `docker save` writes them, `<path>:<tag>.tar`, OCI layouts packed the same way, and
 * OCI layouts as directories `<path>:<tag>` or `<path>`, which may have several tags; or the directory is a layout itself.
 * Paths are those of images, with or without the registry and `library/` in front; `:latest` may be left out.
 * Source: mesos-kernel §6.5, `--docker_registry` as a directory; layouts are ours.
 */

import { lstat, mkdir, rm } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { extractTar } from '../archives/extract-tar.ts';
import type { ExtractLimits } from '../archives/tree-writer.ts';
import { containerError } from '../errors.ts';
import type { FoundImage, ImageOrigin, OriginOptions } from './image-origin.ts';
import { findInLayout, isLayout } from './oci-layout.ts';
import type { ImageReference } from './reference.ts';
import { findInSavedArchive } from './saved-archive.ts';

/** Takes images from a directory; their names cannot lead out of it. */
export function directoryOrigin(directory: string, limits: ExtractLimits): ImageOrigin {
  return {
    async find(reference, options) {
      const archive = await archiveOf(directory, reference);
      if (archive !== undefined) return await unpacked(archive, reference, { ...options, limits });
      for (const name of namesOf(reference)) {
        const path = join(directory, name);
        if (await isLayout(path)) return await findInLayout(path, reference, { isOfOneName: true });
      }
      if (await isLayout(directory))
        return await findInLayout(directory, reference, { isOfOneName: false });
      const { repository, tag, digest } = reference;
      const short = repository.replace(/^library\//, '');
      throw failed(
        digest === undefined
          ? `there is no archive '${short}:${tag}.tar' and no layout '${short}' in ${directory}`
          : `there is no layout '${short}' in ${directory}; images in archives have no digests`,
      );
    },
  };
}

/** What an image may be called in the directory, with its tag first. */
function namesOf({ registry, repository, tag }: ImageReference): readonly string[] {
  const short = repository.replace(/^library\//, '');
  const names = [`${registry}/${repository}`, repository, short];
  return [...(tag === undefined ? [] : names.map((name) => `${name}:${tag}`)), ...names];
}

async function archiveOf(
  directory: string,
  reference: ImageReference,
): Promise<string | undefined> {
  const { tag, digest } = reference;
  if (digest !== undefined) return undefined;
  for (const name of namesOf(reference)) {
    if (!name.endsWith(`:${tag}`) && tag !== 'latest') continue;
    const path = join(directory, `${name}.tar`);
    if ((await lstat(path).catch(() => undefined))?.isFile() === true) return path;
  }
  return undefined;
}

async function unpacked(
  archive: string,
  reference: ImageReference,
  { temporaryPath, signal, limits }: OriginOptions & { readonly limits: ExtractLimits },
): Promise<FoundImage> {
  const directory = temporaryPath();
  const remove = async (): Promise<void> => await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { mode: 0o700 });
  try {
    const source = createReadStream(archive);
    await extractTar(source, { directory, isRootFs: false, signal, ...limits });
    signal.throwIfAborted();
    // Archives of newer engines are both.
    const found =
      (await findInSavedArchive(directory, reference)) ??
      (await findInLayout(directory, reference, { isOfOneName: true }));
    return { ...found, close: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function failed(message: string): Error {
  return containerError('CONTAINER_LAUNCH_FAILED', message);
}
