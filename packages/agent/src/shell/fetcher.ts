/**
 * Brings a task's files into its sandbox before it starts: from a path on this host or over HTTP, made
 * executable or unpacked as asked. One after the other; the first failure is the task's failure.
 * Source: mesos-kernel §6.7. Differences: no cache yet, no FTP or Hadoop.
 */

import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, stat } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { OperationError } from '@dcos/base';
import type { CommandInfo_URI } from '@dcos/wire';

const run = promisify(execFile);

/** A download that sends nothing for that long is given up. */
const STALL_TIMEOUT_MS = 60_000;
/** Files of one task. */
const URIS_MAX = 256;

export interface FetchOptions {
  readonly uris: readonly CommandInfo_URI[];
  readonly sandboxPath: string;
  readonly abort: AbortSignal;
}

/** Fetches everything. Throws FETCH_FAILED with the URI and the reason. */
export async function fetchUris(options: FetchOptions): Promise<void> {
  if (options.uris.length > URIS_MAX) {
    throw new OperationError(
      'FETCH_FAILED',
      `${options.uris.length} URIs exceed the limit of ${URIS_MAX}`,
    );
  }
  for (const uri of options.uris) {
    try {
      await fetchOne(uri, options);
    } catch (error) {
      throw new OperationError('FETCH_FAILED', `Failed to fetch '${uri.value}'`, { cause: error });
    }
  }
}

async function fetchOne(uri: CommandInfo_URI, { sandboxPath, abort }: FetchOptions): Promise<void> {
  const source = sourceOf(uri.value);
  const name =
    uri.output_file ?? basename(source.kind === 'file' ? source.path : source.url.pathname);
  const target = targetIn(sandboxPath, name);
  await mkdir(dirname(target), { recursive: true });
  if (source.kind === 'file') await copyFile(source.path, target);
  else await download(source.url, target, abort);
  if (uri.executable === true) {
    await chmod(target, 0o755);
  } else if (uri.extract ?? true) {
    await extract(target, sandboxPath, abort);
  }
}

type Source =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'http'; readonly url: URL };

function sourceOf(value: string): Source {
  if (value.startsWith('/')) return { kind: 'file', path: value };
  if (!URL.canParse(value)) throw new Error('relative paths are not supported');
  const url = new URL(value);
  if (url.protocol === 'file:') return { kind: 'file', path: fileURLToPath(url) };
  if (url.protocol === 'http:' || url.protocol === 'https:') return { kind: 'http', url };
  throw new Error(`scheme '${url.protocol.slice(0, -1)}' is not supported`);
}

/** A path below the sandbox; the task's description must not reach outside. */
function targetIn(sandboxPath: string, name: string): string {
  const target = resolve(sandboxPath, name);
  const inside = relative(sandboxPath, target);
  if (inside === '' || inside.startsWith('..') || name.startsWith('/')) {
    throw new Error(`'${name}' is no file name inside the sandbox`);
  }
  return target;
}

async function download(url: URL, target: string, abort: AbortSignal): Promise<void> {
  const stalled = new AbortController();
  let timer = setTimeout(
    () => stalled.abort(new Error('the server stopped sending')),
    STALL_TIMEOUT_MS,
  );
  try {
    const signal = AbortSignal.any([abort, stalled.signal]);
    const response = await fetch(url, { signal, redirect: 'follow' });
    if (!response.ok || response.body === null) {
      throw new Error(`the server answered ${response.status} ${response.statusText}`);
    }
    const body = Readable.fromWeb(response.body);
    body.on('data', () => (timer = timer.refresh()));
    await pipeline(body, createWriteStream(target), { signal });
  } finally {
    clearTimeout(timer);
  }
}

/** Argument vectors by file name; the archive stays beside its contents. */
const EXTRACTORS: readonly {
  readonly pattern: RegExp;
  readonly vector: (file: string, directory: string) => readonly [string, ...string[]];
}[] = [
  {
    pattern: /\.(tar|tar\.gz|tgz|tar\.bz2|tbz2|tar\.xz|txz)$/,
    vector: (file, directory) => ['tar', '-C', directory, '-xf', file],
  },
  { pattern: /\.zip$/, vector: (file, directory) => ['unzip', '-o', '-q', '-d', directory, file] },
  { pattern: /\.gz$/, vector: (file) => ['gzip', '-d', '-k', '-f', file] },
];

async function extract(file: string, directory: string, signal: AbortSignal): Promise<void> {
  const extractor = EXTRACTORS.find(({ pattern }) => pattern.test(file));
  if (extractor === undefined) return;
  const [program, ...vector] = extractor.vector(join(file), directory);
  await run(program, vector, { signal });
  await stat(directory);
}
