/**
 * What the image store keeps, and where: layers, what is known of images and names, what containers hold.
 *
 * Layout: `layers/<digest of the unpacked layer>/`, `images/`, `names/` and `held/` with a file for each digest, name
 * and container, `tmp/`.
 *
 * Invariants: a directory below `layers` is whole, since it gets there by a rename; an image is known only with all of
 * its layers; a layer that a container holds is never removed, also not after a restart, and not when records of it
 * are damaged; what a crash left in `tmp` is removed at the start.
 */

import { createHash, randomUUID } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, type Logger } from '@dcos/base';
import type { ImageDocument } from './manifest.ts';

type Kind = 'images' | 'names' | 'held';

interface ImageRecord extends ImageDocument {
  readonly digest: string;
}

interface NameRecord {
  readonly name: string;
  readonly digest: string;
}

interface HeldRecord {
  readonly id: string;
  readonly layers: readonly string[];
  readonly digests: readonly string[];
}

export class ImageRecords {
  readonly #root: string;
  readonly #logger: Logger;
  readonly #layers = new Set<string>();
  readonly #images = new Map<string, ImageDocument>();
  readonly #names = new Map<string, string>();
  /** Digests of images by container. */
  readonly #held = new Map<string, HeldRecord>();
  /** Files below `held` that cannot be read: some container holds something. */
  readonly #unreadable = new Set<string>();

  private constructor(root: string, logger: Logger) {
    this.#root = root;
    this.#logger = logger;
  }

  /** Reads what is there, and removes what a crash left. */
  static async open(root: string, logger: Logger): Promise<ImageRecords> {
    const records = new ImageRecords(root, logger);
    await records.#open();
    return records;
  }

  hasLayer(diffId: string): boolean {
    return this.#layers.has(diffId);
  }

  image(digest: string): ImageDocument | undefined {
    return this.#images.get(digest);
  }

  digestOf(name: string): string | undefined {
    return this.#names.get(name);
  }

  layerPath(diffId: string): string {
    return this.#path('layers', diffId.slice('sha256:'.length));
  }

  /** A path that nobody uses, on the disk of the layers. */
  temporaryPath(): string {
    return this.#path('tmp', randomUUID());
  }

  /** Moves a directory that was made below `tmp` to its place. */
  async addLayer(diffId: string, directory: string): Promise<void> {
    // Fetched once more after it was given up at the last moment.
    if (this.#layers.has(diffId)) return;
    await rename(directory, this.layerPath(diffId));
    await syncDirectory(this.#path('layers'));
    this.#layers.add(diffId);
  }

  /** All of its layers are there. */
  async addImage(digest: string, document: ImageDocument): Promise<void> {
    await this.#write('images', digest, { digest, ...document } satisfies ImageRecord);
    this.#images.set(digest, document);
  }

  async addName(name: string, digest: string): Promise<void> {
    this.#names.set(name, digest);
    await this.#write('names', name, { name, digest } satisfies NameRecord);
  }

  /** From the moment of the call the container has the image; when it resolves, also after a crash. */
  async hold(id: string, digest: string): Promise<void> {
    const { layers = [], digests = [] } = this.#held.get(id) ?? {};
    const record: HeldRecord = {
      id,
      digests: [...new Set([...digests, digest])],
      layers: [...new Set([...layers, ...(this.#images.get(digest)?.diffIds ?? [])])],
    };
    this.#held.set(id, record);
    await this.#write('held', id, record);
  }

  async release(id: string): Promise<void> {
    const wasHeld = this.#held.delete(id);
    if (wasHeld || this.#unreadable.delete(fileOf(id)))
      await rm(this.#path('held', fileOf(id)), { force: true });
  }

  /** Lets go of what others than these containers held. */
  async keepOnly(ids: ReadonlySet<string>): Promise<void> {
    for (const id of this.#held.keys()) if (!ids.has(id)) await this.release(id);
    const kept = new Set(Array.from(ids, fileOf));
    for (const file of this.#unreadable) {
      if (kept.has(file)) continue;
      this.#unreadable.delete(file);
      await rm(this.#path('held', file), { force: true });
    }
  }

  /**
   * Removes images that no container holds, but for those of these names, and layers that belong to no image then.
   * Resolves with the number of removed layers. Nothing is removed while it is not known what some container holds.
   */
  async prune(names: ReadonlySet<string>, isFetched: (diffId: string) => boolean): Promise<number> {
    if (this.#unreadable.size > 0) {
      this.#logger.warn(
        { event: 'image.prune_refused', files: [...this.#unreadable] },
        'no image is removed: what a running container holds cannot be read',
      );
      return 0;
    }
    const held = [...this.#held.values()];
    const kept = new Set(held.flatMap(({ digests }) => digests));
    for (const name of names) kept.add(this.#names.get(name) ?? '');
    this.#forget('names', this.#names, (_name, digest) => kept.has(digest));
    this.#forget('images', this.#images, (digest) => kept.has(digest));
    const used = new Set([
      ...[...this.#images.values()].flatMap(({ diffIds }) => diffIds),
      ...held.flatMap(({ layers }) => layers),
    ]);
    const removed: string[] = [];
    for (const id of this.#layers) {
      if (used.has(id) || isFetched(id)) continue;
      // At once, so that no one prepares a container of it in between.
      const path = this.temporaryPath();
      this.#layers.delete(id);
      renameSync(this.layerPath(id), path);
      removed.push(path);
    }
    for (const path of removed) await rm(path, { recursive: true, force: true });
    return removed.length;
  }

  /** At once: a record that is written anew meanwhile must not be removed instead. */
  #forget<T>(
    kind: Kind,
    entries: Map<string, T>,
    isKept: (key: string, value: T) => boolean,
  ): void {
    for (const [key, value] of entries) {
      if (isKept(key, value)) continue;
      entries.delete(key);
      rmSync(this.#path(kind, fileOf(key)), { force: true });
    }
  }

  async #open(): Promise<void> {
    await rm(this.#path('tmp'), { recursive: true, force: true });
    for (const name of ['tmp', 'layers', 'images', 'names', 'held'])
      await mkdir(this.#path(name), { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#path('layers'))) this.#layers.add(`sha256:${name}`);
    for (const { digest, ...image } of await this.#read<ImageRecord>('images'))
      if (image.diffIds.every((id) => this.#layers.has(id))) this.#images.set(digest, image);
    for (const { name, digest } of await this.#read<NameRecord>('names'))
      if (this.#images.has(digest)) this.#names.set(name, digest);
    for (const record of await this.#read<HeldRecord>('held')) this.#held.set(record.id, record);
  }

  async #read<T>(kind: Kind): Promise<readonly T[]> {
    const found: T[] = [];
    for (const file of await readdir(this.#path(kind))) {
      try {
        found.push(JSON.parse(await readFile(this.#path(kind, file), 'utf8')) as T);
      } catch (error) {
        if (kind === 'held') this.#unreadable.add(file);
        this.#logger.warn(
          { event: 'image.record_broken', kind, file, error: errorText(error) },
          'a record of the image store cannot be read',
        );
      }
    }
    return found;
  }

  async #write(kind: Kind, key: string, value: object): Promise<void> {
    const path = this.temporaryPath();
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(JSON.stringify(value));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(path, this.#path(kind, fileOf(key)));
    await syncDirectory(this.#path(kind));
  }

  #path(...parts: readonly string[]): string {
    return join(this.#root, ...parts);
  }
}

/** Names and ids hold characters that no file name may have. */
function fileOf(key: string): string {
  return `${createHash('sha256').update(key).digest('hex')}.json`;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
