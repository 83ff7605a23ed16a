/**
 * Waits for processes that are not our children, after a restart of the agent. The kernel tells only a
 * parent; here the file system's notices wake us, and one shared look around at a bounded interval makes
 * up for notices that never come, such as after SIGKILL of a shim.
 *
 * Invariant: a round costs a system call for each process that is there and a bounded number of real looks,
 * which go round. With a real look for each, a thousand containers kept the thread pool from everything else.
 */

import { watch, type FSWatcher } from 'node:fs';
import { errorText, type Logger } from '@dcos/base';
import { hasProcess } from './process-table.ts';

/** Longest time until the end of a process that can be named is seen without a notice. */
export const LOOK_INTERVAL_MS = 200;
/** Real looks of a round: for a process that is a zombie or another one by now, or that cannot be named. */
export const LOOKS_PER_ROUND = 20;

export interface Watched {
  /** Directory whose change may mean the end. */
  readonly directory: string;
  /** The process that watches over it, once it is known. */
  readonly pid: () => number | undefined;
  readonly isOver: () => Promise<boolean>;
  /** Called once. */
  readonly onOver: () => void;
}

export interface Reaper {
  watch(watched: Watched): void;
  close(): void;
}

export function createReaper(logger: Logger): Reaper {
  const watches = new Map<
    Watched,
    { busy: boolean; again: boolean; readonly watcher: FSWatcher | undefined }
  >();
  let interval: NodeJS.Timeout | undefined;
  /** Those that have not had their turn. */
  let waiting: Watched[] = [];

  function lookAround(): void {
    if (waiting.length === 0) waiting = [...watches.keys()];
    const due = new Set(waiting.splice(0, LOOKS_PER_ROUND));
    for (const watched of watches.keys()) {
      const pid = watched.pid();
      if (pid !== undefined && !hasProcess(pid)) due.add(watched);
    }
    for (const watched of due) void look(watched);
  }

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
      interval ??= setInterval(lookAround, LOOK_INTERVAL_MS).unref();
      void look(watched);
    },
    close() {
      for (const watched of watches.keys()) forget(watched);
    },
  };
}
