/**
 * Which paths a client watches, so that the watches can be set again at another server. A watch is known
 * once the server answered the request that set it; the plain kinds are gone when they fire.
 */

import type { ErrorName } from './errors.ts';
import type { Operation } from './operations.ts';
import type { WatchedPaths, WatchEvent } from './protocol.ts';

export class WatchTable {
  readonly #data = new Set<string>();
  readonly #exist = new Set<string>();
  readonly #children = new Set<string>();
  readonly #persistent = new Set<string>();
  readonly #recursive = new Set<string>();

  /** Watches of all kinds. */
  get size(): number {
    return this.#sets().reduce((sum, set) => sum + set.size, 0);
  }

  /** An operation was answered, with this error or none. */
  answered(operation: Operation, error: ErrorName | undefined): void {
    switch (operation.kind) {
      case 'exists':
        // Where there is no node yet, the watch waits for its creation.
        if (!operation.watch) return;
        if (error === undefined) this.#data.add(operation.path);
        else if (error === 'NONODE') this.#exist.add(operation.path);
        return;
      case 'getData':
        if (operation.watch && error === undefined) this.#data.add(operation.path);
        return;
      case 'getChildren':
        if (operation.watch && error === undefined) this.#children.add(operation.path);
        return;
      case 'addWatch':
        if (error !== undefined) return;
        (operation.recursive ? this.#recursive : this.#persistent).add(operation.path);
        return;
      default:
    }
  }

  /** An event came: what it used up is forgotten. */
  fired({ kind, path }: WatchEvent): void {
    switch (kind) {
      case 'created':
      case 'dataChanged':
        this.#data.delete(path);
        this.#exist.delete(path);
        return;
      case 'childrenChanged':
        this.#children.delete(path);
        return;
      case 'deleted':
        this.#data.delete(path);
        this.#exist.delete(path);
        this.#children.delete(path);
        return;
      case 'watchRemoved':
        for (const set of this.#sets()) set.delete(path);
    }
  }

  /** All watches, split so that no packet grows without bound; at least `pathsMax` paths fit one. */
  batches(pathsMax: number): readonly WatchedPaths[] {
    const batches: WatchedPaths[] = [];
    let batch = emptyBatch();
    let count = 0;
    const kinds = ['data', 'exist', 'children', 'persistent', 'recursive'] as const;
    for (const [index, set] of this.#sets().entries()) {
      const kind = kinds[index] as (typeof kinds)[number];
      for (const path of set) {
        if (count === 0) batches.push((batch = emptyBatch()));
        batch[kind].push(path);
        count = (count + 1) % pathsMax;
      }
    }
    return batches;
  }

  /** The session is over, and all its watches with it. */
  clear(): void {
    for (const set of this.#sets()) set.clear();
  }

  #sets(): readonly Set<string>[] {
    return [this.#data, this.#exist, this.#children, this.#persistent, this.#recursive];
  }
}

type Batch = { readonly [Kind in keyof WatchedPaths]: string[] };

function emptyBatch(): Batch {
  return { data: [], exist: [], children: [], persistent: [], recursive: [] };
}
