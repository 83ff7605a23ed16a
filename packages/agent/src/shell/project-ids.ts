/**
 * Which directory has which project of the file system. A number is written down, durably, before it is used, so that
 * no two directories ever share one, however the agent ends.
 */

import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorText } from '@dcos/base';
import { z } from 'zod';
import { unusable } from './xfs-quota.ts';

const fileSchema = z.strictObject({
  version: z.literal(1),
  projects: z.array(z.strictObject({ path: z.string(), id: z.number().int().min(1) })),
});

/** Numbers from the first to the last. */
export interface ProjectRange {
  readonly first: number;
  readonly last: number;
}

export interface ProjectFigures {
  readonly total: number;
  readonly free: number;
}

export class ProjectIds {
  readonly #file: string;
  readonly #ranges: readonly ProjectRange[];
  readonly #idOf = new Map<string, number>();
  readonly #used = new Set<number>();
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  private constructor(file: string, ranges: readonly ProjectRange[]) {
    this.#file = file;
    this.#ranges = ranges;
  }

  /** Reads what is written there. Throws DISK_QUOTA_UNUSABLE for a file that is none of these. */
  static async open(file: string, ranges: readonly ProjectRange[]): Promise<ProjectIds> {
    const ids = new ProjectIds(file, ranges);
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ids;
      throw unusable(`cannot read '${file}': ${errorText(error)}`);
    }
    try {
      for (const { path, id } of fileSchema.parse(JSON.parse(text)).projects) ids.#add(path, id);
    } catch (error) {
      throw unusable(
        `'${file}' is damaged; remove it when no task runs on this agent: ${errorText(error)}`,
      );
    }
    return ids;
  }

  /** Directories that have a project, with their number. */
  get entries(): readonly (readonly [path: string, id: number])[] {
    return [...this.#idOf];
  }

  figures(): ProjectFigures {
    const inRange = ({ first, last }: ProjectRange): number =>
      [...this.#used].filter((id) => id >= first && id <= last).length;
    return this.#ranges.reduce(
      ({ total, free }, range) => {
        const size = range.last - range.first + 1;
        return { total: total + size, free: free + size - inRange(range) };
      },
      { total: 0, free: 0 },
    );
  }

  idOf(path: string): number | undefined {
    return this.#idOf.get(path);
  }

  /** The directory's number, a free one where it has none. Throws when all are taken, or it cannot be written down. */
  async assign(path: string): Promise<number> {
    const known = this.#idOf.get(path);
    if (known !== undefined) return known;
    const id = this.#free();
    if (id === undefined)
      throw new Error(
        `all ${this.figures().total} project ids for disk quotas are taken; give the agent a larger xfsProjectRange, or let it delete old sandboxes sooner`,
      );
    this.#add(path, id);
    try {
      await this.#save();
    } catch (error) {
      this.#remove(path, id);
      throw error;
    }
    return id;
  }

  /** Others may have the directory's number from now on. */
  async release(path: string): Promise<void> {
    const id = this.#idOf.get(path);
    if (id === undefined) return;
    this.#remove(path, id);
    await this.#save();
  }

  #add(path: string, id: number): void {
    this.#idOf.set(path, id);
    this.#used.add(id);
  }

  #remove(path: string, id: number): void {
    this.#idOf.delete(path);
    this.#used.delete(id);
  }

  #free(): number | undefined {
    for (const { first, last } of this.#ranges)
      for (let id = first; id <= last; id++) if (!this.#used.has(id)) return id;
    return undefined;
  }

  /** One write for all who ask while another is under way. */
  async #save(): Promise<void> {
    const after = async (): Promise<void> => {
      await this.#writing.catch(() => undefined);
      this.#next = undefined;
      this.#writing = this.#write();
      await this.#writing;
    };
    this.#next ??= after();
    await this.#next;
  }

  async #write(): Promise<void> {
    const projects = Array.from(this.#idOf, ([path, id]) => ({ path, id }));
    const next = `${this.#file}.new`;
    await mkdir(dirname(this.#file), { recursive: true });
    try {
      const handle = await open(next, 'w', 0o600);
      try {
        await handle.writeFile(JSON.stringify({ version: 1, projects }));
        await handle.datasync();
      } finally {
        await handle.close();
      }
      await rename(next, this.#file);
    } catch (error) {
      await rm(next, { force: true });
      throw error;
    }
    const directory = await open(dirname(this.#file), 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}
