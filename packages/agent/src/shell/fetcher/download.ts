/** Brings a file from where it is to a path, whole or not at all. */

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { checkFreeSpace, SPACE_CHECK_BYTES } from '@dcos/containers';
import type { ParsedUri } from './uri-source.ts';

export interface ObtainOptions {
  readonly path: string;
  readonly signal: AbortSignal;
  /** A server that sends nothing for that long is given up. */
  readonly stallTimeoutMs: number;
  /** Free space that must be left on the disk. */
  readonly freeBytesMin: number;
  /** Called with the number of bytes that the file has at least, before they are written. May throw. */
  readonly onSize?: (bytes: number) => void;
}

/** Copies or downloads. On an error nothing is left at the path. Resolves with the number of bytes. */
export async function obtain(
  { source, checksum }: ParsedUri,
  options: ObtainOptions,
): Promise<number> {
  const { path, signal, onSize, freeBytesMin } = options;
  const hash = createHash('sha256');
  let bytes = 0;
  let unchecked = 0;
  const counting = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      onSize?.(bytes);
      if (checksum !== undefined) hash.update(chunk);
      unchecked += chunk.length;
      if (unchecked >= SPACE_CHECK_BYTES) {
        unchecked = 0;
        await checkFreeSpace(dirname(path), freeBytesMin);
      }
      yield chunk;
    }
  };
  try {
    const onKnownSize = async (size: number): Promise<void> => {
      onSize?.(size);
      await checkFreeSpace(dirname(path), freeBytesMin, size);
    };
    if (source.kind === 'http') await download(source.url, options, { onKnownSize, counting });
    else {
      const { size } = await fileStats(source.path);
      await onKnownSize(size);
      await pipeline(createReadStream(source.path), counting, newFile(path), { signal });
    }
    const found = checksum === undefined ? undefined : hash.digest('hex');
    if (found !== checksum) throw new Error(`its SHA-256 is ${found ?? ''}, not ${checksum ?? ''}`);
    return bytes;
  } catch (error) {
    await rm(path, { force: true });
    signal.throwIfAborted();
    throw error;
  }
}

async function fileStats(path: string): Promise<{ readonly size: number }> {
  const stats = await stat(path);
  if (!stats.isFile()) throw new Error('it is not a file');
  return stats;
}

/** Nothing that is there already is written to. */
function newFile(path: string): WriteStream {
  return createWriteStream(path, { flags: 'wx' });
}

async function download(
  url: URL,
  { path, signal, stallTimeoutMs }: ObtainOptions,
  {
    onKnownSize,
    counting,
  }: {
    readonly onKnownSize: (bytes: number) => Promise<void>;
    readonly counting: (chunks: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array>;
  },
): Promise<void> {
  const stalled = new AbortController();
  const giveUp = (): void =>
    stalled.abort(new Error(`the server sent nothing for ${stallTimeoutMs / 1000} seconds`));
  const timer = setTimeout(giveUp, stallTimeoutMs);
  const either = AbortSignal.any([signal, stalled.signal]);
  try {
    const { address, headers } = withoutCredentials(url);
    // At most 20 redirects; to other hosts credentials are not sent along.
    const response = await fetch(address, { headers, signal: either, redirect: 'follow' });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new Error(`the server answered ${response.status} ${response.statusText}`);
    }
    const length = Number(response.headers.get('content-length') ?? 0);
    if (length > 0 && response.headers.get('content-encoding') === null) await onKnownSize(length);
    const watched = async function* (
      chunks: AsyncIterable<Uint8Array>,
    ): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        timer.refresh();
        yield chunk;
      }
    };
    const body = Readable.fromWeb(response.body);
    await pipeline(body, watched, counting, newFile(path), { signal: either });
  } catch (error) {
    stalled.signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** `fetch` takes no address with credentials in it. */
function withoutCredentials(url: URL): {
  readonly address: URL;
  readonly headers: Readonly<Record<string, string>>;
} {
  if (url.username === '' && url.password === '') return { address: url, headers: {} };
  const pair = [url.username, url.password].map(decodeURIComponent).join(':');
  const address = new URL(url);
  address.username = '';
  address.password = '';
  const authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
  return { address, headers: { authorization } };
}
