/**
 * Looks at the disk that containers use, now and then: their sandboxes against the disk that they asked for, and each of
 * their persistent volumes against its own size. Tells of a container that uses more where that is to be enforced.
 * What is granted is read when a look begins, so that tasks which joined an executor count.
 * Source: mesos-kernel §6.6, isolator `disk/du`.
 */

import { join } from 'node:path';
import { bytesText, errorText, type ContainerId, type Logger } from '@dcos/base';
import type { DiskStatistics, Resource } from '@dcos/wire';
import { isTerminal, type AgentSnapshot, type Limitation, type TaskRecord } from '../core/index.ts';
import { diskUsage } from './disk-usage.ts';
import { containersOf } from './executor-container.ts';
import { runsPath } from './sandbox-paths.ts';
import { volumePath } from './volumes.ts';

/** Files that are looked at in one directory; of more, the rest is not counted. */
const ENTRIES_MAX = 500_000;
const MEGABYTE = 1024 * 1024;

/** A directory that a container may fill. */
export interface WatchedDirectory {
  readonly path: string;
  /** Undefined for the sandbox of who asked for no disk. */
  readonly limitBytes: number | undefined;
  /** What it was granted; carries the volume where it is one. */
  readonly resource: Resource;
}

/** A run of a task, a task group or an executor. */
export interface WatchedRun {
  readonly id: ContainerId;
  readonly directories: readonly WatchedDirectory[];
}

/** Knows what directories use without walking through them. */
export interface DiskMeter {
  /** Bytes by path; what it does not know is walked through. */
  measure(runs: readonly WatchedRun[], closed: AbortSignal): Promise<ReadonlyMap<string, number>>;
}

export interface DiskWatchOptions {
  readonly intervalMs: number;
  /** Whether a run is ended for what it uses there. */
  readonly enforces: (directory: WatchedDirectory) => boolean;
  readonly meter?: DiskMeter;
  /** What runs now. */
  readonly runs: () => readonly WatchedRun[];
  readonly onExceeded: (id: ContainerId, limitation: Limitation) => void;
  readonly logger: Logger;
}

export interface DiskWatch {
  /** What the last look found of a run; empty before the first. */
  statisticsOf(id: ContainerId): readonly DiskStatistics[];
  /** One look now. */
  look(): Promise<void>;
  close(): Promise<void>;
}

/** Starts looking. The time between two looks begins with the end of the first. */
export function startDiskWatch(options: DiskWatchOptions): DiskWatch {
  let found: ReadonlyMap<ContainerId, readonly DiskStatistics[]> = new Map();
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  const closed = new AbortController();
  const look = async (): Promise<void> => {
    running ??= lookAt(options, closed.signal)
      .then((all) => void (found = all))
      .finally(() => (running = undefined));
    await running;
  };
  const again = (): void => {
    if (closed.signal.aborted) return;
    timer = setTimeout(() => void look().finally(again), options.intervalMs).unref();
  };
  again();
  return {
    statisticsOf: (id) => found.get(id) ?? [],
    look,
    async close() {
      closed.abort();
      clearTimeout(timer);
      await running;
    },
  };
}

async function lookAt(
  options: DiskWatchOptions,
  closed: AbortSignal,
): Promise<ReadonlyMap<ContainerId, readonly DiskStatistics[]>> {
  const { enforces, onExceeded, logger } = options;
  const found = new Map<ContainerId, readonly DiskStatistics[]>();
  const runs = options.runs();
  const metered = await meteredUsage(options, runs, closed);
  for (const { id, directories } of runs) {
    const statistics: DiskStatistics[] = [];
    for (const directory of directories) {
      if (closed.aborted) return found;
      try {
        const usedBytes = metered.get(directory.path) ?? (await usageOf(directory, closed, logger));
        statistics.push(statisticsOf(directory, usedBytes));
        const { limitBytes } = directory;
        if (limitBytes !== undefined && usedBytes > limitBytes && enforces(directory))
          onExceeded(id, limitationOf(directory, limitBytes, usedBytes));
      } catch (error) {
        if (closed.aborted) return found;
        // One directory that cannot be read must not keep the others from being looked at.
        logger.warn(
          { event: 'disk.look-failed', path: directory.path, error: errorText(error) },
          'cannot tell how much disk a container uses',
        );
      }
    }
    found.set(id, statistics);
  }
  return found;
}

async function meteredUsage(
  { meter, logger }: DiskWatchOptions,
  runs: readonly WatchedRun[],
  closed: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  try {
    return (await meter?.measure(runs, closed)) ?? new Map();
  } catch (error) {
    logger.warn(
      { event: 'disk.meter-failed', error: errorText(error) },
      'cannot ask the file system how much disk containers use; their files are looked at instead',
    );
    return new Map();
  }
}

