/**
 * Images of this host: fetched from registries, kept as unpacked layers, shared by containers.
 *
 * Layout: `layers/<digest of the unpacked layer>/`, `images/<digest of the manifest>.json`, `names/<sha256 of the
 * name>.json`, `held/<container>.json`, `tmp/`.
 *
 * Invariants: a directory below `layers` is whole and verified, since it gets there by a rename after it was synced;
 * a record never names a layer that is not there; what a container holds is never removed, also not after a restart;
 * a layer that several images or tasks ask for is fetched once; what a crash left in `tmp` is removed at the start.
 */

import { createHash, randomUUID } from 'node:crypto';
import { renameSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, type Logger } from '@dcos/base';
import type { Image } from '@dcos/wire';
import { containerError } from '../errors.ts';
import type { ImageConfig, ImageSource, PreparedImage } from '../oci/image-port.ts';
import { parseDockerConfig, type RegistryLogins } from './docker-config.ts';
import { unpackLayer } from './layer-unpacker.ts';
import {
  hostPlatform,
  parseImageDocument,
  parseManifest,
  MANIFEST_BYTES_MAX,
  type Descriptor,
  type Manifest,
} from './manifest.ts';
import { parseReference, referenceText, type ImageReference } from './reference.ts';
import { RegistryClient, type RegistryClientOptions } from './registry-client.ts';
import { SharedWork } from './shared-work.ts';

export interface ImageStoreOptions extends RegistryClientOptions {
  readonly root: string;
  readonly logger: Logger;
  /** Credentials for all tasks, as Docker keeps them. */
  readonly dockerConfig?: string;
  /** Free space that unpacking leaves on the disk; 256 MiB when absent. */
  readonly freeBytesMin?: number;
}

export interface ImageStore extends ImageSource {
  /** Removes what no container holds, but for these images; resolves with the number of removed layers. */
  prune(excluded: readonly Image[]): Promise<number>;
  /** Lets go of what containers held that are not among these. */
  keepHeld(containerIds: ReadonlySet<string>): Promise<void>;
}

interface PullOptions {
  readonly logins: RegistryLogins;
  readonly signal: AbortSignal;
}

interface StoredImage {
  readonly config: ImageConfig;
  readonly diffIds: readonly string[];
}

const FREE_BYTES_MIN = 256 * 1024 * 1024;
const LAYER_ENTRIES_MAX = 1_000_000;
const LAYER_BYTES_MAX = 64 * 1024 * 1024 * 1024;
/** Layers of one image that are fetched at the same time. */
const PARALLEL_MAX = 3;

/** Opens the store, and removes what a crash left. */
export async function openImageStore(options: ImageStoreOptions): Promise<ImageStore> {
  const store = new LayerStore(options);
  await store.open();
  return store;
}

class LayerStore implements ImageStore {
  readonly #options: ImageStoreOptions;
  readonly #client: RegistryClient;
  readonly #logins: RegistryLogins;
  readonly #images = new Map<string, StoredImage>();
  readonly #names = new Map<string, string>();
  readonly #held = new Map<string, string>();
  readonly #layers = new Set<string>();
  /** Layers of images that are being fetched, with the number of fetches. */
  readonly #pinned = new Map<string, number>();
  readonly #fetches = new SharedWork<void>();

  constructor(options: ImageStoreOptions) {
    this.#options = options;
    this.#client = new RegistryClient(options);
    this.#logins =
      options.dockerConfig === undefined ? new Map() : parseDockerConfig(options.dockerConfig);
  }

