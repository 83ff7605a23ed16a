/**
 * Unpacks what task descriptions call an archive, by the name of the file: tar plain or packed, zip, and single files
 * packed with gzip. Source: mesos-kernel §6.7; zstd is ours.
 */

import { basename } from 'node:path';
import { decompressed } from './decompress.ts';
import { extractTar, type ExtractOptions } from './extract-tar.ts';
import { extractZip } from './extract-zip.ts';
import { TreeWriter } from './tree-writer.ts';

const TAR = /\.(?:tar|tar\.gz|tgz|tar\.bz2|tbz2|tar\.xz|txz|tar\.zst)$/;
const GZIP = /\.gz$/;
const ZIP = /\.zip$/;

/** Whether a file of that name is unpacked. */
export function isArchiveName(name: string): boolean {
  return TAR.test(name) || ZIP.test(name) || GZIP.test(name);
}

/**
 * Unpacks a file into a directory.
 * @param name What the file is called, if it lies elsewhere under another name.
 */
export async function extractArchive(
  path: string,
  options: ExtractOptions,
  name: string = basename(path),
): Promise<void> {
  if (ZIP.test(name)) {
    await extractZip(path, options);
    return;
  }
  const source = await decompressed(path);
  if (TAR.test(name)) {
    await extractTar(source, options);
    return;
  }
  const stop = (): void => void source.destroy(options.signal?.reason as Error);
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    options.signal?.throwIfAborted();
    const writer = new TreeWriter(options);
    await writer.checkSpace();
    await writer.write({ name: name.replace(GZIP, ''), type: 'file' }, source);
  } finally {
    options.signal?.removeEventListener('abort', stop);
    source.destroy();
  }
}
