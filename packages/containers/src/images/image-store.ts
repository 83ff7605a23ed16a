/**
 * Images of this host: fetched from registries or a directory, kept as unpacked layers, shared by containers.
 *
 * Invariants: what a layer holds was verified by its digest; an image, or a layer of several, that many ask for is fetched
 * once, by whoever was first, and each proves by its own credentials that it may have the image; a failure leaves
 * nothing behind and concerns only those who asked for it. What is kept is the matter of
 * `image-records.ts`.
 *
 * A name that is known is not asked for again unless the image says `cached: false`, so that credentials are not
 * checked for it either: as in the original, who may use images of a host may use all that are on it.
 */

import { mkdir, rm } from 'node:fs/promises';
import type { Logger } from '@dcos/base';
import type { Image } from '@dcos/wire';
import { containerError } from '../errors.ts';
import type { ExtractLimits } from '../archives/tree-writer.ts';
import type { ImagePurpose, ImageSource, PreparedImage } from '../oci/image-port.ts';
import { directoryOrigin } from './directory-origin.ts';
import { parseDockerConfig, type RegistryLogins } from './docker-config.ts';
import type { FoundImage, ImageOrigin } from './image-origin.ts';
import { ImageRecords } from './image-records.ts';
import { unpackLayer } from './layer-unpacker.ts';
import { parseReference, referenceText, type ImageReference } from './reference.ts';
import type { RegistryClientOptions } from './registry-client.ts';
import { registryOrigin } from './registry-origin.ts';
import { taskLogins } from './sandbox-logins.ts';
import { SharedWork } from '../shared-work.ts';

export interface ImageStoreOptions extends RegistryClientOptions {
  readonly root: string;
  readonly logger: Logger;
  /** Credentials for all tasks, as Docker keeps them. */
  readonly dockerConfig?: string;
  /** Images come from archives and layouts in that directory, and from no registry. */
  readonly directory?: string;
  /** Free space that unpacking leaves on the disk; 256 MiB when absent. */
  readonly freeBytesMin?: number;
}

export interface ImageStore extends ImageSource {
  /** Removes what no container holds, but for these images; resolves with the number of removed layers. */
  prune(excluded: readonly Image[]): Promise<number>;
}

const FREE_BYTES_MIN = 256 * 1024 * 1024;
const LAYER_ENTRIES_MAX = 1_000_000;
const LAYER_BYTES_MAX = 64 * 1024 * 1024 * 1024;
/** Layers of one image that are fetched at the same time. */
const PARALLEL_MAX = 3;

/** Opens the store, and removes what a crash left. Throws CONTAINER_INVALID when credentials cannot be read. */
export async function openImageStore(options: ImageStoreOptions): Promise<ImageStore> {
  const { dockerConfig, root, logger } = options;
  const logins = dockerConfig === undefined ? NO_LOGINS : parseDockerConfig(dockerConfig);
  return new LayerStore(options, logins, await ImageRecords.open(root, logger));
}

const NO_LOGINS: RegistryLogins = new Map();

class LayerStore implements ImageStore {
  readonly #logger: Logger;
  readonly #logins: RegistryLogins;
  readonly #records: ImageRecords;
  readonly #origin: ImageOrigin;
  readonly #limits: ExtractLimits;
  /** Layers of images that are being fetched, with the number of fetches. */
  readonly #pinned = new Map<string, number>();
  readonly #imageFetches = new SharedWork<void>();
  readonly #layerFetches = new SharedWork<void>();

