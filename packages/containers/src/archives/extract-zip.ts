/**
 * Unpacks a zip file below a directory, by the same rules as tar archives. Owners are not kept: zip files of most
 * makers have none. Sizes and checksums are verified; encrypted entries are refused.
 */

import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import type { ExtractOptions } from './extract-tar.ts';
import { TreeWriter, type EntryHeader } from './tree-writer.ts';

/** The upper half of a zip entry's attributes is the mode when the archive was made on Unix. */
const UNIX = 3;
const FILE_TYPE_MASK = 0o170_000;
const TYPES: Readonly<Record<number, EntryHeader['type']>> = {
  0o040_000: 'directory',
  0o100_000: 'file',
  0o120_000: 'symlink',
};
/** A path that the kernel takes. */
const LINK_BYTES_MAX = 4_096;

/** Unpacks everything. Throws an error that names the entry. */
export async function extractZip(path: string, options: ExtractOptions): Promise<void> {
  const { signal } = options;
  const writer = new TreeWriter(options);
  const zip = await openPromise(path, { autoClose: false });
  try {
    signal?.throwIfAborted();
    await writer.checkSpace();
    for await (const entry of zip.eachEntry()) {
      signal?.throwIfAborted();
      await takeEntry(writer, zip, entry, signal);
    }
    await writer.finish();
  } finally {
    zip.close();
  }
}

async function takeEntry(
  writer: TreeWriter,
  zip: ZipFile,
  entry: Entry,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { fileName } = entry;
  if (entry.isEncrypted()) throw new Error(`archive entry '${fileName}' is encrypted`);
  const type = typeOf(entry);
  const mode = modeOf(entry);
  const header: EntryHeader = {
    name: fileName,
    type,
    mtime: entry.getLastModDate(),
    size: type === 'file' ? entry.uncompressedSize : 0,
    // Archives that were made elsewhere have no modes.
    ...(mode !== 0 && { mode: mode & 0o7777 }),
  };
  if (type === 'directory') {
    await writer.write(header, nothing());
    return;
  }
  if (type === 'symlink' && entry.uncompressedSize > LINK_BYTES_MAX)
    throw new Error(`archive entry '${fileName}' is a link of ${entry.uncompressedSize} bytes`);
  const content = await zip.openReadStreamPromise(entry);
  const stop = (): void => void content.destroy(signal?.reason as Error);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    if (type === 'symlink')
      await writer.write({ ...header, linkname: await textOf(content) }, nothing());
    else await writer.write(header, verified(content, entry));
  } finally {
    signal?.removeEventListener('abort', stop);
    content.destroy();
  }
}

function modeOf({ versionMadeBy, externalFileAttributes }: Entry): number {
  return versionMadeBy >> 8 === UNIX ? externalFileAttributes >>> 16 : 0;
}

/** Of kinds that a zip file can tell and that are none of these the writer hears, and refuses them. */
function typeOf(entry: Entry): EntryHeader['type'] {
  if (entry.fileName.endsWith('/')) return 'directory';
  const kind = modeOf(entry) & FILE_TYPE_MASK;
  return kind === 0 ? 'file' : (TYPES[kind] ?? 'character-device');
}

/** yauzl compares sizes, not checksums. */
async function* verified(content: Readable, entry: Entry): AsyncGenerator<Uint8Array, void> {
  let sum = 0;
  for await (const chunk of content as AsyncIterable<Uint8Array>) {
    sum = crc32(chunk, sum);
    yield chunk;
  }
  if (sum !== entry.crc32) throw new Error('it is damaged: its checksum is another one');
}

async function textOf(content: Readable): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function* nothing(): AsyncGenerator<Uint8Array, void> {
  // Entries without contents.
}
