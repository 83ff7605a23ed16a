/**
 * Gives each sandbox, and each persistent volume on the disk of the work directory, a project of the file system with
 * the bounds of what was granted, so that the kernel counts and refuses what would be too much. Tasks without disk are
 * counted only. A look at the disk brings up to date what has changed since, and frees the projects of directories that
 * are gone and empty: a process may still hold files of a directory that was removed. Files are given to a project one by
 * one in volumes only, before their task begins: nobody is there who could put a link in the tool's way.
 * Source: mesos-kernel §6.6, isolator `disk/xfs`; with killing, the kernel refuses 10 MB above the limit only, so that
 * who exceeds it can be seen.
 */

import { lstat, mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { errorText, type Logger } from '@dcos/base';
import type { DiskMeter, WatchedDirectory, WatchedRun } from './disk-watch.ts';
import type { AgentConfig } from '../config.ts';
import { ProjectIds, type ProjectFigures } from './project-ids.ts';
import { projectsPath } from './sandbox-paths.ts';
import { openXfsQuota, type ProjectLimits, type QuotaPlaces, type XfsQuota } from './xfs-quota.ts';

/** From the limit to where the kernel refuses, when those over the limit are ended. */
const KILL_HEADROOM_BYTES = 10 * 1024 * 1024;
const UNBOUND: ProjectLimits = { softBytes: undefined, hardBytes: undefined };

export interface DiskQuotasOptions {
  readonly workDir: string;
  readonly quota: XfsQuota;
  readonly ids: ProjectIds;
  /** What becomes of who needs more: nothing, no more is given, or it is ended. */
  readonly policy: 'count' | 'bound' | 'kill';
  readonly logger: Logger;
}

/** Those that the settings ask for; undefined where they ask for none. Throws DISK_QUOTA_UNUSABLE. */
export async function openDiskQuotas({
  config: { diskQuota, enforceContainerDiskQuota, xfsKillContainers, xfsProjectRange },
  workDir,
  places,
  logger,
}: {
  readonly config: AgentConfig;
  readonly workDir: string;
  readonly places: QuotaPlaces;
  readonly logger: Logger;
}): Promise<DiskQuotas | undefined> {
  if (diskQuota !== 'xfs') return undefined;
  const quota = await openXfsQuota(workDir, enforceContainerDiskQuota, places);
  const ids = await ProjectIds.open(projectsPath(workDir), xfsProjectRange);
  const ends = xfsKillContainers ? 'kill' : 'bound';
  const policy = enforceContainerDiskQuota ? ends : 'count';
  return new DiskQuotas({ workDir, quota, ids, policy, logger });
}

/** What this process has told the file system of a directory. */
interface Held {
  /** The very directory, which another may have replaced. */
  marked?: string;
  isWhole?: boolean;
  limits?: string;
}

export class DiskQuotas implements DiskMeter {
  readonly #options: DiskQuotasOptions;
  readonly #held = new Map<string, Held>();
  /** The last thing under way with a directory; one after the other. */
  readonly #busy = new Map<string, Promise<void>>();

  constructor(options: DiskQuotasOptions) {
    this.#options = options;
  }

  /** Makes the directories of a run that is about to begin, and bounds them. Throws when that cannot be. */
  async hold(run: WatchedRun): Promise<void> {
    for (const directory of run.directories) {
      if (!isOnDisk(directory)) continue;
      await mkdir(directory.path, { recursive: true });
      await this.#hold(directory, isVolume(directory) ? 'whole' : 'new');
    }
  }

  /** What the directories of these runs use, by their paths; not those of other disks, nor those that cannot be told. */
  async measure(
    runs: readonly WatchedRun[],
    closed: AbortSignal,
  ): Promise<ReadonlyMap<string, number>> {
    const { ids, quota } = this.#options;
    const directories = runs.flatMap((run) => run.directories.filter(isOnDisk));
    for (const directory of directories) {
      if (closed.aborted) break;
      await this.#quietly(directory.path, async () => await this.#hold(directory, 'new'));
    }
    const used = await quota.report();
    await this.#freeGone(used, closed);
    const found = new Map<string, number>();
    for (const { path } of directories) {
      const bytes = used.get(ids.idOf(this.#name(path)) ?? 0);
      if (bytes !== undefined && this.#held.get(path)?.marked !== undefined) found.set(path, bytes);
    }
    return found;
  }

  /** Projects of the range, and those that no directory has. */
  figures(): ProjectFigures {
    return this.#options.ids.figures();
  }

  /** Whether a run is to be ended for what it uses there. */
  ends(directory: WatchedDirectory): boolean {
    const { policy } = this.#options;
    return isOnDisk(directory) ? policy === 'kill' : policy !== 'count';
  }

  async #hold({ path, limitBytes }: WatchedDirectory, extent: 'new' | 'whole'): Promise<void> {
    await this.#alone(path, async () => {
      const identity = await identityOf(path);
      if (identity === undefined) return;
      const { ids, quota } = this.#options;
      const id = await ids.assign(this.#name(path));
      const held = this.#held.get(path) ?? {};
      this.#held.set(path, held);
      const limits = this.#limitsOf(limitBytes);
      const text = JSON.stringify(limits);
      if (held.limits !== text) {
        await quota.limit(id, limits);
        held.limits = text;
      }
      if (held.marked !== identity || (extent === 'whole' && held.isWhole !== true)) {
        await quota.mark(path, id, extent);
        held.marked = identity;
        held.isWhole = extent === 'whole';
      }
    });
  }

  #limitsOf(limitBytes: number | undefined): ProjectLimits {
    const { policy } = this.#options;
    if (limitBytes === undefined || policy === 'count') return UNBOUND;
    const hardBytes = policy === 'kill' ? limitBytes + KILL_HEADROOM_BYTES : limitBytes;
    return { softBytes: limitBytes, hardBytes };
  }

  async #freeGone(used: ReadonlyMap<number, number>, closed: AbortSignal): Promise<void> {
    const { ids, quota, workDir } = this.#options;
    for (const [name, id] of ids.entries) {
      if (closed.aborted) return;
      if ((used.get(id) ?? 0) > 0) continue;
      const path = join(workDir, name);
      await this.#quietly(path, async () => {
        await this.#alone(path, async () => {
          if ((await identityOf(path)) !== undefined) return;
          await quota.limit(id, UNBOUND);
          this.#held.delete(path);
          await ids.release(name);
        });
      });
    }
  }

  /** As it is written down: the work directory may be moved. */
  #name(path: string): string {
    return relative(this.#options.workDir, path);
  }

  async #alone(path: string, act: () => Promise<void>): Promise<void> {
    const before = this.#busy.get(path) ?? Promise.resolve();
    const own = before.catch(() => undefined).then(act);
    this.#busy.set(path, own);
    try {
      await own;
    } finally {
      if (this.#busy.get(path) === own) this.#busy.delete(path);
    }
  }

  /** One directory must not keep the others from being looked at. */
  async #quietly(path: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#options.logger.warn(
        { event: 'disk.quota-failed', path, error: errorText(error) },
        'cannot set the disk quota of a directory',
      );
    }
  }
}

/** Quotas are those of the work directory's disk. */
function isOnDisk({ resource }: WatchedDirectory): boolean {
  return resource.disk?.source === undefined;
}

function isVolume({ resource }: WatchedDirectory): boolean {
  return resource.disk?.persistence !== undefined;
}

/** Tells a directory from one that took its place; undefined where none is. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { ino, birthtimeNs } = await lstat(path, { bigint: true });
    return `${ino} ${birthtimeNs}`;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
