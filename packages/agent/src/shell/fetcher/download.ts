/** Brings a file from where it is to a path, whole or not at all. */

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ParsedUri } from './uri-source.ts';

export interface ObtainOptions {
  readonly path: string;
  readonly signal: AbortSignal;
  /** A server that sends nothing for that long is given up. */
  readonly stallTimeoutMs: number;
  /** Called with the number of bytes that the file has at least, before they are written. May throw. */
  readonly onSize?: (bytes: number) => void;
}

/** Copies or downloads. On an error nothing is left at the path. Resolves with the number of bytes. */
export async function obtain(
  { source, checksum }: ParsedUri,
  options: ObtainOptions,
): Promise<number> {
  const { path, signal, onSize } = options;
  const hash = createHash('sha256');
  let bytes = 0;
  const counting = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      bytes += chunk.length;
      try {
        onSize?.(bytes);
        if (checksum !== undefined) hash.update(chunk);
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
  });
  try {
    if (source.kind === 'http') await download(source.url, counting, options);
    else {
      const { size } = await fileStats(source.path);
      onSize?.(size);
      await pipeline(createReadStream(source.path), counting, createWriteStream(path), { signal });
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

async function download(
  url: URL,
  counting: Transform,
  { path, signal, stallTimeoutMs, onSize }: ObtainOptions,
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
    if (length > 0 && response.headers.get('content-encoding') === null) onSize?.(length);
    counting.on('data', () => timer.refresh());
    await pipeline(Readable.fromWeb(response.body), counting, createWriteStream(path), {
      signal: either,
    });
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