async function usageOf(
  { path }: WatchedDirectory,
  signal: AbortSignal,
  logger: Logger,
): Promise<number> {
  const { bytes, isComplete } = await diskUsage(path, { entriesMax: ENTRIES_MAX, signal });
  if (!isComplete)
    logger.warn(
      { event: 'disk.look-cut', path, entriesMax: ENTRIES_MAX },
      'a container has more files than are counted',
    );
  return bytes;
}

function statisticsOf(
  { limitBytes, resource: { disk } }: WatchedDirectory,
  usedBytes: number,
): DiskStatistics {
  return {
    ...(disk?.source !== undefined && { source: disk.source }),
    ...(disk?.persistence !== undefined && { persistence: disk.persistence }),
    ...(limitBytes !== undefined && { limit_bytes: limitBytes }),
    used_bytes: usedBytes,
  };
}

function limitationOf(
  { resource }: WatchedDirectory,
  limitBytes: number,
  usedBytes: number,
): Limitation {
  return {
    reason: 'REASON_CONTAINER_LIMITATION_DISK',
    message: `Disk usage (${bytesText(usedBytes)}) exceeds quota (${bytesText(limitBytes)})`,
    resources: [resource],
  };
}

/**
 * What runs now and asked for disk, by the run that has the sandbox: those of an executor share one.
 * @param watchesAll also the sandboxes of those that asked for none.
 */
export function watchedRuns(
  workDir: string,
  snapshot: Pick<AgentSnapshot, 'agentId' | 'live' | 'executors'>,
  watchesAll = false,
): readonly WatchedRun[] {
  const agentId = snapshot.agentId ?? '';
  const runs = new Map<ContainerId, { readonly path: string; readonly resources: Resource[] }>();
  const add = (id: ContainerId, owner: TaskRecord, resources: readonly Resource[] = []): void => {
    const run = runs.get(id) ?? {
      path: join(runsPath(workDir, agentId, owner), id),
      resources: [],
    };
    run.resources.push(...resources);
    runs.set(id, run);
  };
  for (const task of snapshot.live) {
    if (isTerminal(task.state) || task.runtime === 'none') continue;
    add(runIdOf(task), task, task.info.resources);
  }
  for (const executor of snapshot.executors) {
    const run = runs.get(executor.containerId);
    if (run !== undefined) run.resources.push(...(executor.info.resources ?? []));
    else
      for (const container of containersOf([executor]))
        add(executor.containerId, container, executor.info.resources);
  }
  return Array.from(runs, ([id, { path, resources }]) => ({
    id,
    directories: directoriesOf(workDir, path, resources, watchesAll),
  }));
}

/** That of one task or executor, all of those that share its run counted. */
export function watchedRunOf(
  workDir: string,
  snapshot: AgentSnapshot,
  id: ContainerId,
): WatchedRun | undefined {
  const runs = watchedRuns(
    workDir,
    {
      agentId: snapshot.agentId,
      live: snapshot.live.filter((task) => runIdOf(task) === id),
      executors: snapshot.executors.filter(({ containerId }) => containerId === id),
    },
    true,
  );
  return runs.find((run) => run.id === id);
}

/** The run whose sandbox a task has, or has its own in. */
export function runIdOf({ group, executor, containerId }: TaskRecord): ContainerId {
  return (group ?? executor)?.containerId ?? containerId;
}

function directoriesOf(
  workDir: string,
  sandbox: string,
  resources: readonly Resource[],
  watchesAll: boolean,
): readonly WatchedDirectory[] {
  const disks = resources.filter(({ name }) => name === 'disk');
  const own = disks.filter(({ disk }) => disk === undefined);
  // The size of a disk that is mounted holds without anybody's help.
  const volumes = disks.filter(
    ({ disk }) => disk?.persistence !== undefined && disk.source?.type !== 'MOUNT',
  );
  const unbound = { path: sandbox, limitBytes: undefined, resource: plainDisk([]) };
  return [
    ...(own.length > 0 ? [watched(sandbox, plainDisk(own))] : watchesAll ? [unbound] : []),
    ...volumes.map(({ allocation_info: _role, ...volume }) =>
      watched(volumePath(workDir, volume), volume),
    ),
  ];
}

/** All of it as one, whoever it is reserved for. */
function plainDisk(disks: readonly Resource[]): Resource {
  const value = disks.reduce((sum, { scalar }) => sum + (scalar?.value ?? 0), 0);
  return { name: 'disk', type: 'SCALAR', scalar: { value } };
}

function watched(path: string, resource: Resource): WatchedDirectory {
  return { path, limitBytes: Math.round((resource.scalar?.value ?? 0) * MEGABYTE), resource };
}