  async open(): Promise<void> {
    await rm(this.#path('tmp'), { recursive: true, force: true });
    for (const name of ['tmp', 'layers', 'images', 'names', 'held'])
      await mkdir(this.#path(name), { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#path('layers'))) this.#layers.add(`sha256:${name}`);
    for (const { digest, ...image } of await this.#records<StoredImage & { digest: string }>(
      'images',
    ))
      if (image.diffIds.every((id) => this.#layers.has(id))) this.#images.set(digest, image);
    for (const { name, digest } of await this.#records<{ name: string; digest: string }>('names'))
      if (this.#images.has(digest)) this.#names.set(name, digest);
    for (const { id, digest } of await this.#records<{ id: string; digest: string }>('held'))
      this.#held.set(id, digest);
  }

  async prepare(
    image: Image,
    { containerId, abort }: { readonly containerId: string; readonly abort?: AbortSignal },
  ): Promise<PreparedImage> {
    const reference = referenceOf(image);
    const signal = abort ?? new AbortController().signal;
    const name = referenceText(reference);
    try {
      const known = this.#names.get(name);
      const isUsable = known !== undefined && image.cached !== false && this.#images.has(known);
      // Held from the moment that it is known to be there: it may be pruned at any other.
      const hold = (digest: string): void => void this.#held.set(containerId, digest);
      if (isUsable) hold(known);
      const digest = isUsable
        ? known
        : await this.#pull(reference, { logins: this.#loginsOf(image), signal, hold });
      await this.#record('held', containerId, { id: containerId, digest });
      return this.#prepared(digest);
    } catch (error) {
      await this.release(containerId);
      signal.throwIfAborted();
      throw containerError('CONTAINER_LAUNCH_FAILED', `Failed to pull image '${name}'`, error);
    }
  }

  async release(containerId: string): Promise<void> {
    if (!this.#held.delete(containerId)) return;
    await rm(this.#recordPath('held', containerId), { force: true });
  }

  async keepHeld(containerIds: ReadonlySet<string>): Promise<void> {
    for (const id of this.#held.keys()) if (!containerIds.has(id)) await this.release(id);
  }

  async prune(excluded: readonly Image[]): Promise<number> {
    const kept = new Set(this.#held.values());
    for (const image of excluded) {
      const digest = this.#names.get(referenceText(referenceOf(image)));
      if (digest !== undefined) kept.add(digest);
    }
    const gone: string[] = [];
    for (const [name, digest] of this.#names) {
      if (kept.has(digest)) continue;
      this.#names.delete(name);
      gone.push(this.#recordPath('names', name));
    }
    for (const digest of this.#images.keys()) {
      if (kept.has(digest)) continue;
      this.#images.delete(digest);
      gone.push(this.#recordPath('images', digest));
    }
    const used = new Set([...this.#images.values()].flatMap(({ diffIds }) => diffIds));
    const unused = [...this.#layers].filter((id) => !used.has(id) && !this.#pinned.has(id));
    const removed: string[] = [];
    for (const id of unused) {
      // At once, so that no one prepares a container of it in between.
      const path = this.#path('tmp', randomUUID());
      this.#layers.delete(id);
      renameSync(this.#layerPath(id), path);
      removed.push(path);
    }
    for (const path of gone) await rm(path, { force: true });
    for (const path of removed) await rm(path, { recursive: true, force: true });
    return removed.length;
  }

  #prepared(digest: string): PreparedImage {
    const image = this.#images.get(digest);
    if (image === undefined) throw new Error('the image was removed meanwhile');
    return { rootfsLayers: image.diffIds.map((id) => this.#layerPath(id)), config: image.config };
  }

  async #pull(
    reference: ImageReference,
    options: PullOptions & { readonly hold: (digest: string) => void },
  ): Promise<string> {
    const { hold } = options;
    const platform = hostPlatform(process.arch);
    let { bytes, digest } = await this.#client.manifest(reference, options);
    let manifest: Manifest = parseManifest(bytes, platform);
    if (manifest.kind === 'index') {
      ({ bytes, digest } = await this.#client.manifest(reference, {
        ...options,
        digest: manifest.chosen.digest,
      }));
      manifest = parseManifest(bytes, platform);
    }
    if (manifest.kind === 'index') throw new Error('an index leads to another index');
    if (!this.#images.has(digest)) {
      const document = parseImageDocument(
        await this.#document(reference, manifest.config, options),
      );
      if (document.diffIds.length !== manifest.layers.length)
        throw new Error('manifest and configuration name different numbers of layers');
      const layers = manifest.layers.map((blob, index) => ({
        blob,
        diffId: document.diffIds[index] ?? '',
      }));
      await this.#withPinned(document.diffIds, async () => {
        await this.#fetchLayers(reference, layers, options);
        await this.#record('images', digest, { digest, ...document });
        this.#images.set(digest, document);
        hold(digest);
      });
    } else hold(digest);
    const name = referenceText(reference);
    this.#names.set(name, digest);
    await this.#record('names', name, { name, digest });
    return digest;
  }

  async #document(
    reference: ImageReference,
    descriptor: Descriptor,
    options: PullOptions,
  ): Promise<Uint8Array> {
    if (descriptor.size > MANIFEST_BYTES_MAX) throw new Error('the configuration is too long');
    const path = this.#path('tmp', randomUUID());
    try {
      await this.#client.blob(reference, descriptor, { ...options, path });
      return await readFile(path);
    } finally {
      await rm(path, { force: true });
    }
  }

  async #fetchLayers(
    reference: ImageReference,
    layers: readonly { readonly blob: Descriptor; readonly diffId: string }[],
    { logins, signal }: PullOptions,
  ): Promise<void> {
    const rest = [...new Map(layers.map((layer) => [layer.diffId, layer])).values()];
    const failed = new AbortController();
    const both = AbortSignal.any([signal, failed.signal]);
    const work = async (): Promise<void> => {
      for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
        const { blob, diffId } = next;
        if (this.#layers.has(diffId)) continue;
        await this.#fetches.run(
          diffId,
          async (shared) =>
            await this.#fetchLayer(reference, blob, { diffId, logins, signal: shared }),
          both,
        );
      }
    };
    const workers = Array.from({ length: PARALLEL_MAX }, async () => {
      try {
        await work();
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    });
    await Promise.allSettled(workers);
    await Promise.all(workers);
  }

  async #fetchLayer(
    reference: ImageReference,
    blob: Descriptor,
    options: {
      readonly diffId: string;
      readonly logins: RegistryLogins;
      readonly signal: AbortSignal;
    },
  ): Promise<void> {
    const { diffId, logins, signal } = options;
    const directory = this.#path('tmp', randomUUID());
    const blobPath = `${directory}.blob`;
    try {
      await this.#client.blob(reference, blob, { logins, signal, path: blobPath });
      await mkdir(directory, { mode: 0o755 });
      await unpackLayer({
        blobPath,
        directory,
        diffId,
        signal,
        entriesMax: LAYER_ENTRIES_MAX,
        bytesMax: LAYER_BYTES_MAX,
        freeBytesMin: this.#options.freeBytesMin ?? FREE_BYTES_MIN,
      });
      await rename(directory, this.#layerPath(diffId));
      await syncDirectory(this.#path('layers'));
      this.#layers.add(diffId);
    } finally {
      await rm(blobPath, { force: true });
      await rm(directory, { recursive: true, force: true });
    }
  }

  async #withPinned(diffIds: readonly string[], act: () => Promise<void>): Promise<void> {
    for (const id of diffIds) this.#pinned.set(id, (this.#pinned.get(id) ?? 0) + 1);
    try {
      await act();
    } finally {
      for (const id of diffIds) {
        const count = this.#pinned.get(id) ?? 1;
        if (count > 1) this.#pinned.set(id, count - 1);
        else this.#pinned.delete(id);
      }
    }
  }

  #loginsOf({ docker }: Image): RegistryLogins {
    const secret = docker?.config;
    if (secret === undefined) return this.#logins;
    if (secret.value === undefined)
      throw containerError(
        'CONTAINER_INVALID',
        'credentials of images must be secrets of the type VALUE',
      );
    return parseDockerConfig(Buffer.from(secret.value.data).toString('utf8'));
  }

  async #records<T>(kind: string): Promise<readonly T[]> {
    const found: T[] = [];
    for (const name of await readdir(this.#path(kind))) {
      try {
        found.push(JSON.parse(await readFile(this.#path(kind, name), 'utf8')) as T);
      } catch (error) {
        this.#options.logger.warn(
          { event: 'image.record_broken', kind, name, error: errorText(error) },
          'a record of the image store cannot be read',
        );
      }
    }
    return found;
  }

  async #record(kind: string, key: string, value: object): Promise<void> {
    const path = this.#path('tmp', randomUUID());
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(JSON.stringify(value));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(path, this.#recordPath(kind, key));
    await syncDirectory(this.#path(kind));
  }

  #recordPath(kind: string, key: string): string {
    return this.#path(kind, `${createHash('sha256').update(key).digest('hex')}.json`);
  }

  #layerPath(diffId: string): string {
    return this.#path('layers', diffId.slice('sha256:'.length));
  }

  #path(...parts: readonly string[]): string {
    return join(this.#options.root, ...parts);
  }
}

/** The name of the image. Throws CONTAINER_INVALID for images that are not Docker's. */
function referenceOf(image: Image): ImageReference {
  if (image.type !== 'DOCKER' || image.docker === undefined)
    throw containerError('CONTAINER_INVALID', 'only images of the type DOCKER are supported');
  return parseReference(image.docker.name);
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