  constructor(options: ImageStoreOptions, logins: RegistryLogins, records: ImageRecords) {
    const { freeBytesMin = FREE_BYTES_MIN, directory, logger } = options;
    this.#logger = logger;
    this.#logins = logins;
    this.#records = records;
    this.#limits = { entriesMax: LAYER_ENTRIES_MAX, bytesMax: LAYER_BYTES_MAX, freeBytesMin };
    this.#origin =
      directory === undefined ? registryOrigin(options) : directoryOrigin(directory, this.#limits);
  }

  async prepare(image: Image, purpose: ImagePurpose): Promise<PreparedImage> {
    const reference = referenceOf(image);
    const name = referenceText(reference);
    const signal = purpose.abort ?? new AbortController().signal;
    try {
      const known = this.#records.digestOf(name);
      if (known !== undefined && image.cached !== false)
        return await this.#hold(purpose.containerId, known);
      const logins = await this.#loginsFor(image, purpose);
      return await this.#pull(reference, { logins, signal, containerId: purpose.containerId });
    } catch (error) {
      await this.#records.release(purpose.containerId);
      signal.throwIfAborted();
      throw containerError('CONTAINER_LAUNCH_FAILED', `Failed to pull image '${name}'`, error);
    }
  }

  async release(containerId: string): Promise<void> {
    await this.#records.release(containerId);
  }

  async keepOnly(containerIds: ReadonlySet<string>): Promise<void> {
    await this.#records.keepOnly(containerIds);
  }

  async prune(excluded: readonly Image[]): Promise<number> {
    const names = new Set(excluded.map((image) => referenceText(referenceOf(image))));
    const removed = await this.#records.prune(names, (diffId) => this.#pinned.has(diffId));
    this.#logger.info({ event: 'image.pruned', layers: removed }, 'removed unused layers');
    return removed;
  }

  /** Held from the moment that it is known to be there: it may be pruned at any other. */
  async #hold(containerId: string, digest: string): Promise<PreparedImage> {
    const image = this.#records.image(digest);
    if (image === undefined) throw new Error('the image was removed meanwhile');
    await this.#records.hold(containerId, digest);
    const rootfsLayers = image.diffIds.map((id) => this.#records.layerPath(id));
    return { rootfsLayers, config: image.config };
  }

  async #pull(
    reference: ImageReference,
    {
      logins,
      signal,
      containerId,
    }: {
      readonly logins: RegistryLogins;
      readonly signal: AbortSignal;
      readonly containerId: string;
    },
  ): Promise<PreparedImage> {
    const begin = performance.now();
    const temporaryPath = (): string => this.#records.temporaryPath();
    const found = new UsedImage(
      await this.#origin.find(reference, { logins, signal, temporaryPath }),
    );
    try {
      const { digest } = found.image;
      if (this.#records.image(digest) === undefined)
        await this.#imageFetches.run(
          digest,
          async (shared) => await found.use(async () => await this.#fetchImage(found, shared)),
          signal,
        );
      // No turn is between: it is known, and held.
      const held = this.#hold(containerId, digest);
      const name = referenceText(reference);
      await this.#records.addName(name, digest);
      const ms = Math.round(performance.now() - begin);
      this.#logger.info({ event: 'image.pulled', image: name, digest, ms }, `pulled ${name}`);
      return await held;
    } finally {
      await found.letGo();
    }
  }

  async #fetchImage(found: UsedImage, signal: AbortSignal): Promise<void> {
    const document = await found.image.document(signal);
    await this.#withPinned(document.diffIds, async () => {
      await this.#fetchLayers(found, document.diffIds, signal);
      await this.#records.addImage(found.image.digest, document);
    });
  }

  async #fetchLayers(
    found: UsedImage,
    diffIds: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    // The first of several that are the same.
    const rest = [...new Set(diffIds)];
    const failed = new AbortController();
    const both = AbortSignal.any([signal, failed.signal]);
    const work = async (): Promise<void> => {
      for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
        const diffId = next;
        if (this.#records.hasLayer(diffId)) continue;
        const fetch = async (shared: AbortSignal): Promise<void> =>
          await this.#fetchLayer(found.image, diffId, diffIds.indexOf(diffId), shared);
        await this.#layerFetches.run(
          diffId,
          async (shared) => await found.use(async () => await fetch(shared)),
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
    found: FoundImage,
    diffId: string,
    index: number,
    signal: AbortSignal,
  ): Promise<void> {
    const directory = this.#records.temporaryPath();
    const blobPath = `${directory}.blob`;
    try {
      await found.layer(index, blobPath, signal);
      await mkdir(directory, { mode: 0o755 });
      await unpackLayer({ blobPath, directory, diffId, signal, ...this.#limits });
      signal.throwIfAborted();
      await this.#records.addLayer(diffId, directory);
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

  /** The image's own credentials, else those that the task brought, else those of the agent. */
  async #loginsFor({ docker }: Image, { sandboxPath }: ImagePurpose): Promise<RegistryLogins> {
    const secret = docker?.config;
    if (secret === undefined) return await taskLogins(this.#logins, sandboxPath);
    if (secret.value === undefined)
      throw containerError(
        'CONTAINER_INVALID',
        'credentials of images must be secrets of the type VALUE',
      );
    return parseDockerConfig(Buffer.from(secret.value.data).toString('utf8'));
  }
}

/** An image that several fetches need: those who come later wait for the one that was found first. */
class UsedImage {
  readonly image: FoundImage;
  /** Whoever found it is the first. */
  #users = 1;

  constructor(image: FoundImage) {
    this.image = image;
  }

  async use(act: () => Promise<void>): Promise<void> {
    this.#users += 1;
    try {
      await act();
    } finally {
      await this.letGo();
    }
  }

  async letGo(): Promise<void> {
    this.#users -= 1;
    if (this.#users === 0) await this.image.close();
  }
}

/** The name of the image. Throws CONTAINER_INVALID for images that are not Docker's. */
function referenceOf(image: Image): ImageReference {
  if (image.type !== 'DOCKER' || image.docker === undefined) {
    const name = image.appc?.name ?? image.docker?.name ?? '';
    throw containerError(
      'CONTAINER_INVALID',
      `the image '${name}' is of the type ${image.type}; only DOCKER is supported`,
    );
  }
  return parseReference(image.docker.name);
}
