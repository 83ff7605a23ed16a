/**
 * The files of the web UI: assets that never change under their name, the first page that always may.
 *
 * Invariants: only regular files inside the folder are served, symbolic links that lead out of it are
 * not; what is held compressed in memory is bounded.
 */

import { createReadStream } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { sendBody, sendProblem } from './answer.ts';

/** Bytes of compressed files kept in memory. */
export const COMPRESSED_BYTES_MAX = 32 * 2 ** 20;
/** Files larger than this are sent as they are. */
const COMPRESSIBLE_BYTES_MAX = 8 * 2 ** 20;

const TYPES: ReadonlyMap<string, string> = new Map([
  ['.css', 'text/css; charset=utf-8'],
  ['.html', 'text/html; charset=utf-8'],
  ['.ico', 'image/x-icon'],
  ['.jpg', 'image/jpeg'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.json', 'application/json'],
  ['.map', 'application/json'],
  ['.png', 'image/png'],
  ['.svg', 'image/svg+xml'],
  ['.txt', 'text/plain; charset=utf-8'],
  ['.webmanifest', 'application/manifest+json'],
  ['.woff2', 'font/woff2'],
]);
const COMPRESSIBLE = /^(text\/|application\/(json|manifest)|image\/svg)/;

/** The page does what it needs from its own origin; nobody puts it into a frame. */
const PAGE_HEADERS = {
  'x-frame-options': 'SAMEORIGIN',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
};

const NOT_BUILT = `<!doctype html><meta charset="utf-8"><title>The web UI is not built</title>
<style>body{font:16px/1.5 system-ui;margin:15vh auto;max-width:36rem;padding:0 1rem}code{background:#eee;padding:.1em .3em}</style>
<h1>The web UI is not built</h1>
<p>The cluster runs; only these pages are missing. Build them with <code>npx nx build ui</code> and reload.</p>
<p>The interfaces are there: <a href="/mesos/state-summary">/mesos/state-summary</a>,
<a href="/service/marathon/v2/apps">/service/marathon/v2/apps</a>,
<a href="/mesos_dns/v1/enumerate">/mesos_dns/v1/enumerate</a>.</p>
`;

interface Found {
  readonly path: string;
  readonly bytes: number;
  readonly etag: string;
}

export class UiFiles {
  readonly #directory: string | undefined;
  readonly #compressed = new Map<string, Buffer>();
  #compressedBytes = 0;

  constructor(directory: string | undefined) {
    this.#directory = directory;
  }

  /** Answers a request that no route took. */
  async serve(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      sendProblem(request, response, 404, `nothing is served at ${path}`);
      return;
    }
    const file = path === '/' ? undefined : await this.#find(path);
    if (file !== undefined) {
      await this.#send(request, response, file, cacheFor(path));
      return;
    }
    const wantsPage = path === '/' || /\btext\/html\b/.test(request.headers.accept ?? '');
    if (!wantsPage || path.startsWith('/assets/')) {
      sendProblem(request, response, 404, `nothing is served at ${path}`);
      return;
    }
    const page = await this.#find('/index.html');
    if (page !== undefined) {
      await this.#send(request, response, page, 'no-cache');
      return;
    }
    // Whoever asks only whether the cluster is there gets a yes.
    const status = request.method === 'HEAD' ? 200 : 503;
    sendBody(
      response,
      status,
      { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
      NOT_BUILT,
    );
  }

  async #find(path: string): Promise<Found | undefined> {
    if (this.#directory === undefined) return undefined;
    const decoded = decodedPath(path);
    if (decoded === undefined) return undefined;
    try {
      const root = await realpath(this.#directory);
      const real = await realpath(join(root, decoded));
      if (!real.startsWith(root + sep)) return undefined;
      const facts = await stat(real);
      if (!facts.isFile()) return undefined;
      const etag = `"${facts.size.toString(36)}-${Math.floor(facts.mtimeMs).toString(36)}"`;
      return { path: real, bytes: facts.size, etag };
    } catch {
      // Absent, unreadable or a folder on the way is a file: all of it is "not there" to a browser.
      return undefined;
    }
  }

  async #send(
    request: IncomingMessage,
    response: ServerResponse,
    file: Found,
    cacheControl: string,
  ): Promise<void> {
    const type = TYPES.get(extname(file.path)) ?? 'application/octet-stream';
    const headers = {
      ...PAGE_HEADERS,
      'content-type': type,
      'cache-control': cacheControl,
      etag: file.etag,
      vary: 'accept-encoding',
    };
    if (request.headers['if-none-match'] === file.etag) {
      response.writeHead(304, headers);
      response.end();
      return;
    }
    const acceptsGzip = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
    if (acceptsGzip && COMPRESSIBLE.test(type) && file.bytes <= COMPRESSIBLE_BYTES_MAX) {
      sendBody(
        response,
        200,
        { ...headers, 'content-encoding': 'gzip' },
        await this.#gzipped(file),
      );
      return;
    }
    response.writeHead(200, { ...headers, 'content-length': file.bytes });
    if (request.method === 'HEAD') response.end();
    else await pipeline(createReadStream(file.path), response);
  }

  async #gzipped(file: Found): Promise<Buffer> {
    const key = `${file.path} ${file.etag}`;
    const known = this.#compressed.get(key);
    if (known !== undefined) return known;
    const bytes = await promisify(gzip)(await readFile(file.path), { level: 9 });
    if (this.#compressedBytes + bytes.length > COMPRESSED_BYTES_MAX) {
      this.#compressed.clear();
      this.#compressedBytes = 0;
    }
    this.#compressed.set(key, bytes);
    this.#compressedBytes += bytes.length;
    return bytes;
  }
}

function cacheFor(path: string): string {
  if (path.startsWith('/assets/')) return 'public, max-age=31536000, immutable';
  return path === '/index.html' ? 'no-cache' : 'public, max-age=30';
}

function decodedPath(path: string): string | undefined {
  try {
    const decoded = decodeURIComponent(path);
    return decoded.includes('\0') || decoded.split('/').includes('..') ? undefined : decoded;
  } catch {
    return undefined;
  }
}
