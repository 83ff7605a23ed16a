/**
 * Deletes sandboxes of ended tasks when they are old enough, and those of runs that nobody remembers. The fuller the
 * disk, the sooner. Source: mesos-kernel §6.10.
 */

import { readdirSync, rmSync, rmdirSync } from 'node:fs';
import { readdir, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { containerId, errorText, type ContainerId, type Logger } from '@dcos/base';
import type { AgentSnapshot, TaskRecord } from '../core/index.ts';

/** Time between two rounds. */
const ROUND_MS = 60_000;
/** Part of the disk that is kept free unless the settings say otherwise. */
export const DISK_HEADROOM = 0.1;
/** The link to the newest run. */
const LATEST = 'latest';
/** `runs`, the executor, `executors`, the framework. */
const LEVELS_OF_A_FRAMEWORK = 4;
/** Sandboxes deleted in one round. */
const DELETED_PER_ROUND_MAX = 1_000;

export interface GarbageCollectorOptions {
  readonly workDir: string;
  readonly delayMs: number;
  /** Part of the disk that is kept free, between 0 and 1. */
  readonly diskHeadroom: number;
  /** The part of the disk that is in use now. */
  readonly diskUsage: () => Promise<number>;
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
  const { live, endedAt } = runsOf(snapshot);
  const age = ageMax(options, await options.diskUsage());
  const oldest = options.now() - age;
  let deleted = 0;
  for (const { id, path } of [
    ...(await runs(options.workDir)),
    ...(await standalone(options.workDir)),
  ]) {
    if (live.has(id) || deleted >= DELETED_PER_ROUND_MAX) continue;
    const time = endedAt.get(id) ?? (await modifiedAt(path));
    if (time === undefined || time > oldest) continue;
    await rm(path, { recursive: true, force: true });
    removeEmpty(dirname(path));
    options.onCollected(id);
    deleted += 1;
  }
  if (deleted > 0)
    options.logger.info({ event: 'gc.deleted', count: deleted }, 'deleted old sandboxes');
  return deleted;
}

/**
 * How old a sandbox may get: the whole delay on an empty disk, less the fuller it is, nothing when no more than the
 * headroom is left.
 */
export function ageMax(
  { delayMs, diskHeadroom }: Pick<GarbageCollectorOptions, 'delayMs' | 'diskHeadroom'>,
  usage: number,
): number {
  return delayMs * Math.max(0, 1 - diskHeadroom - usage);
}

/** The part of the disk that is in use, between 0 and 1. */
export async function diskUsageOf(path: string): Promise<number> {
  const { blocks, bavail } = await statfs(path);
  return blocks === 0 ? 0 : 1 - bavail / blocks;
}

/**
 * Runs that somebody uses, and when others ended. Tasks of groups and of other executors have the run of their
 * executor, which has ended with the last of all.
 */
function runsOf(snapshot: AgentSnapshot): {
  readonly live: ReadonlySet<ContainerId>;
  readonly endedAt: ReadonlyMap<ContainerId, number>;
} {
  const runOf = ({ group, executor, containerId: own }: TaskRecord): ContainerId =>
    (group ?? executor)?.containerId ?? own;
  const live = new Set([
    ...snapshot.live.map(runOf),
    ...snapshot.executors.map(({ containerId: own }) => own),
    // Named by what clients call it.
    ...snapshot.launched.map(({ path }) => containerId(path[0] ?? '')),
  ]);
  const endedAt = new Map<ContainerId, number>();
  const ended = (run: ContainerId, time = 0): void =>
    void endedAt.set(run, Math.max(endedAt.get(run) ?? 0, time));
  for (const task of snapshot.completed) ended(runOf(task), task.endedAt);
  for (const { containerId: run, process } of snapshot.completedExecutors)
    ended(run, process?.endedAt);
  return { live, endedAt };
}

/**
 * Removes the directories of a task, an executor and a framework that have no run any more. At once, so that no
 * launch comes in between.
 */
function removeEmpty(runsDirectory: string): void {
  try {
    if (readdirSync(runsDirectory).some((name) => name !== LATEST)) return;
    rmSync(join(runsDirectory, LATEST), { force: true });
    let directory = runsDirectory;
    for (let level = 0; level < LEVELS_OF_A_FRAMEWORK; level++) {
      rmdirSync(directory);
      directory = dirname(directory);
    }
  } catch {
    // Something else is in there: it is still in use.
  }
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

/** Containers that are no task's. */
async function standalone(
  workDir: string,
): Promise<readonly { readonly id: ContainerId; readonly path: string }[]> {
  const root = join(workDir, 'containers');
  return (await directories(root)).map((name) => ({
    id: containerId(name),
    path: join(root, name),
  }));
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
