/** What is in an archive of `docker save` that was unpacked: `manifest.json` names the parts of each image. */

import { createHash } from 'node:crypto';
import { link, lstat, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { containerError } from '../errors.ts';
import type { FoundImage } from './image-origin.ts';
import { MANIFEST_BYTES_MAX, parseImageDocument } from './manifest.ts';
import type { ImageReference } from './reference.ts';

const MANIFEST = 'manifest.json';

/** Finds the image; undefined when that is no such archive. Throws CONTAINER_LAUNCH_FAILED. */
export async function findInSavedArchive(
  unpacked: string,
  { repository, tag }: ImageReference,
): Promise<FoundImage | undefined> {
  const stats = await lstat(join(unpacked, MANIFEST)).catch(() => undefined);
  if (stats === undefined) return undefined;
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
      await Promise.resolve();
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

function failed(message: string): Error {
  return containerError('CONTAINER_LAUNCH_FAILED', message);
}
