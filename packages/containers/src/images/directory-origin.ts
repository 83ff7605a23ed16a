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
import { SharedWork } from '../shared-work.ts';

/** Takes images from a directory; their names cannot lead out of it. */
export function directoryOrigin(directory: string, limits: ExtractLimits): ImageOrigin {
  const archives = new UnpackedArchives(limits);
  return {
    async find(reference, options) {
      const archive = await archiveOf(directory, reference);
      if (archive !== undefined) return await archives.find(archive, reference, options);
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

/** Archives that are unpacked, each once for all who need it at the same time. */
class UnpackedArchives {
  readonly #limits: ExtractLimits;
  readonly #open = new Map<string, { readonly image: FoundImage; users: number }>();
  readonly #unpacking = new SharedWork<void>();

  constructor(limits: ExtractLimits) {
    this.#limits = limits;
  }

  async find(
    archive: string,
    reference: ImageReference,
    options: OriginOptions,
  ): Promise<FoundImage> {
    // Another archive may be put in its place.
    const { mtimeMs } = await lstat(archive);
    const key = `${archive} ${mtimeMs}`;
    if (!this.#open.has(key))
      await this.#unpacking.run(
        key,
        async (signal) => {
          const image = await unpacked(archive, reference, {
            ...options,
            signal,
            limits: this.#limits,
          });
          this.#open.set(key, { image, users: 0 });
        },
        options.signal,
      );
    const open = this.#open.get(key);
    if (open === undefined) throw failed(`the archive ${archive} was put away meanwhile`);
    open.users += 1;
    const close = async (): Promise<void> => {
      open.users -= 1;
      if (open.users > 0) return;
      this.#open.delete(key);
      await open.image.close();
    };
    return { ...open.image, close };
  }
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
    // Archives of newer engines are both.
    const found =
      (await findInSavedArchive(directory, reference)) ??
      (await findInLayout(directory, reference, { isOfOneName: true }));
    signal.throwIfAborted();
    return { ...found, close: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function failed(message: string): Error {
  return containerError('CONTAINER_LAUNCH_FAILED', message);
}
