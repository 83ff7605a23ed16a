/**
 * What an agent does now and then beside its tasks: deletes old sandboxes and images, looks at the disk that
 * containers use, rotates their logs, lends what they do not use.
 */

import { errorText, type ContainerId } from '@dcos/base';
import type { Resources } from '@dcos/resources';
import type { DiskStatistics } from '@dcos/wire';
import type { AgentEvent, AgentSnapshot } from '../core/index.ts';
import type { AgentParts } from './agent-parts.ts';
import { systemClock } from './clock.ts';
import { startDiskWatch, watchedRuns } from './disk-watch.ts';
import { diskUsageOf, startGarbageCollector } from './garbage-collector.ts';
import type { ContainerUsage } from './http/container-documents.ts';
import { startImageCollector } from './images.ts';
import { startLogRotation, type LogRotation } from './log-rotation.ts';
import { startOversubscription } from './oversubscription.ts';
import { sandboxPath } from './sandbox-paths.ts';

export interface HousekeepingOptions {
  readonly parts: AgentParts;
  readonly total: Resources;
  readonly snapshot: () => AgentSnapshot;
  readonly usage: () => Promise<readonly ContainerUsage[]>;
  readonly emit: (event: AgentEvent) => void;
}

export interface Housekeeping {
  /** What the last look at the disk found of a run. */
  statisticsOf(id: ContainerId): readonly DiskStatistics[];
  close(): Promise<void>;
}

/** Starts all of it. */
export function startHousekeeping(options: HousekeepingOptions): Housekeeping {
  const { parts, snapshot, emit } = options;
  const { config, logger, images, load, quotas } = parts;
  const workDir = parts.directory.path;
  const collector = startGarbageCollector({
    workDir,
    delayMs: config.gcDelayMs,
    diskHeadroom: config.gcDiskHeadroom,
    diskUsage: async () => await diskUsageOf(workDir),
    logger,
    now: () => systemClock.now(),
    snapshot,
    onCollected: (id) => emit({ kind: 'collected', id }),
  });
  parts.journal.watchSpace((isShort) => {
    emit({ kind: 'storage', isShort });
    if (!isShort) return;
    // Old sandboxes may be what is in the way.
    collector
      .collect()
      .catch((error: unknown) =>
        logger.warn({ event: 'gc.failed', error: errorText(error) }, 'cannot collect sandboxes'),
      );
  });
  const imageCollector = images && startImageCollector({ images, config, workDir, logger });
  const oversubscription = startOversubscription({
    config,
    cpusTotal: options.total.cpus(),
    snapshot,
    usage: options.usage,
    monotonicMs: () => systemClock.monotonicMs(),
    ...(load !== undefined && { load }),
    emit,
    logger,
  });
  const diskWatch = startDiskWatch({
    intervalMs: config.containerDiskWatchIntervalMs,
    enforces: (directory) => quotas?.ends(directory) ?? config.enforceContainerDiskQuota,
    ...(quotas !== undefined && { meter: quotas }),
    logger,
    runs: () => watchedRuns(workDir, snapshot(), quotas !== undefined),
    onExceeded: (id, limitation) => emit({ kind: 'limited', id, ...limitation }),
  });
  const rotation = rotateLogs(options);
  return {
    statisticsOf: (id) => diskWatch.statisticsOf(id),
    close: async () => {
      await collector.close();
      imageCollector?.close();
      await rotation.close();
      await diskWatch.close();
      oversubscription.close();
    },
  };
}

function rotateLogs({ parts, snapshot }: HousekeepingOptions): LogRotation {
  const { config, logger, directory } = parts;
  return startLogRotation({
    bytesMax: config.sandboxLogBytesMax,
    filesMax: config.sandboxLogFilesMax,
    logger,
    sandboxes: () => {
      const { live, agentId = '' } = snapshot();
      return live
        .filter(
          ({ runtime, pid, endedAt }) =>
            (runtime === 'process' || runtime === 'oci') &&
            pid !== undefined &&
            endedAt === undefined,
        )
        .map((task) => sandboxPath(directory.path, agentId, task));
    },
  });
}
