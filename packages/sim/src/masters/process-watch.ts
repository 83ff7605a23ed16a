/**
 * What a process of one host can tell of the process on another by a connection: that it ended, when the kernel there
 * refuses the next one. A frozen process and a network that is cut say nothing.
 */

import type { World } from '../world.ts';

/** How late a closed connection is noticed. */
const NOTICE_MAX_MS = 50;

export interface ProcessWatch {
  began(host: string): void;
  ended(host: string): void;
  /** Calls back when the process at an address has ended and nobody listens there. */
  watch(watcher: string, ip: string, gone: () => void): () => void;
}

export interface ProcessWatchPlan {
  readonly hostAt: (ip: string) => string;
  readonly isCut: (one: string, other: string) => boolean;
}

export function createProcessWatch(
  world: World,
  { hostAt, isCut }: ProcessWatchPlan,
): ProcessWatch {
  const listening = new Set<string>();
  const watches = new Set<{ readonly watcher: string; readonly host: string; gone: () => void }>();

  return {
    began: (host) => void listening.add(host),
    ended(host) {
      listening.delete(host);
      for (const watch of watches) {
        if (watch.host !== host) continue;
        world.after(world.between(1, NOTICE_MAX_MS), `${watch.watcher}: ${host} is gone`, () => {
          if (!watches.has(watch) || listening.has(host) || isCut(watch.watcher, host)) return;
          watches.delete(watch);
          watch.gone();
        });
      }
    },
    watch(watcher, ip, gone) {
      const host = hostAt(ip);
      const watch = { watcher, host, gone };
      // Who was never reached is not known to have ended.
      if (listening.has(host) && !isCut(watcher, host)) watches.add(watch);
      return () => void watches.delete(watch);
    },
  };
}
