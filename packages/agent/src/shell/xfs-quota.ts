/**
 * Project quotas of an XFS file system, by the tool `xfs_quota` (package xfsprogs). A project is a number that a
 * directory gives to all that is made below it; the file system counts and bounds what has one number.
 *
 * The tool splits its commands at white space and knows no quotes, so that a directory is given as where it runs. It
 * ends with 0 after some failures: what it says on standard error decides.
 * Source: xfs_quota(8). Its syntax and output were taken from there; no kernel with quotas was at hand.
 */

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { errorText, OperationError } from '@dcos/base';
import { MOUNT_TABLE, mountOf, parseMountTable } from './mount-table.ts';

/** A directory that is full already is walked through by the tool when it gets its project. */
const TOOL_TIMEOUT_MS = 60_000;
/** About a hundred thousand projects. */
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
const KILOBYTE = 1024;
/** Files of the host that give projects to other directories are none of ours. */
const COMMON = ['-x', '-D', '/dev/null', '-P', '/dev/null'];

const run = promisify(execFile);

/** Where they are; the machine's own unless a test says otherwise. */
export interface QuotaPlaces {
  readonly tool: string;
  readonly mountTable: string;
}

export const QUOTA_PLACES: QuotaPlaces = { tool: 'xfs_quota', mountTable: MOUNT_TABLE };

/** Bounds of a project; none where undefined. */
export interface ProjectLimits {
  readonly softBytes: number | undefined;
  readonly hardBytes: number | undefined;
}

export interface XfsQuota {
  /** Gives a directory to a project: what is made in it from now on, or all that is in it (`whole`). */
  mark(path: string, id: number, extent: 'new' | 'whole'): Promise<void>;
  limit(id: number, limits: ProjectLimits): Promise<void>;
  /** Bytes in use by project; those that never had anything may be missing. */
  report(): Promise<ReadonlyMap<number, number>>;
}

/**
 * The quotas of the file system that a directory is on.
 * @param enforces whether bounds must hold; else it is enough that the file system counts.
 * Throws DISK_QUOTA_UNUSABLE, saying what is missing.
 */
export async function openXfsQuota(
  directory: string,
  enforces: boolean,
  { tool, mountTable }: QuotaPlaces = QUOTA_PLACES,
): Promise<XfsQuota> {
  const mount = await quotaMount(directory, enforces, mountTable);
  const quota = new QuotaTool(tool, mount);
  try {
    await quota.report();
  } catch (error) {
    if (isMissing(error))
      throw unusable(`there is no '${tool}': install it (apt-get install xfsprogs)`);
    throw unusable(errorText(error));
  }
  return quota;
}

async function quotaMount(
  directory: string,
  enforces: boolean,
  mountTable: string,
): Promise<string> {
  const table = await readFile(mountTable, 'utf8').catch((error: unknown) => {
    throw unusable(`cannot tell what is mounted: ${errorText(error)}`);
  });
  const mount = mountOf(directory, parseMountTable(table));
  if (mount === undefined) throw unusable(`nothing is mounted for '${directory}'`);
  const { point, type, options } = mount;
  if (type !== 'xfs')
    throw unusable(
      `the work directory '${directory}' is on a file system of type ${type}, mounted at '${point}'; it must be xfs`,
    );
  if (!['prjquota', 'pquota', ...(enforces ? [] : ['pqnoenforce'])].some((one) => options.has(one)))
    throw unusable(
      `the file system at '${point}' has no ${enforces ? 'enforced ' : ''}project quotas: mount it with the option ` +
        `prjquota (of a root file system: rootflags=prjquota), with a kernel that has CONFIG_XFS_QUOTA`,
    );
  return point;
}

class QuotaTool implements XfsQuota {
  readonly #tool: string;
  readonly #mount: string;

  constructor(tool: string, mount: string) {
    this.#tool = tool;
    this.#mount = mount;
  }

  async mark(path: string, id: number, extent: 'new' | 'whole'): Promise<void> {
    await this.#run(`project -s -d ${extent === 'new' ? 0 : -1} -p . ${id}`, path);
  }

  async limit(id: number, { softBytes, hardBytes }: ProjectLimits): Promise<void> {
    // Without a unit they are bytes; 0 stands for no bound.
    await this.#run(`limit -p bsoft=${softBytes ?? 0} bhard=${hardBytes ?? 0} ${id}`);
  }

  async report(): Promise<ReadonlyMap<number, number>> {
    return parseReport(await this.#run('report -p -n -N -b'));
  }

  /** Throws with what the tool says; what it throws when the tool is not there has the code ENOENT. */
  async #run(command: string, cwd = '/'): Promise<string> {
    let said: { readonly stdout: string; readonly stderr: string };
    try {
      said = await run(this.#tool, [...COMMON, '-c', command, this.#mount], {
        cwd,
        env: { ...process.env, LC_ALL: 'C' },
        timeout: TOOL_TIMEOUT_MS,
        killSignal: 'SIGKILL',
        maxBuffer: OUTPUT_BYTES_MAX,
      });
    } catch (error) {
      if (isMissing(error)) throw error;
      throw new Error(`'${this.#tool}' failed at '${command}': ${whyOf(error)}`, { cause: error });
    }
    const problem = problemIn(said.stderr);
    if (problem !== undefined)
      throw new Error(`'${this.#tool}' failed at '${command}': ${problem}`);
    return said.stdout;
  }
}

/** Lines of `#<id> <used> <soft> <hard> <warnings> [<grace>]`, the sizes in kilobytes. */
export function parseReport(output: string): ReadonlyMap<number, number> {
  const used = new Map<number, number>();
  for (const line of output.split('\n')) {
    const [, id, kilobytes] = /^#?(\d+)\s+(\d+)\s+\d+\s+\d+\s/.exec(line) ?? [];
    if (id !== undefined && kilobytes !== undefined)
      used.set(Number(id), Number(kilobytes) * KILOBYTE);
  }
  return used;
}

/** Links, pipes and devices cannot have a project, which the tool says of each. */
function problemIn(stderr: string): string | undefined {
  const lines = stderr.split('\n').filter((line) => !/^$|: skipping special file /.test(line));
  return lines.length === 0 ? undefined : lines.join('; ').slice(0, 1_000);
}

function whyOf(error: unknown): string {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  const isKilled = error instanceof Error && 'killed' in error && error.killed === true;
  return (
    problemIn(stderr) ??
    (isKilled ? `it was ended after ${TOOL_TIMEOUT_MS} ms, or said too much` : errorText(error))
  );
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Why project quotas cannot be used. */
export function unusable(problem: string): OperationError {
  return new OperationError('DISK_QUOTA_UNUSABLE', `no project quotas: ${problem}`);
}
