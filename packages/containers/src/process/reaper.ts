/**
 * Waits for processes that are not our children, after a restart of the agent. The kernel tells only a
 * parent; here the file system's notices wake us, and one shared look around at a bounded interval makes
 * up for notices that never come, such as after SIGKILL of a shim.
 */

import { watch, type FSWatcher } from 'node:fs';
import { errorText, type Logger } from '@dcos/base';

/** Longest time until an end without a notice is seen. */
const LOOK_INTERVAL_MS = 200;

export interface Watched {
  /** Directory whose change may mean the end. */
  readonly directory: string;
  readonly isOver: () => Promise<boolean>;
  /** Called once. */
  readonly onOver: () => void;
}

export interface Reaper {
  watch(watched: Watched): void;
  close(): void;
}

/**
 * Makes one. With `patience` above 1, what the file system gives notices of is looked at only every so many
 * intervals: for those whose end without a notice is rare, and who are many.
 */
export function createReaper(logger: Logger, patience = 1): Reaper {
  const watches = new Map<
    Watched,
    { busy: boolean; again: boolean; readonly watcher: FSWatcher | undefined }
  >();
  let interval: NodeJS.Timeout | undefined;
  let looks = 0;

  async function look(watched: Watched): Promise<void> {
    const state = watches.get(watched);
    if (state === undefined) return;
    state.again = true;
    if (state.busy) return;
    state.busy = true;
    try {
      while (state.again && watches.has(watched)) {
        state.again = false;
        if (await watched.isOver()) {
          forget(watched);
          watched.onOver();
        }
      }
    } catch (error) {
      logger.warn(
        { event: 'reaper.failed', error: errorText(error) },
        'cannot look after a process',
      );
    } finally {
      state.busy = false;
    }
  }

  function forget(watched: Watched): void {
    watches.get(watched)?.watcher?.close();
    watches.delete(watched);
    if (watches.size === 0) {
      clearInterval(interval);
      interval = undefined;
    }
  }

  function startWatcher(watched: Watched): FSWatcher | undefined {
    try {
      const watcher = watch(watched.directory, { persistent: false }, () => void look(watched));
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch (error) {
      // The host's number of watches is bounded; the interval does without.
      logger.debug({ event: 'watch.failed', error: errorText(error) }, 'no file notices');
      return undefined;
    }
  }

  return {
    watch(watched) {
      watches.set(watched, { busy: false, again: false, watcher: startWatcher(watched) });
      interval ??= setInterval(() => {
        looks++;
        for (const [each, { watcher }] of watches)
          if (watcher === undefined || looks % patience === 0) void look(each);
      }, LOOK_INTERVAL_MS).unref();
      void look(watched);
    },
    close() {
      for (const watched of watches.keys()) forget(watched);
    },
  };
}
