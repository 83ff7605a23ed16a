/** Unpacks a tar stream below a directory; what is made there, and what is refused, is the matter of `tree-writer.ts`. */

import type { Readable } from 'node:stream';
import { extract, type Extract } from 'tar-stream';
import { TreeWriter, type TreeOptions } from './tree-writer.ts';

export interface ExtractOptions extends TreeOptions {
  readonly signal?: AbortSignal;
}

type Entry = Extract extends AsyncIterable<infer E> ? E : never;

/** Unpacks everything. Throws an error that names the entry. */
export async function extractTar(source: Readable, options: ExtractOptions): Promise<void> {
  const tar = extract();
  const writer = new TreeWriter(options);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // It may fail before it is waited for; whoever waits then gets the failure.
  promise.catch(() => undefined);
  const stop = (error: unknown): void => {
    reject(error);
    tar.destroy(error instanceof Error ? error : new Error(String(error)));
  };
  const onAbort = (): void => stop(options.signal?.reason);
  tar.on('error', reject);
  tar.on('finish', resolve);
  tar.on('close', () => reject(new Error('the archive broke off')));
  tar.on('entry', (_header, stream, proceed) => {
    // Its failure is that of the whole archive, which is told there.
    stream.on('error', () => undefined);
    takeEntry(writer, stream).then(() => proceed(), stop);
  });
  source.on('error', stop);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    options.signal?.throwIfAborted();
    await writer.checkSpace();
    source.pipe(tar);
    await promise;
    await writer.finish();
  } finally {
    options.signal?.removeEventListener('abort', onAbort);
    source.unpipe(tar);
    source.destroy();
    tar.destroy();
  }
}

async function takeEntry(writer: TreeWriter, entry: Entry): Promise<void> {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  entry.on('close', resolve);
  await writer.write(entry.header, entry as AsyncIterable<Uint8Array>);
  entry.resume();
  await closed;
}
