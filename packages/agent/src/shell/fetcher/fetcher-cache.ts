/**
 * Files that tasks asked to be kept for the next ones, up to a bound. Source: mesos-kernel §6.7.
 *
 * Invariants: together the files take no more than the bound, those being fetched included; a file is fetched once
 * for all who ask at the same time; a file that somebody reads is not removed; what failed leaves nothing. Whether a
 * file is still what its address would give is not asked. Nothing outlives the agent's process.
 */

import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { SharedWork } from '@dcos/containers';

interface Entry {
  readonly path: string;
  bytes: number;
  /** Who reads it, or waits for it. */
  users: number;
  isReady: boolean;
}

/** Writes the file; tells of its size as far as it is known, which throws when there is no room. */
export type Fill = (
  path: string,
  options: { readonly signal: AbortSignal; readonly onSize: (bytes: number) => void },
) => Promise<unknown>;

class NoRoom extends Error {}

export class FetcherCache {
  readonly #directory: string;
  readonly #bytesMax: number;
  /** The one that was asked for longest ago is first. */
  readonly #entries = new Map<string, Entry>();
  readonly #fills = new SharedWork<void>();
  #bytes = 0;

  constructor({ directory, bytesMax }: { readonly directory: string; readonly bytesMax: number }) {
    this.#directory = directory;
    this.#bytesMax = bytesMax;
  }

  get bytesUsed(): number {
    return this.#bytes;
  }

  get bytesMax(): number {
    return this.#bytesMax;
  }

  /** Empties the directory. */
  async open(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
  }

  /**
   * Has a file read that is there, or is fetched now. False when there is no room for it; nothing was read then.
   * Rejects with what `fill` or `read` fails with.
   */
  async use(
    key: string,
    { fill, signal }: { readonly fill: Fill; readonly signal: AbortSignal },
    read: (path: string) => Promise<void>,
  ): Promise<boolean> {
    const entry = this.#take(key);
    entry.users += 1;
    try {
      if (!entry.isReady) {
        const work = async (shared: AbortSignal): Promise<void> =>
          await this.#fill(key, entry, fill, shared);
        await this.#fills.run(entry.path, work, signal);
      }
      await read(entry.path);
      return true;
    } catch (error) {
      if (error instanceof NoRoom) return false;
      throw error;
    } finally {
      entry.users -= 1;
    }
  }

  /** The entry, as the one that was asked for last. */
  #take(key: string): Entry {
    const entry = this.#entries.get(key) ?? {
      path: join(this.#directory, randomUUID()),
      bytes: 0,
      users: 0,
      isReady: false,
    };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  async #fill(key: string, entry: Entry, fill: Fill, signal: AbortSignal): Promise<void> {
    const onSize = (bytes: number): void => {
      // Once it was given up, what is still on the way takes no room.
      signal.throwIfAborted();
      this.#reserve(entry, bytes);
    };
    // Given up by all who asked: whoever asks next begins anew, beside what is still being put away.
    const giveUp = (): void => this.#forget(key, entry);
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      await fill(entry.path, { signal, onSize });
      signal.throwIfAborted();
      entry.isReady = true;
      signal.removeEventListener('abort', giveUp);
    } catch (error) {
      this.#forget(key, entry);
      await rm(entry.path, { force: true });
      throw error;
    }
  }

  #reserve(entry: Entry, bytes: number): void {
    const more = bytes - entry.bytes;
    if (more <= 0) return;
    for (const [key, other] of this.#entries) {
      if (this.#bytes + more <= this.#bytesMax) break;
      if (other.users > 0 || !other.isReady) continue;
      this.#forget(key, other);
      rmSync(other.path, { force: true });
    }
    if (this.#bytes + more > this.#bytesMax) throw new NoRoom();
    entry.bytes = bytes;
    this.#bytes += more;
  }

  #forget(key: string, entry: Entry): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
    this.#bytes -= entry.bytes;
    entry.bytes = 0;
  }
}
