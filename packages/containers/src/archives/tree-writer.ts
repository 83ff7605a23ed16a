/**
 * Makes the entries of an archive below a directory, trusting nothing in them.
 *
 * Invariants: nothing outside the directory is made, changed or linked; no link is followed, neither one of the
 * archive nor one that was there before; the number of entries and bytes is bounded, and so is what may be taken of
 * the disk's free space. What is already there is replaced, directories are kept. On an error what was unpacked stays:
 * the caller removes it.
 */

import { constants, type Stats } from 'node:fs';
import {
  chmod,
  lchown,
  link,
  lstat,
  lutimes,
  mkdir,
  open,
  symlink,
  unlink,
} from 'node:fs/promises';
import { join } from 'node:path';
import type { Header } from 'tar-stream';
import { checkFreeSpace, SPACE_CHECK_BYTES } from './free-space.ts';

export interface ExtractLimits {
  readonly entriesMax: number;
  /** Of the unpacked files together. */
  readonly bytesMax: number;
  /** Free space that must be left on the disk. */
  readonly freeBytesMin: number;
}

/** Entries of all kinds of archives, in the words of tar. */
export type EntryHeader = Pick<Header, 'name' | 'type'> & Partial<Header>;

export interface TreeOptions extends ExtractLimits {
  /** An existing directory that no one else changes meanwhile. */
  readonly directory: string;
  /** Keep owners, and bits that lend the owner's rights; links may lead anywhere, since they are read in a root of their own. */
  readonly isRootFs: boolean;
  /** Takes entries that are no files, directories or links; without it such entries are refused. True when taken. */
  readonly special?: (path: readonly string[], header: EntryHeader) => boolean;
}

const LINKS_DEPTH_MAX = 64;

/** The parts of a path inside an archive. Throws when it leads out. */
export function archivePath(name: string): readonly string[] {
  if (name.includes('\0')) throw new Error('the name holds a NUL character');
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new Error("the path holds '..'");
  return parts;
}

/** Whether a relative link in this directory stays below the top. */
function staysInside(directory: readonly string[], target: string): boolean {
  if (target.startsWith('/') || directory.length > LINKS_DEPTH_MAX) return false;
  let depth = directory.length;
  for (const part of target.split('/')) {
    if (part === '..') depth -= 1;
    else if (part !== '' && part !== '.') depth += 1;
    if (depth < 0) return false;
  }
  return true;
}

export class TreeWriter {
  readonly #options: TreeOptions;
  /** Directories that were seen to be directories, not links. */
  readonly #directories = new Set<string>();
  /** Modes and times of directories are set last, since writing into them changes the times. */
  readonly #late = new Map<string, EntryHeader>();
  #entries = 0;
  #bytes = 0;
  #unchecked = 0;

  constructor(options: TreeOptions) {
    this.#options = options;
  }

