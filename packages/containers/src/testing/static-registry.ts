/**
 * A registry of images for tests: an own HTTP server on loopback with one image per name, with log-in and faults as
 * asked. Layers are made from tar entries.
 */

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';

export type LayerEntry = readonly [
  header: Partial<Header> & Pick<Header, 'name'>,
  content?: string,
];

export interface TestRegistry {
  readonly host: string;
  /** Paths that were asked for, in order. */
  readonly requests: string[];
  /** What came with each of them as `Authorization`. */
  readonly authorizations: (string | undefined)[];
  /** Digests of blobs whose last byte is changed on the way. */
  readonly damaged: Set<string>;
  /** Digests of blobs whose first answer breaks off in the middle. */
  readonly broken: Set<string>;
  /** Digests of blobs, and tags, that are not answered. */
  readonly silent: Set<string>;
  /** Answers what is open, and is silent no more. */
  speak(): void;
  /** Another registry that has the blobs. */
  redirectTo: string | undefined;
  /** What clients must log in with, and how. */
  login:
    | {
        readonly kind: 'basic' | 'token' | 'identity';
        readonly user: string;
        readonly password: string;
      }
    | undefined;
  add(
    name: string,
    layers: readonly (readonly LayerEntry[])[],
    config?: object,
    packing?: Packing,
  ): Promise<AddedImage>;
  /** Has that manifest under the name, and under its digest. */
  put(name: string, manifest: object): { readonly digest: string; readonly size: number };
  close(): Promise<void>;
}

export interface Packing {
  /** gzip and zstd by turns when absent. */
  readonly pack?: (tar: Buffer) => Buffer;
  readonly mediaType?: string;
}

export interface AddedImage {
  readonly digest: string;
  readonly configDigest: string;
  readonly layerDigests: readonly string[];
}

const TOKEN = 'token-of-the-test';
const REFUSED = { errors: [{ code: 'UNAUTHORIZED', message: 'authentication\nrequired' }] };
const digestOf = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** The bytes of a tar archive. */
export async function tarOf(entries: readonly LayerEntry[]): Promise<Buffer> {
  const archive = pack();
  for (const [header, content = ''] of entries) archive.entry(header, content);
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The parameters of a request for a token, wherever they are. */
async function askedOf(request: IncomingMessage, url: URL): Promise<URLSearchParams> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString('utf8');
  return body === '' ? url.searchParams : new URLSearchParams(body);
}

/** Starts an empty one on a free port. */
export async function startTestRegistry(): Promise<TestRegistry> {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, Buffer>();
  const open: (() => void)[] = [];
  const server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const registry: TestRegistry = {
    host,
    requests: [],
    damaged: new Set(),
    broken: new Set(),
    authorizations: [],
    silent: new Set(),
    redirectTo: undefined,
    login: undefined,
    async add(name, layers, config = {}, { pack: packWith, mediaType } = {}) {
      const tars = await Promise.all(layers.map(tarOf));
      const packed = tars.map(
        (tar, index) =>
          packWith?.(tar) ?? (index % 2 === 0 ? gzipSync(tar) : zstdCompressSync(tar)),
      );
      const document = Buffer.from(
        JSON.stringify({ config, rootfs: { type: 'layers', diff_ids: tars.map(digestOf) } }),
      );
      for (const bytes of [document, ...packed]) blobs.set(digestOf(bytes), bytes);
      const descriptor = (bytes: Buffer): object => ({
        digest: digestOf(bytes),
        size: bytes.length,
        mediaType,
      });
      const image = registry.put(`${name}-alone`, {
        schemaVersion: 2,
        config: descriptor(document),
        layers: packed.map(descriptor),
      });
      registry.put(name, {
        schemaVersion: 2,
        manifests: ['amd64', 'arm64'].map((architecture) => ({
          ...image,
          platform: { os: 'linux', architecture },
        })),
      });
      return {
        digest: image.digest,
        configDigest: digestOf(document),
        layerDigests: packed.map(digestOf),
      };
    },
    put(name, manifest) {
      const bytes = Buffer.from(JSON.stringify(manifest));
      const digest = digestOf(bytes);
      manifests.set(name, bytes);
      manifests.set(digest, bytes);
      return { digest, size: bytes.length };
    },
    speak() {
      registry.silent.clear();
      for (const reply of open.splice(0)) reply();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', `http://${host}`);
    registry.requests.push(url.pathname);
    const { authorization } = request.headers;
    registry.authorizations.push(authorization);
    const { login } = registry;
    const basic =
      login && `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
    if (url.pathname === '/token') {
      const isRefresh = login?.kind === 'identity';
      void askedOf(request, url).then((asked) => {
        const isKnown =
          asked.get('scope') === 'repository:x:pull' &&
          (isRefresh
            ? request.method === 'POST' && asked.get('refresh_token') === login.password
            : authorization === basic);
        const answered = isKnown ? { [isRefresh ? 'access_token' : 'token']: TOKEN } : REFUSED;
        response.writeHead(isKnown ? 200 : 401).end(JSON.stringify(answered));
      });
      return;
    }
    if (
      login !== undefined &&
      authorization !== (login.kind === 'basic' ? basic : `Bearer ${TOKEN}`)
    ) {
      const challenge = `Bearer realm="http://${host}/token",service="test",scope="repository:x:pull"`;
      response.writeHead(401, {
        'www-authenticate': login.kind === 'basic' ? 'Basic realm="test"' : challenge,
      });
      response.end(JSON.stringify(REFUSED));
      return;
    }
    const [, repository = '', kind, last = ''] =
      /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(url.pathname) ?? [];
    const reply = (): void => {
      if (kind === 'blobs' && registry.redirectTo !== undefined)
        response.writeHead(307, { location: `${registry.redirectTo}${url.pathname}` }).end();
      else if (kind === 'blobs') sendBlob(request, response, last);
      else {
        const found = manifests.get(last) ?? manifests.get(`${repository}:${last}`);
        response.writeHead(found === undefined ? 404 : 200).end(found);
      }
    };
    if (registry.silent.has(last)) open.push(reply);
    else reply();
  }

  function sendBlob(request: IncomingMessage, response: ServerResponse, digest: string): void {
    const whole = blobs.get(digest);
    if (whole === undefined) {
      response.writeHead(404).end();
      return;
    }
    const bytes = Buffer.from(whole);
    if (registry.damaged.has(digest))
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const rest = bytes.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': rest.length });
    if (!registry.broken.delete(digest)) {
      response.end(rest);
      return;
    }
    response.write(rest.subarray(0, rest.length >> 1), () => response.destroy());
  }
  return registry;
}
