/** A registry of images as the distribution's package has it, `docker-registry`, on loopback and with files of its own. */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';
import { present } from '@dcos/base';
import { temporaryDirectory } from './temporary-directory.ts';

/** Who may push and pull where a registry demands a log-in. */
export const REGISTRY_USER = { username: 'ann', password: 'pass:word' } as const;
/** bcrypt of the password. */
const HTPASSWD = 'ann:$2y$05$3IBq/jGpgAhbXheURiM4auXuZMZRSnHXgQyKqrgRfnVUZREdj2OGu\n';
const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';
const START_TIMEOUT_MS = 30_000;

export interface DockerRegistry {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** Pushes an image of these layers, tar archives, and gives the digests of its manifest and packed layers. */
  push(
    image: PushedImage,
  ): Promise<{ readonly digest: string; readonly layers: readonly string[] }>;
  /** The file in which a blob is kept. */
  blobPath(digest: string): string;
  /** Ends the process and removes its files. */
  close(): Promise<void>;
}

export interface PushedImage {
  readonly name: string;
  readonly tag: string;
  /** Tar archives, the lowest first. */
  readonly layers: readonly Uint8Array[];
  /** `Entrypoint`, `Cmd`, `Env` and so on. */
  readonly config?: object;
}

/** Starts one on a free port; with `needsLogin` for {@link REGISTRY_USER} only. */
export async function startDockerRegistry({
  needsLogin = false,
}: { readonly needsLogin?: boolean } = {}): Promise<DockerRegistry> {
  const directory = temporaryDirectory('registry');
  const storage = join(directory.path, 'storage');
  const users = join(directory.path, 'users');
  mkdirSync(storage);
  writeFileSync(users, HTPASSWD);
  const config = {
    version: 0.1,
    log: { level: 'info', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: storage } },
    http: { addr: '127.0.0.1:0' },
    ...(needsLogin && { auth: { htpasswd: { realm: 'test', path: users } } }),
  };
  const path = join(directory.path, 'config.yml');
  // YAML is a superset of JSON.
  writeFileSync(path, JSON.stringify(config));
  const child = spawn('docker-registry', ['serve', path], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const host = await listeningAt(child.stderr, ended);
  const registry = `http://${host}`;
  const authorization = needsLogin
    ? {
        authorization: `Basic ${Buffer.from(`${REGISTRY_USER.username}:${REGISTRY_USER.password}`).toString('base64')}`,
      }
    : {};
  return {
    host,
    push: async (image) => await pushImage(registry, authorization, image),
    blobPath: (digest) => {
      const [algorithm = '', hex = ''] = digest.split(':');
      const blobs = join(storage, 'docker/registry/v2/blobs', algorithm);
      return join(blobs, hex.slice(0, 2), hex, 'data');
    },
    async close() {
      child.kill('SIGKILL');
      await ended;
      directory.remove();
    },
  };
}

async function listeningAt(output: NodeJS.ReadableStream, ended: Promise<void>): Promise<string> {
  const said: string[] = [];
  const found = new Promise<string>((resolve) => {
    createInterface({ input: output }).on('line', (line) => {
      said.push(line);
      const host = /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1];
      if (host !== undefined) resolve(host);
    });
  });
  const fail = async (why: string): Promise<never> =>
    await Promise.reject(new Error(`docker-registry ${why}: ${said.join('\n')}`));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, START_TIMEOUT_MS)));
  try {
    return await Promise.race([
      found,
      ended.then(async () => await fail('ended')),
      late.then(async () => await fail('does not listen')),
    ]);
  } finally {
    clearTimeout(timer);
  }
}

type Headers = Readonly<Record<string, string>>;

async function pushImage(
  registry: string,
  authorization: Headers,
  { name, tag, layers, config = {} }: PushedImage,
): Promise<{ readonly digest: string; readonly layers: readonly string[] }> {
  const repository = `${registry}/v2/${name}`;
  const packed = layers.map((layer) => gzipSync(layer));
  const rootfs = { type: 'layers', diff_ids: layers.map(digestOf) };
  const document = Buffer.from(
    JSON.stringify({ architecture: 'amd64', os: 'linux', config, rootfs }),
  );
  for (const blob of [document, ...packed]) await pushBlob(repository, authorization, blob);
  const described = (mediaType: string, bytes: Uint8Array): object => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: described('application/vnd.docker.container.image.v1+json', document),
    layers: packed.map((blob) =>
      described('application/vnd.docker.image.rootfs.diff.tar.gzip', blob),
    ),
  });
  const put = await fetch(`${repository}/manifests/${tag}`, {
    method: 'PUT',
    headers: { ...authorization, 'content-type': MANIFEST_TYPE },
    body: manifest,
  });
  if (put.status !== 201)
    throw new Error(`the manifest was answered ${put.status}: ${await put.text()}`);
  return { digest: digestOf(Buffer.from(manifest)), layers: packed.map(digestOf) };
}

async function pushBlob(
  repository: string,
  authorization: Headers,
  blob: Uint8Array,
): Promise<void> {
  const begun = await fetch(`${repository}/blobs/uploads/`, {
    method: 'POST',
    headers: authorization,
  });
  await begun.text();
  const url = new URL(present(begun.headers.get('location') ?? undefined, 'an upload'), repository);
  url.searchParams.set('digest', digestOf(blob));
  const put = await fetch(url, {
    method: 'PUT',
    headers: { ...authorization, 'content-type': 'application/octet-stream' },
    body: Buffer.from(blob),
  });
  if (put.status !== 201) throw new Error(`a blob was answered ${put.status}: ${await put.text()}`);
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
