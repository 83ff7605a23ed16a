/**
 * Follows a file that grows: every byte from a position on, in order, as soon as it is written. Woken by
 * the file system's notices and, since those may be missing, by a slow look around. No link is followed.
 */

import { watch, type FSWatcher } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { openForReading } from './plain-file.ts';

/** Bytes read in one go. */
const CHUNK_BYTES = 64 * 1024;
/** How often to look when no notice comes. */
const LOOK_INTERVAL_MS = 500;

export interface FollowOptions {
  readonly path: string;
  /** Byte to begin at. */
  readonly offset: number;
  /**
   * Gets each piece in order, with its place in the file, and resolves when it wants more: the reader's pace
   * is the follower's.
   */
  readonly onData: (bytes: Uint8Array, position: number) => void | Promise<void>;
  /** True when nothing will be written any more. What is there then is read before the end. */
  readonly isOver?: () => boolean;
  /** Called once when all was read after `isOver`; following has ended then. */
  readonly onEnd?: () => void;
  /** Called once if reading fails; following has ended then. */
  readonly onError?: (error: unknown) => void;
}

/** Begins to follow. A file that shrank is read again from its beginning. Returns what stops it. */
export function followFile(options: FollowOptions): () => void {
  const state = { position: options.offset, stopped: false, running: false, again: false };
  let handle: FileHandle | undefined;
  const buffer = Buffer.alloc(CHUNK_BYTES);

  async function drain(): Promise<void> {
    handle ??= await openForReading(options.path);
    const { size } = await handle.stat();
    if (size < state.position) state.position = 0;
    while (!state.stopped) {
      const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, state.position);
      if (bytesRead === 0) return;
      const { position } = state;
      state.position += bytesRead;
      await options.onData(Uint8Array.from(buffer.subarray(0, bytesRead)), position);
    }
  }

  function look(): void {
    state.again = true;
    if (state.running || state.stopped) return;
    state.running = true;
    void (async () => {
      try {
        while (state.again && !state.stopped) {
          state.again = false;
          // Asked before reading: what was written until then is read after it.
          const isOver = options.isOver?.() === true;
          await drain();
          if (isOver && !state.stopped) {
            stop();
            options.onEnd?.();
          }
        }
      } catch (error) {
        if (!state.stopped) options.onError?.(error);
        stop();
      } finally {
        state.running = false;
        if (state.stopped) await handle?.close();
      }
    })();
  }

  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(options.path, { persistent: false }, look);
    // Notices are an acceleration; without them the interval does the work.
    watcher.on('error', () => watcher?.close());
  } catch {
    watcher = undefined;
  }
  const interval = setInterval(look, LOOK_INTERVAL_MS);
  interval.unref();

  function stop(): void {
    if (state.stopped) return;
    state.stopped = true;
    watcher?.close();
    clearInterval(interval);
    if (!state.running) void handle?.close();
  }

  look();
  return stop;
}
