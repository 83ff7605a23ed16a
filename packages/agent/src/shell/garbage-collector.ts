/**
 * Deletes sandboxes of ended tasks when they are old enough, and those of runs that nobody remembers.
 * Source: mesos-kernel §6.10; differences: age only, no disk pressure yet.
 */

import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { containerId, errorText, type ContainerId, type Logger } from '@dcos/base';
import type { AgentSnapshot } from '../core/index.ts';

/** Time between two rounds. */
const ROUND_MS = 60_000;
/** Sandboxes deleted in one round. */
const DELETED_PER_ROUND_MAX = 1_000;

export interface GarbageCollectorOptions {
  readonly workDir: string;
  readonly delayMs: number;
  readonly logger: Logger;
  readonly now: () => number;
  readonly snapshot: () => AgentSnapshot;
  readonly onCollected: (id: ContainerId) => void;
}

export interface GarbageCollector {
  /** One round now; resolves with the number of deleted sandboxes. */
  collect(): Promise<number>;
  close(): Promise<void>;
}

/** Starts the rounds. */
export function startGarbageCollector(options: GarbageCollectorOptions): GarbageCollector {
  let running: Promise<number> | undefined;
  const collect = async (): Promise<number> => {
    running ??= round(options).finally(() => (running = undefined));
    return await running;
  };
  const timer = setInterval(() => {
    collect().catch((error: unknown) =>
      options.logger.warn(
        { event: 'gc.failed', error: errorText(error) },
        'cannot collect sandboxes',
      ),
    );
  }, ROUND_MS);
  timer.unref();
  return {
    collect,
    async close() {
      clearInterval(timer);
      await running?.catch(() => 0);
    },
  };
}

async function round(options: GarbageCollectorOptions): Promise<number> {
  const snapshot = options.snapshot();
  if (snapshot.phase === 'recovering') return 0;
  const live = new Set(snapshot.live.map((task) => task.containerId));
  const endedAt = new Map(snapshot.completed.map((task) => [task.containerId, task.endedAt]));
  const oldest = options.now() - options.delayMs;
  let deleted = 0;
  for (const { id, path } of await runs(options.workDir)) {
    if (live.has(id) || deleted >= DELETED_PER_ROUND_MAX) continue;
    const time = endedAt.get(id) ?? (await modifiedAt(path));
    if (time === undefined || time > oldest) continue;
    await rm(path, { recursive: true, force: true });
    options.onCollected(id);
    deleted += 1;
  }
  if (deleted > 0)
    options.logger.info({ event: 'gc.deleted', count: deleted }, 'deleted old sandboxes');
  return deleted;
}

/** Every run directory of every task of every agent id that ever worked here. */
async function runs(
  workDir: string,
): Promise<readonly { readonly id: ContainerId; readonly path: string }[]> {
  let level = [join(workDir, 'slaves')];
  for (const fixed of [undefined, 'frameworks', undefined, 'executors', undefined, 'runs']) {
    const next: string[] = [];
    for (const directory of level) {
      if (fixed !== undefined) next.push(join(directory, fixed));
      else next.push(...(await directories(directory)).map((name) => join(directory, name)));
    }
    level = next;
  }
  const found: { readonly id: ContainerId; readonly path: string }[] = [];
  for (const directory of level) {
    for (const name of await directories(directory)) {
      found.push({ id: containerId(name), path: join(directory, name) });
    }
  }
  return found;
}

/** Names of real subdirectories; links such as `latest` are not followed. */
async function directories(path: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

async function modifiedAt(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch {
    return undefined;
  }
}
