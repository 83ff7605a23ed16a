/**
 * Images in a directory of archives as `docker save` writes them, one for each image: `<path>:<tag>.tar`, with or
 * without the registry and `library/` in front, and without the tag where it is `latest`.
 * Source: mesos-kernel §6.5, `--docker_registry` as a directory.
 */

import { createHash } from 'node:crypto';
import { link, lstat, mkdir, readFile, realpath, rm } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { ExtractLimits } from '../archives/tree-writer.ts';
import { extractTar } from '../archives/extract-tar.ts';
import { containerError } from '../errors.ts';
import type { FoundImage, ImageOrigin, OriginOptions } from './image-origin.ts';
import { MANIFEST_BYTES_MAX, parseImageDocument } from './manifest.ts';
import type { ImageReference } from './reference.ts';

/** Files of the archive that say what is in it. */
const MANIFEST = 'manifest.json';

/** Takes images from a directory; its names cannot lead out of it. */
export function archiveOrigin(directory: string, limits: ExtractLimits): ImageOrigin {
  return {
    async find(reference, options) {
      const archive = await archiveOf(directory, reference);
      const unpacked = options.temporaryPath();
      await mkdir(unpacked, { mode: 0o700 });
      try {
        const source = createReadStream(archive);
        await extractTar(source, {
          directory: unpacked,
          isRootFs: false,
          signal: options.signal,
          ...limits,
        });
        return await foundIn(unpacked, reference, options);
      } catch (error) {
        await rm(unpacked, { recursive: true, force: true });
        throw error;
      }
    },
  };
}

async function archiveOf(directory: string, reference: ImageReference): Promise<string> {
  const { registry, repository, tag } = reference;
  if (tag === undefined)
    throw failed('images in archives have tags and no digests', 'CONTAINER_INVALID');
  const short = repository.replace(/^library\//, '');
  const names = [`${registry}/${repository}`, repository, short].flatMap((name) =>
    tag === 'latest' ? [`${name}:${tag}`, name] : [`${name}:${tag}`],
  );
  for (const name of names) {
    const path = join(directory, `${name}.tar`);
    if ((await lstat(path).catch(() => undefined))?.isFile() === true) return path;
  }
  throw failed(`there is no archive '${short}:${tag}.tar' in ${directory}`);
}

async function foundIn(
  unpacked: string,
  { repository, tag }: ImageReference,
  { signal }: OriginOptions,
): Promise<FoundImage> {
  signal.throwIfAborted();
  const text = await smallFile(unpacked, MANIFEST);
  const entries: unknown = JSON.parse(text.toString('utf8'));
  const list = Array.isArray(entries) ? (entries as readonly Entry[]) : [];
  const short = repository.replace(/^library\//, '');
  // An archive may hold several; one that holds a single image holds the one that its file is named after.
  const entry =
    list.length === 1
      ? list[0]
      : list.find(({ RepoTags }) => RepoTags?.includes(`${short}:${tag}`));
  const { Config: config, Layers: layers } = entry ?? {};
  if (typeof config !== 'string' || !Array.isArray(layers))
    throw failed(`the archive's ${MANIFEST} does not name the image`);
  const configuration = await smallFile(unpacked, config);
  const document = parseImageDocument(configuration);
  if (document.diffIds.length !== layers.length)
    throw failed(`${MANIFEST} and configuration name different numbers of layers`);
  return {
    digest: `sha256:${createHash('sha256').update(configuration).digest('hex')}`,
    document: async () => await Promise.resolve(document),
    async layer(index, path) {
      await link(await inside(unpacked, layers[index]), path);
    },
    async close() {
      await rm(unpacked, { recursive: true, force: true });
    },
  };
}

/** An entry of `manifest.json`; none of it is certain. */
interface Entry {
  readonly Config?: unknown;
  readonly RepoTags?: readonly unknown[];
  readonly Layers?: readonly unknown[];
}

async function smallFile(directory: string, name: string): Promise<Buffer> {
  const path = await inside(directory, name);
  const { size } = await lstat(path);
  if (size > MANIFEST_BYTES_MAX) throw failed(`'${name}' of the archive is too long`);
  return await readFile(path);
}

/** Layers may be links to one another; neither they nor a name may lead out. */
async function inside(directory: string, name: unknown): Promise<string> {
  if (typeof name !== 'string') throw failed('the archive names no file');
  const path = await realpath(join(directory, name));
  if (!path.startsWith(`${await realpath(directory)}/`))
    throw failed('the archive names a file outside of it');
  return path;
}

function failed(
  message: string,
  code: 'CONTAINER_LAUNCH_FAILED' | 'CONTAINER_INVALID' = 'CONTAINER_LAUNCH_FAILED',
): Error {
  return containerError(code, message);
}