  /** Makes one entry; only files have contents. */
  async write(header: EntryHeader, content: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      await this.#write(header, content);
    } catch (error) {
      throw new Error(`archive entry '${header.name.slice(0, 256)}'`, { cause: error });
    }
  }

  async #write(header: EntryHeader, content: AsyncIterable<Uint8Array>): Promise<void> {
    const { entriesMax, bytesMax, special } = this.#options;
    this.#entries += 1;
    if (this.#entries > entriesMax)
      throw new Error(`the archive has more than ${entriesMax} entries`);
    if (this.#bytes + (header.size ?? 0) > bytesMax)
      throw new Error(`the archive holds more than ${bytesMax} bytes`);
    const parts = archivePath(header.name);
    if (special?.(parts, header) === true) {
      await this.#makeParents(parts);
      return;
    }
    switch (header.type) {
      case 'directory':
        await this.#makeDirectory(parts, header);
        return;
      case 'file':
      case 'contiguous-file':
        await this.#writeFile(parts, header, content);
        return;
      case 'symlink':
        await this.#makeSymlink(parts, header);
        return;
      case 'link':
        await this.#makeLink(parts, header);
        return;
      default:
        throw new Error(`entries of the type '${header.type}' are not allowed`);
    }
  }

  async finish(): Promise<void> {
    for (const [path, header] of [...this.#late].reverse()) {
      await this.#own(path, header);
      await chmod(path, this.#mode(header));
      if (header.mtime !== undefined) await lutimes(path, header.mtime, header.mtime);
    }
  }

  async checkSpace(): Promise<void> {
    await checkFreeSpace(this.#options.directory, this.#options.freeBytesMin);
  }

  async #makeDirectory(parts: readonly string[], header: EntryHeader): Promise<void> {
    await this.#makeParents(parts);
    const path = this.#path(parts);
    const there = await lstatOf(path);
    if (there === undefined) await mkdir(path, 0o700);
    else if (!there.isDirectory())
      throw new Error('something that is no directory is in its place');
    this.#directories.add(path);
    if (parts.length > 0 || this.#options.isRootFs) this.#late.set(path, header);
  }

  async #writeFile(
    parts: readonly string[],
    header: EntryHeader,
    content: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const path = await this.#clear(parts);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const file = await open(path, flags, 0o600);
    try {
      for await (const chunk of content) {
        this.#bytes += chunk.length;
        if (this.#bytes > this.#options.bytesMax)
          throw new Error(`the archive holds more than ${this.#options.bytesMax} bytes`);
        await file.writeFile(chunk);
        this.#unchecked += chunk.length;
        if (this.#unchecked >= SPACE_CHECK_BYTES) {
          this.#unchecked = 0;
          await this.checkSpace();
        }
      }
      if (this.#options.isRootFs && process.getuid?.() === 0)
        await file.chown(header.uid ?? 0, header.gid ?? 0);
      await file.chmod(this.#mode(header));
      if (header.mtime !== undefined) await file.utimes(header.mtime, header.mtime);
    } finally {
      await file.close();
    }
  }

  async #makeSymlink(parts: readonly string[], header: EntryHeader): Promise<void> {
    const target = header.linkname ?? '';
    if (target === '' || target.includes('\0')) throw new Error('the link leads nowhere');
    if (!this.#options.isRootFs && !staysInside(parts.slice(0, -1), target))
      throw new Error(`the link leads out of the archive, to '${target.slice(0, 256)}'`);
    const path = await this.#clear(parts);
    await symlink(target, path);
    await this.#own(path, header);
  }

  async #makeLink(parts: readonly string[], header: EntryHeader): Promise<void> {
    const target = archivePath(header.linkname ?? '');
    await this.#makeParents(target);
    const from = this.#path(target);
    const there = await lstatOf(from);
    const isLinkable = there?.isFile() === true || there?.isSymbolicLink() === true;
    if (!isLinkable) throw new Error('the hard link leads to nothing that can be linked');
    if (target.join('/') === parts.join('/')) return;
    await link(from, await this.#clear(parts));
  }

  /** Makes room for an entry that is no directory. */
  async #clear(parts: readonly string[]): Promise<string> {
    if (parts.length === 0) throw new Error('the name is empty');
    await this.#makeParents(parts);
    const path = this.#path(parts);
    const there = await lstatOf(path);
    if (there?.isDirectory() === true) throw new Error('a directory is in its place');
    if (there !== undefined) await unlink(path);
    return path;
  }

  async #makeParents(parts: readonly string[]): Promise<void> {
    let path = this.#options.directory;
    for (const part of parts.slice(0, -1)) {
      path = join(path, part);
      if (this.#directories.has(path)) continue;
      const there = await lstatOf(path);
      if (there === undefined) await mkdir(path, 0o755);
      else if (!there.isDirectory()) throw new Error('the path leads through a link or a file');
      this.#directories.add(path);
    }
  }

  async #own(path: string, { uid, gid }: EntryHeader): Promise<void> {
    if (this.#options.isRootFs && process.getuid?.() === 0) await lchown(path, uid ?? 0, gid ?? 0);
  }

  #mode({ mode, type }: EntryHeader): number {
    const given = mode ?? (type === 'directory' ? 0o755 : 0o644);
    return given & (this.#options.isRootFs ? 0o7777 : 0o777);
  }

  #path(parts: readonly string[]): string {
    return join(this.#options.directory, ...parts);
  }
}

/** What is at this path, which may be a link itself; undefined when there is nothing. */
export async function lstatOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
